/** Places of a new map: a power of two. */
const INITIAL_PLACES = 2 ** 12;

/**
 * From 32-bit words to 32-bit words, for hundreds of thousands of them: open addressing, without an object each.
 *
 *     keys    [ . ][ 7 ][ . ][ 19 ] ...     kept plus one, so that 0 is a free place
 *     values  [ . ][ 2 ][ . ][  5 ] ...
 */
export class WordMap {
  #keys = new Uint32Array(INITIAL_PLACES);
  #values = new Uint32Array(INITIAL_PLACES);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The value of a key, or -1. */
  get(key: number): number {
    const place = this.#placeOf(key);
    return this.#keys[place] === 0 ? -1 : (this.#values[place] as number);
  }

  /** Sets a key below 2^32 - 1 that has no value yet. */
  add(key: number, value: number): void {
    const place = this.#placeOf(key);
    this.#keys[place] = key + 1;
    this.#values[place] = value;
    this.#size += 1;
    if (this.#size * 2 > this.#keys.length) this.#widen();
  }

  /** Where the key stands, or the free place where it would. */
  #placeOf(key: number): number {
    const keys = this.#keys;
    const mask = keys.length - 1;
    const mixed = Math.imul(key, 0x9e37_79b1);
    let place = (mixed ^ (mixed >>> 15)) & mask;
    while (keys[place] !== 0 && keys[place] !== key + 1) place = (place + 1) & mask;
    return place;
  }

  #widen(): void {
    const keys = this.#keys;
    const values = this.#values;
    this.#keys = new Uint32Array(keys.length * 2);
    this.#values = new Uint32Array(keys.length * 2);
    for (let from = 0; from < keys.length; from++) {
      const key = keys[from] as number;
      if (key === 0) continue;
      const place = this.#placeOf(key - 1);
      this.#keys[place] = key;
      this.#values[place] = values[from] as number;
    }
  }
}
