/** An endpoint that is out of the answers; milliseconds since the epoch. */
export interface Leave {
  /** When it was last answered. */
  readonly leftAtMs: number;
  /** When the last resolver that honours TTLs has let go of it. */
  readonly goneAtMs: number;
}

/** An endpoint, and whether any query may be answered with it. */
export interface Answering {
  /** `pool/endpoint`. */
  readonly key: string;
  readonly pool: string;
  readonly answered: boolean;
}

/** Since when endpoints are out of the answers, and when the last answer with each has ended. */
export interface DrainBook {
  /** Follows all endpoints: those that are new and those that have gone. */
  follow(endpoints: readonly Answering[], nowMs: number): void;
  /** Some may be answered, or no longer, from a moment on. */
  turn(endpoints: readonly Answering[], nowMs: number): void;
  /** Undefined for what may be answered. */
  leaveOf(key: string): Leave | undefined;
  /** Those whose last answer has ended since the last call. */
  takeGone(nowMs: number): readonly string[];
}

/**
 * `kept` has what was out of the answers when the node last ran. `goneAtMs` says when the last answer of a pool ends
 * that is given at a moment. What is out of them when it is first seen counts as answered until then.
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
  const turnOne = ({ key, pool, answered }: Answering, nowMs: number): void => {
    if (answered) {
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
        if (known !== undefined && !endpoint.answered) put(endpoint.key, known, nowMs);
        else turnOne(endpoint, nowMs);
      }
      for (const key of waiting) if (!leaves.has(key)) waiting.delete(key);
      if (endpoints.length > 0) remembered = new Map();
    },
    turn(endpoints, nowMs) {
      for (const endpoint of endpoints) turnOne(endpoint, nowMs);
    },
    leaveOf: (key) => leaves.get(key),
    takeGone(nowMs) {
      const gone = [...waiting].filter((key) => (leaves.get(key)?.goneAtMs ?? 0) <= nowMs);
      for (const key of gone) waiting.delete(key);
      return gone;
    },
  };
}
