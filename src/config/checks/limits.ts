import { MAX_API_RRSETS_PER_ZONE, MAX_ENDPOINTS, MAX_RESOURCES } from '../limits.ts';
import { collections, type Owner } from '../model.ts';
import { type CheckScope, report } from './scope.ts';

/** No one resource is to blame for a total, so no file is named. */
const NOBODY: Owner = { kind: 'api' };

/** Totals that images, tables and documents are made for. */
export function checkLimits(scope: CheckScope): void {
  const { config } = scope;
  for (const collection of collections) {
    const count = config[collection].size;
    const most = MAX_RESOURCES[collection];
    if (count <= most) continue;
    report(
      scope,
      NOBODY,
      'too-many-resources',
      collection,
      `There are ${count} ${collection}; at most ${most} are possible.`,
    );
  }
  let endpoints = 0;
  for (const pool of config.pools.values()) endpoints += pool.value.endpoints.length;
  if (endpoints > MAX_ENDPOINTS) {
    const message = `All pools together have ${endpoints} endpoints; at most ${MAX_ENDPOINTS} are possible.`;
    report(scope, NOBODY, 'too-many-endpoints', 'pools', message);
  }
  for (const [apex, rrsets] of config.rrsets) {
    if (rrsets.size <= MAX_API_RRSETS_PER_ZONE) continue;
    const message = `The zone ${apex} has ${rrsets.size} RRsets; a zone that is edited RRset by RRset has at most ${MAX_API_RRSETS_PER_ZONE}. Put it into a zone file of the configuration directory.`;
    report(
      scope,
      config.zones.get(apex)?.owner ?? NOBODY,
      'too-many-rrsets',
      `zones/${apex}/rrsets`,
      message,
    );
  }
}
