import { setImmediate } from 'node:timers/promises';
import type { SyncClock } from '../../../src/cluster/sync/sync-clock.ts';

interface Event {
  readonly atMs: number;
  readonly sequence: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** Simulated time: events in the order of their moments, those of one moment in the order in which they were made. */
export class SimTime implements SyncClock {
  readonly #events: Event[] = [];
  #nowMs = 0;
  #sequence = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  after(ms: number, run: () => void): () => void {
    const event = { atMs: this.#nowMs + ms, sequence: this.#sequence++, run, cancelled: false };
    let at = this.#events.length;
    this.#events.push(event);
    // A heap, the earliest first.
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfLater(parent, at)) break;
      at = parent;
    }
    return () => {
      event.cancelled = true;
    };
  }

  /** Runs events up to a moment, each with all that follows from it without time passing. */
  async runUntil(endMs: number): Promise<void> {
    for (let next = this.#events[0]; next !== undefined && next.atMs <= endMs; next = this.#events[0]) {
      this.#removeFirst();
      if (next.cancelled) continue;
      this.#nowMs = next.atMs;
      next.run();
      // Promises are all that our code waits for, so by then it waits for the next event.
      await setImmediate();
    }
    this.#nowMs = endMs;
  }

  #removeFirst(): void {
    const last = this.#events.pop();
    if (last === undefined || this.#events.length === 0) return;
    this.#events[0] = last;
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < this.#events.length && this.#isLater(least, child)) least = child;
      if (least === at) return;
      this.#swapIfLater(at, least);
      at = least;
    }
  }

  #swapIfLater(earlierAt: number, laterAt: number): boolean {
    if (!this.#isLater(earlierAt, laterAt)) return false;
    const [one, other] = [this.#events[earlierAt], this.#events[laterAt]];
    if (one === undefined || other === undefined) return false;
    this.#events[earlierAt] = other;
    this.#events[laterAt] = one;
    return true;
  }

  #isLater(oneAt: number, otherAt: number): boolean {
    const [one, other] = [this.#events[oneAt], this.#events[otherAt]];
    if (one === undefined || other === undefined) return false;
    return one.atMs > other.atMs || (one.atMs === other.atMs && one.sequence > other.sequence);
  }
}
