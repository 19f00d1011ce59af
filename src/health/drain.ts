import type { Config } from '../config/model.ts';
import { strands } from '../config/policy-reach.ts';
import type { Leave } from './drain-book.ts';
import { type DrainState, type EndpointHealth, timeText } from './endpoint-health.ts';

/** What is needed to tell how far endpoints are out of use. */
export interface DrainView {
  readonly config: Pick<Config, 'policies' | 'steeredNames'>;
  readonly leaveOf: (key: string) => Leave | undefined;
}

/** Adds to what an override takes out of service since when nobody is sent there, or why somebody still may be. */
export function tellDrains(
  endpoints: readonly EndpointHealth[],
  { config, leaveOf }: DrainView,
): readonly EndpointHealth[] {
  if (!endpoints.some(isTakenOut)) return endpoints;
  const risks = new Risks(config, endpoints);
  return endpoints.map((endpoint) =>
    isTakenOut(endpoint)
      ? { ...endpoint, drain: drainOf(endpoint, leaveOf(endpoint.key), risks.nameOf(endpoint)) }
      : endpoint,
  );
}

function isTakenOut({ override }: EndpointHealth): boolean {
  return override !== undefined && override.state !== 'up';
}

function drainOf(
  { held, verdict }: EndpointHealth,
  leave: Leave | undefined,
  riskyName: string | undefined,
): DrainState {
  const still = { leftAt: undefined, safeToRebootAt: undefined };
  if (held !== undefined) return { ...still, note: held.reason };
  if (verdict === 'up' || verdict === 'unknown' || leave === undefined)
    return { ...still, note: 'It is still in the answers.' };
  if (riskyName !== undefined) {
    const note = `${riskyName} may be answered with it all the same: for some of its clients nothing else of the pool is up, and the name's choice for that case may fall on it.`;
    return { ...still, note };
  }
  const leftAt = timeText(leave.leftAtMs);
  const safeToRebootAt = timeText(leave.goneAtMs);
  const note = `It was last answered at ${leftAt}; the last resolver that honours TTLs lets go of it at ${safeToRebootAt}.`;
  return { leftAt, safeToRebootAt, note };
}

/** Names that answer with what is out of service, where all else of a pool is, too. */
class Risks {
  readonly #config: DrainView['config'];
  /** Data centers with an endpoint that is answered, by pool. */
  readonly #alive = new Map<string, Set<string>>();
  /** One steered name for each policy with which a pool is answered and which may fall back on what is down, by pool. */
  readonly #names: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly #known = new Map<string, string | undefined>();

  constructor(config: DrainView['config'], endpoints: readonly EndpointHealth[]) {
    this.#config = config;
    this.#names = riskyNames(config.steeredNames);
    for (const { pool, dataCenter, verdict, unknown } of endpoints) {
      const isAlive = verdict === 'up' || (verdict === 'unknown' && unknown !== 'withhold');
      const alive = this.#alive.get(pool) ?? new Set();
      this.#alive.set(pool, alive);
      if (isAlive) alive.add(dataCenter);
    }
  }

  /** A name that may be answered with the endpoint though it is out of service. */
  nameOf({ pool, dataCenter }: EndpointHealth): string | undefined {
    const place = `${pool}/${dataCenter}`;
    if (!this.#known.has(place)) this.#known.set(place, this.#find(pool, dataCenter));
    return this.#known.get(place);
  }

  #find(pool: string, dataCenter: string): string | undefined {
    const alive = this.#alive.get(pool) ?? new Set();
    for (const [policy, name] of this.#names.get(pool) ?? [])
      if (strands(this.#config, policy, dataCenter, alive)) return name;
    return undefined;
  }
}

const riskyNamesOf = new WeakMap<Config['steeredNames'], ReturnType<typeof riskyNames>>();

function riskyNames(steeredNames: Config['steeredNames']): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const known = riskyNamesOf.get(steeredNames);
  if (known !== undefined) return known;
  const names = new Map<string, Map<string, string>>();
  for (const { value } of steeredNames.values()) {
    // The other choices never fall on an endpoint of the pool.
    if (value.allDown !== 'fail-open' && value.allDown !== 'last-known') continue;
    const ofPool = names.get(value.pool) ?? new Map<string, string>();
    names.set(value.pool, ofPool);
    if (!ofPool.has(value.policy)) ofPool.set(value.policy, value.name);
  }
  riskyNamesOf.set(steeredNames, names);
  return names;
}
