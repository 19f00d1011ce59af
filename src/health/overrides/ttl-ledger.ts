import type { Config } from '../../config/model.ts';

/** Workers take over a new image within milliseconds of the change; resolvers count whole seconds. */
const PUBLISH_MS = 1000;

/** How long resolvers may keep answers of one pool. */
interface PoolTtl {
  /** The largest of the steered names that answer with it. */
  readonly ttlMs: number;
  /** When the last answer with an older and larger TTL has ended, in milliseconds since the epoch. */
  readonly olderGoneAtMs: number;
}

/**
 * The largest TTL of the steered names that answer with each pool, and larger ones from before that have not run out.
 *
 *     ttl 3600 ----- changed to 30 at 12:00 -----> 30
 *     an endpoint that is drained at 12:10 may be in answers until 13:00, one that is drained at 14:00 for 30 s
 */
export interface TtlLedger {
  /** Follows other names. What was before the first call is not known. */
  follow(steeredNames: Config['steeredNames'], nowMs: number): void;
  /** When the last answer with an endpoint has ended that is answered until now, in milliseconds since the epoch. */
  goneAtMs(pool: string, nowMs: number): number;
}

export function createTtlLedger(): TtlLedger {
  let followed: Config['steeredNames'] | undefined;
  let pools: ReadonlyMap<string, PoolTtl> = new Map();
  return {
    follow(steeredNames, nowMs) {
      if (followed === steeredNames) return;
      followed = steeredNames;
      const largest = largestTtls(steeredNames);
      const after = new Map<string, PoolTtl>();
      for (const pool of new Set([...largest.keys(), ...pools.keys()])) {
        const ttlMs = largest.get(pool) ?? 0;
        const before = pools.get(pool) ?? { ttlMs: 0, olderGoneAtMs: 0 };
        const lowered = ttlMs < before.ttlMs ? nowMs + PUBLISH_MS + before.ttlMs : 0;
        const olderGoneAtMs = Math.max(before.olderGoneAtMs, lowered);
        if (largest.has(pool) || olderGoneAtMs > nowMs) after.set(pool, { ttlMs, olderGoneAtMs });
      }
      pools = after;
    },
    goneAtMs(pool, nowMs) {
      const { ttlMs, olderGoneAtMs } = pools.get(pool) ?? { ttlMs: 0, olderGoneAtMs: 0 };
      return Math.max(nowMs + ttlMs, olderGoneAtMs);
    },
  };
}

/** In milliseconds, by pool. */
function largestTtls(steeredNames: Config['steeredNames']): ReadonlyMap<string, number> {
  const ttls = new Map<string, number>();
  for (const { value } of steeredNames.values())
    ttls.set(value.pool, Math.max(ttls.get(value.pool) ?? 0, value.ttlSeconds * 1000));
  return ttls;
}
