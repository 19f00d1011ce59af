import type { NodeStatus } from '../../api/control-plane.ts';
import type { GeoTable } from '../../geo/table.ts';

/** What the status tells of the geo table in use. */
export function geoStatus({ metadata }: GeoTable, nowMs: number): NodeStatus['geo'] {
  const { name, builtAt, attribution, attributionUrl } = metadata;
  const ageSeconds = Math.max(0, Math.round((nowMs - Date.parse(builtAt)) / 1000));
  return { name, builtAt, attribution, attributionUrl, ageSeconds };
}
