/** First probes are spread over a second; with one more they have had time to report. */
export const FIRST_VERDICTS_MS = 2000;

/**
 * Holds back the verdicts of pools of which nothing was known, until all their endpoints have one or time is up.
 * Otherwise the endpoint that happens to be probed first would be the only one that is up, and for a moment draw the
 * clients of the whole world. Meanwhile all are unknown alike, and answers go by distance.
 *
 *     pool -> slots that have no verdict yet, and the octets that wait
 */
export class FirstVerdicts {
  readonly #held = new Map<string, { readonly missing: Set<number>; readonly octets: Map<number, number> }>();
  readonly #store: (slot: number, octet: number) => void;

  constructor(store: (slot: number, octet: number) => void) {
    this.#store = store;
  }

  /** Starts to hold a pool back, by the slots of its endpoints. */
  hold(pool: string, slots: Iterable<number>): void {
    this.#held.set(pool, { missing: new Set(slots), octets: new Map() });
  }

  isHeld(pool: string): boolean {
    return this.#held.has(pool);
  }

  /** Stores an octet, or keeps it until the pool's last verdict is in. */
  put(pool: string | undefined, slot: number, octet: number): void {
    const held = pool === undefined ? undefined : this.#held.get(pool);
    if (pool === undefined || held === undefined) {
      this.#store(slot, octet);
      return;
    }
    held.octets.set(slot, octet);
    held.missing.delete(slot);
    if (held.missing.size === 0) this.release(pool);
  }

  /** Stores what waits, and holds the pool back no more. */
  release(pool: string): void {
    const held = this.#held.get(pool);
    this.#held.delete(pool);
    for (const [slot, octet] of held?.octets ?? []) this.#store(slot, octet);
  }
}
