import type { Config } from '../../config/model.ts';

let last: { readonly names: Config['steeredNames']; readonly ttls: ReadonlyMap<string, number> } | undefined;

/** The largest TTL in seconds of the steered names that answer with each pool; found once for the same names. */
export function largestTtls({ steeredNames }: Pick<Config, 'steeredNames'>): ReadonlyMap<string, number> {
  if (last?.names === steeredNames) return last.ttls;
  const ttls = new Map<string, number>();
  for (const { value } of steeredNames.values())
    ttls.set(value.pool, Math.max(ttls.get(value.pool) ?? 0, value.ttlSeconds));
  last = { names: steeredNames, ttls };
  return ttls;
}
