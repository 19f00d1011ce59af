import type { GuardRails } from '../config/resources/pool.ts';
import type { Verdict } from './verdict.ts';

/** An endpoint of one pool, as the rails see it. */
export interface RailedEndpoint {
  /** `pool/endpoint`. */
  readonly key: string;
  readonly dataCenter: string;
  /** What probes and overrides come to. */
  readonly wanted: Verdict;
  /** Whether it was ever up: nothing speaks for one that never was. */
  readonly wasUp: boolean;
  /** When it was last seen to go out of service; milliseconds since the epoch. */
  readonly fellAtMs: number;
  /** Whether an override with break-glass holds for it. */
  readonly breakGlass: boolean;
}

/** Which rail keeps an endpoint in service. */
export type Rail = keyof GuardRails;

const NONE: ReadonlyMap<string, Rail> = new Map();

/**
 * The endpoints that stay in service although probes or overrides would take them out, by key: those that fell last.
 *
 *     minimumUp 2                          maxLostDataCenters 1
 *     a  fell 12:00   down                 fra  a, b  lost 12:00   down
 *     b  fell 12:01   held                 sin  c     lost 12:01   held: c
 *     c  fell 12:02   held                 nyc  d     up
 *
 * A data center is lost when none of its endpoints is up; it is kept by those of them that fell last. Where several
 * fell at one moment the later key counts as later. A pure function of what is and when it fell, so that every node
 * holds the same. What was taken out with break-glass is neither held nor counted: the rails ask for that much less.
 */
export function heldByRails(
  members: readonly RailedEndpoint[],
  rails: GuardRails,
): ReadonlyMap<string, Rail> {
  const fallen = members.filter(isFallen);
  if (fallen.length === 0) return NONE;
  const held = new Map<string, Rail>();
  if (rails.maxLostDataCenters !== undefined)
    holdDataCenters(members, fallen, rails.maxLostDataCenters, held);
  if (rails.minimumUp !== undefined) holdEndpoints(members, fallen, rails.minimumUp, held);
  return held;
}

function isFallen({ wanted, wasUp, breakGlass }: RailedEndpoint): boolean {
  return wasUp && !breakGlass && (wanted === 'down' || wanted === 'drained');
}

function holdDataCenters(
  members: readonly RailedEndpoint[],
  fallen: readonly RailedEndpoint[],
  mostLost: number,
  held: Map<string, Rail>,
): void {
  const alive = new Set(members.filter(({ wanted }) => wanted === 'up').map(({ dataCenter }) => dataCenter));
  const lost = [...Map.groupBy(fallen, ({ dataCenter }) => dataCenter)]
    .filter(([dataCenter]) => !alive.has(dataCenter))
    .map(([, endpoints]) => endpoints.toSorted(byLatestFall))
    .sort(([one], [other]) => (one === undefined || other === undefined ? 0 : byLatestFall(one, other)));
  for (const endpoints of lost.slice(0, Math.max(0, lost.length - mostLost))) {
    const latestMs = endpoints[0]?.fellAtMs;
    for (const { key, fellAtMs } of endpoints) if (fellAtMs === latestMs) held.set(key, 'maxLostDataCenters');
  }
}

function holdEndpoints(
  members: readonly RailedEndpoint[],
  fallen: readonly RailedEndpoint[],
  minimumUp: number,
  held: Map<string, Rail>,
): void {
  let missing = minimumUp - held.size;
  for (const { wanted, breakGlass } of members) if (wanted === 'up' || breakGlass) missing -= 1;
  if (missing <= 0) return;
  const free = fallen.filter(({ key }) => !held.has(key)).sort(byLatestFall);
  for (const { key } of free.slice(0, missing)) held.set(key, 'minimumUp');
}

function byLatestFall(one: RailedEndpoint, other: RailedEndpoint): number {
  if (one.fellAtMs !== other.fellAtMs) return other.fellAtMs - one.fellAtMs;
  return one.key > other.key ? -1 : 1;
}
