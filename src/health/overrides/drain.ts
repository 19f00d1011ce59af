import type { Config } from '../../config/model.ts';
import { strands } from '../../config/policy-reach.ts';
import { type DrainState, type EndpointHealth, type Standing, timeText } from '../endpoint-health.ts';
import type { Answering, Leave } from './drain-book.ts';

/** What says which of a pool's endpoints a name is answered with when none is up. */
export type AllDownConfig = Pick<Config, 'policies' | 'steeredNames'>;

/**
 * Which of the endpoints a query may be answered with: those that are up or may be, and those that are not, where a
 * name's choice for the case that all are down may fall on them.
 */
export function answeringOf(config: AllDownConfig, endpoints: readonly Standing[]): readonly Answering[] {
  const risks = new Risks(config, endpoints);
  return endpoints.map((endpoint) => {
    const { key, pool } = endpoint;
    return { key, pool, answered: isAlive(endpoint) || risks.nameOf(endpoint) !== undefined };
  });
}

/** Adds to what an override takes out of service since when nobody is sent there, or why somebody still may be. */
export function tellDrains(
  endpoints: readonly EndpointHealth[],
  config: AllDownConfig,
  leaveOf: (key: string) => Leave | undefined,
): readonly EndpointHealth[] {
  if (!endpoints.some(isTakenOut)) return endpoints;
  const risks = new Risks(config, endpoints);
  return endpoints.map((endpoint) =>
    isTakenOut(endpoint)
      ? { ...endpoint, drain: drainOf(endpoint, leaveOf(endpoint.key), risks.nameOf(endpoint)) }
      : endpoint,
  );
}

/** What is unknown may be answered, unless its pool says otherwise. */
function isAlive({ verdict, unknown }: Standing): boolean {
  return verdict === 'up' || (verdict === 'unknown' && unknown !== 'withhold');
}

function isTakenOut({ override }: EndpointHealth): boolean {
  return override !== undefined && override.state !== 'up';
}

function drainOf(
  endpoint: EndpointHealth,
  leave: Leave | undefined,
  riskyName: string | undefined,
): DrainState {
  const still = { leftAt: undefined, safeToRebootAt: undefined };
  if (endpoint.held !== undefined) return { ...still, note: endpoint.held.reason };
  if (riskyName !== undefined && !isAlive(endpoint)) {
    const note = `${riskyName} may be answered with it all the same: for some of its clients nothing else of the pool is up, and the name's choice for that case may fall on it.`;
    return { ...still, note };
  }
  if (isAlive(endpoint) || leave === undefined) return { ...still, note: 'It is still in the answers.' };
  const leftAt = timeText(leave.leftAtMs);
  const safeToRebootAt = timeText(leave.goneAtMs);
  const note = `It was last answered at ${leftAt}; the last resolver that honours TTLs lets go of it at ${safeToRebootAt}.`;
  return { leftAt, safeToRebootAt, note };
}

/** Names that answer with what is out of service, where all else of a pool is, too. */
class Risks {
  readonly #config: AllDownConfig;
  /** Data centers with an endpoint that is alive, by pool. */
  readonly #alive = new Map<string, Set<string>>();
  /** One steered name for each policy with which a pool is answered and which may fall back on what is down, by pool. */
  readonly #names: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly #known = new Map<string, string | undefined>();

  constructor(config: AllDownConfig, endpoints: readonly Standing[]) {
    this.#config = config;
    this.#names = riskyNames(config.steeredNames);
    for (const endpoint of endpoints) {
      const alive = this.#alive.get(endpoint.pool) ?? new Set();
      this.#alive.set(endpoint.pool, alive);
      if (isAlive(endpoint)) alive.add(endpoint.dataCenter);
    }
  }

  /** A name that may be answered with an endpoint of the data center though it is out of service. */
  nameOf({ pool, dataCenter }: Standing): string | undefined {
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
