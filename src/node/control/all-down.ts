import type { Config } from '../../config/model.ts';
import type { Problem } from '../../config/problem.ts';
import type { EndpointHealth } from '../../health/endpoint-health.ts';

/** Steered names of which no endpoint is up or may be: what they answer is their choice for that case. */
export function allDownProblems(
  { steeredNames }: Pick<Config, 'steeredNames'>,
  health: readonly Pick<EndpointHealth, 'pool' | 'verdict'>[],
): readonly Problem[] {
  const alive = new Set<string>();
  const pools = new Set<string>();
  for (const { pool, verdict } of health) {
    pools.add(pool);
    if (verdict === 'up' || verdict === 'unknown') alive.add(pool);
  }
  return [...steeredNames.values()]
    .filter(({ value }) => pools.has(value.pool) && !alive.has(value.pool))
    .map(({ value: { name, pool, allDown } }) => ({
      code: 'all-down',
      path: `steeredNames/${name}`,
      message: `No endpoint of its pool ${pool} is up, so it is answered by its choice "${allDown}".`,
    }));
}
