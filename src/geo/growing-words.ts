/** Words of room that a new list starts with, unless told. */
const INITIAL_WORDS = 1024;

/** A list of unsigned 32-bit words that grows by doubling: millions of entries without an object each. */
export class GrowingWords {
  #words: Uint32Array;
  #length = 0;

  /** `capacity`: words that it will need at most, as far as is known. Room that is not used costs no memory. */
  constructor(capacity = INITIAL_WORDS) {
    this.#words = new Uint32Array(Math.max(capacity, INITIAL_WORDS));
  }

  get length(): number {
    return this.#length;
  }

  push(word: number): void {
    if (this.#length === this.#words.length) {
      const wider = new Uint32Array(this.#words.length * 2);
      wider.set(this.#words);
      this.#words = wider;
    }
    this.#words[this.#length] = word;
    this.#length += 1;
  }

  /** Forgets the last `count` words. */
  drop(count: number): void {
    this.#length -= count;
  }

  /** The word at a position below `length`. */
  at(position: number): number {
    return this.#words[position] as number;
  }

  /** The words so far; valid until the next push. */
  view(): Uint32Array {
    return this.#words.subarray(0, this.#length);
  }
}
