import type { EndpointHealth } from './endpoint-health.ts';
import type { Verdict } from './verdict.ts';

/** An endpoint that is out of service; milliseconds since the epoch. */
export interface Leave {
  /** When it was last answered. */
  readonly leftAtMs: number;
  /** When the last resolver that honours TTLs has let go of it. */
  readonly goneAtMs: number;
}

type Seen = Pick<EndpointHealth, 'key' | 'pool' | 'verdict'>;

/**
 * Since when endpoints are out of service, and when the last answer with each has ended. From drained to down and back
 * is no return: only what is up or unknown may be answered again.
 */
export interface DrainBook {
  /** Follows all endpoints: those that are new and those that have gone. */
  follow(endpoints: readonly Seen[], nowMs: number): void;
  /** One has another verdict. */
  turn(endpoint: Seen, nowMs: number): void;
  leaveOf(key: string): Leave | undefined;
  /** Those whose last answer has ended since the last call. */
  takeGone(nowMs: number): readonly string[];
}

/**
 * `kept` has what was out of service when the node last ran. `goneAtMs` says when the last answer of a pool ends that
 * is given at a moment. What is out of service when it is first seen counts as answered until then.
 */
export function createDrainBook(
  kept: ReadonlyMap<string, Leave>,
  goneAtMs: (pool: string, nowMs: number) => number,
): DrainBook {
  let remembered = kept;
  let leaves = new Map<string, Leave>();
  /** Those whose last answer has not ended, as of the last look. */
  const waiting = new Set<string>();
  const put = (key: string, leave: Leave, nowMs: number): void => {
    leaves.set(key, leave);
    if (leave.goneAtMs > nowMs) waiting.add(key);
  };
  const turn = ({ key, pool, verdict }: Seen, nowMs: number): void => {
    if (isAnswered(verdict)) {
      leaves.delete(key);
      waiting.delete(key);
    } else if (!leaves.has(key)) put(key, { leftAtMs: nowMs, goneAtMs: goneAtMs(pool, nowMs) }, nowMs);
  };
  return {
    follow(endpoints, nowMs) {
      const before = leaves;
      leaves = new Map();
      for (const endpoint of endpoints) {
        const known = before.get(endpoint.key) ?? remembered.get(endpoint.key);
        if (known !== undefined && !isAnswered(endpoint.verdict)) put(endpoint.key, known, nowMs);
        else turn(endpoint, nowMs);
      }
      for (const key of waiting) if (!leaves.has(key)) waiting.delete(key);
      if (endpoints.length > 0) remembered = new Map();
    },
    turn,
    leaveOf: (key) => leaves.get(key),
    takeGone(nowMs) {
      const gone = [...waiting].filter((key) => (leaves.get(key)?.goneAtMs ?? 0) <= nowMs);
      for (const key of gone) waiting.delete(key);
      return gone;
    },
  };
}

function isAnswered(verdict: Verdict): boolean {
  return verdict === 'up' || verdict === 'unknown';
}
