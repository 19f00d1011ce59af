import type { Config } from '../../config/model.ts';
import { DEFAULT_RAMP_SECONDS } from '../../config/resources/data-center.ts';
import { endpointKey } from '../../config/resources/pool.ts';
import type { PlaceState } from '../../health/capacity/capacity-control.ts';
import { VERDICT_DOWN, VERDICT_DRAINED, VERDICT_UP } from '../../snapshot/verdict-table.ts';
import { VERDICT_MASK } from '../../steering/verdict.ts';

/** A data center as configuration and the verdict table know it. */
export interface ConfiguredPlace {
  readonly name: string;
  /** Its own number in images and tables. */
  readonly number: number;
  /** Load units; undefined where it declares none. */
  readonly capacity: number | undefined;
  readonly rampSeconds: number;
  readonly endpoints: readonly PlacedEndpoint[];
}

interface PlacedEndpoint {
  readonly key: string;
  readonly pool: string;
  readonly slot: number;
  readonly capacity: number | undefined;
}

/** What the verdict table says of a place at one moment. */
export interface PlaceView {
  readonly state: PlaceState;
  /** What it declares, or what its endpoints that are up declare together. */
  readonly capacity: number | undefined;
  /** Pools that have an endpoint up here. */
  readonly pools: ReadonlySet<string>;
  readonly upEndpoints: readonly string[];
}

/** The data centers that have a number, with their endpoints that have a slot. */
export function configuredPlaces(
  config: Config,
  numberOf: (dataCenter: string) => number | undefined,
  slotOf: (endpointKey: string) => number,
): readonly ConfiguredPlace[] {
  const endpoints = [...config.pools.values()].flatMap(({ value: pool }) =>
    pool.endpoints.map((endpoint) => {
      const key = endpointKey(pool.name, endpoint.name);
      const { dataCenter, capacity } = endpoint;
      return { dataCenter, placed: { key, pool: pool.name, slot: slotOf(key), capacity } };
    }),
  );
  const byPlace = Map.groupBy(
    endpoints.filter(({ placed }) => placed.slot >= 0),
    ({ dataCenter }) => dataCenter,
  );
  return [...config.dataCenters.values()].flatMap(({ value: { name, capacity, rampSeconds } }) => {
    const number = numberOf(name);
    if (number === undefined) return [];
    const placed = (byPlace.get(name) ?? []).map((endpoint) => endpoint.placed);
    const declares = capacity !== undefined || placed.some((endpoint) => endpoint.capacity !== undefined);
    const ramp = rampSeconds ?? (declares ? DEFAULT_RAMP_SECONDS : 0);
    return [{ name, number, capacity, rampSeconds: ramp, endpoints: placed }];
  });
}

/** Whether anything is to be planned: without a capacity or a slow start, everybody is kept. */
export function hasPlan(places: readonly ConfiguredPlace[]): boolean {
  return places.some(
    ({ capacity, rampSeconds, endpoints }) =>
      capacity !== undefined ||
      rampSeconds > 0 ||
      endpoints.some((endpoint) => endpoint.capacity !== undefined),
  );
}

export function viewPlace(place: ConfiguredPlace, verdicts: Uint8Array): PlaceView {
  const pools = new Set<string>();
  const upEndpoints: string[] = [];
  let sum: number | undefined;
  let wasJudged = false;
  for (const { key, pool, slot, capacity } of place.endpoints) {
    const verdict = (verdicts[slot] ?? 0) & VERDICT_MASK;
    if (verdict === VERDICT_DOWN || verdict === VERDICT_DRAINED) wasJudged = true;
    if (verdict !== VERDICT_UP) continue;
    pools.add(pool);
    upEndpoints.push(key);
    // One that declares nothing adds nothing: the two addresses of one machine share what one of them declares.
    if (capacity !== undefined) sum = (sum ?? 0) + capacity;
  }
  const state = upEndpoints.length > 0 ? 'up' : wasJudged ? 'down' : 'unknown';
  return { state, capacity: place.capacity ?? sum, pools, upEndpoints };
}
