/** How long to wait before the next try. Half of it is drawn, so that nodes that lost each other do not return as one. */
export class Backoff {
  readonly #firstMs: number;
  readonly #longestMs: number;
  readonly #random: () => number;
  #nextMs: number;

  constructor(firstMs: number, longestMs: number, random: () => number = Math.random) {
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
    this.#random = random;
    this.#nextMs = firstMs;
  }

  /** Between half and all of the wait that is due; the next is twice as long, up to the longest. */
  nextMs(): number {
    const waitMs = this.#nextMs;
    this.#nextMs = Math.min(waitMs * 2, this.#longestMs);
    return waitMs / 2 + (waitMs / 2) * this.#random();
  }

  reset(): void {
    this.#nextMs = this.#firstMs;
  }
}
