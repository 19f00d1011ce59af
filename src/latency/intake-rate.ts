/** Measurements that are taken in a second over a longer time: half a hundredth of the main thread. */
const RATE_PER_SECOND = 1_000;

/** And at once: ten full batches. */
const BURST = 20_000;

/** How many measurements may be taken, by a bucket that fills with time. */
export class IntakeRate {
  #left = BURST;
  #atMs: number;

  /** Times are milliseconds on a clock that never goes back. */
  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  /** Takes so many, at most one batch's, or says how many milliseconds to wait. */
  take(count: number, nowMs: number): number {
    this.#left = Math.min(BURST, this.#left + ((nowMs - this.#atMs) * RATE_PER_SECOND) / 1000);
    this.#atMs = nowMs;
    if (count > this.#left) return Math.ceil(((count - this.#left) * 1000) / RATE_PER_SECOND);
    this.#left -= count;
    return 0;
  }
}
