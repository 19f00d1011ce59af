/** Words of room that a new store starts with. */
const INITIAL_WORDS = 2 ** 16;
/** Places of the table of a new store: a power of two. */
const INITIAL_PLACES = 2 ** 12;

/**
 * The nodes of a map's tries, each distinct one once. Nodes are filled bottom up, so equal subtrees are found by
 * comparing one node: what is below it is already one.
 *
 *     places   [ . ][ 9 ][ . ][ 31 ] ...    open addressing, by hash: the word offset of a node, 0 where free
 *     words    [ node ][ node ] ...         as in the drawing of `geo/map.ts`, of different lengths
 */
export class NodeStore {
  readonly #base: number;
  #words = new Int32Array(INITIAL_WORDS);
  #length = 0;
  #places = new Int32Array(INITIAL_PLACES);
  /** By place: the node's hash, so that a wider table needs no look at the nodes. */
  #hashes = new Int32Array(INITIAL_PLACES);
  #count = 0;

  /** `base` is the word offset at which the first node will stand; above 0. */
  constructor(base: number) {
    this.#base = base;
  }

  /** All nodes; valid until the next `add`. */
  view(): Int32Array {
    return this.#words.subarray(0, this.#length);
  }

  /** The word offset of the first of a node's `length` words, which `source` begins with. */
  add(source: Int32Array, length: number): number {
    const hash = hashOf(source, length);
    const mask = this.#places.length - 1;
    let place = hash & mask;
    for (let known = this.#places[place] as number; known !== 0; known = this.#places[place] as number) {
      if (this.#hashes[place] === hash && this.#holds(known - this.#base, source, length)) return known;
      place = (place + 1) & mask;
    }
    const node = this.#base + this.#append(source, length);
    this.#places[place] = node;
    this.#hashes[place] = hash;
    this.#count += 1;
    if (this.#count * 2 > this.#places.length) this.#widen();
    return node;
  }

  #holds(at: number, source: Int32Array, length: number): boolean {
    if (at + length > this.#length) return false;
    const words = this.#words;
    for (let word = 0; word < length; word++) if (words[at + word] !== source[word]) return false;
    return true;
  }

  #append(source: Int32Array, length: number): number {
    const at = this.#length;
    this.#length += length;
    if (this.#length > this.#words.length) {
      const wider = new Int32Array(this.#words.length * 2);
      wider.set(this.#words);
      this.#words = wider;
    }
    const words = this.#words;
    for (let word = 0; word < length; word++) words[at + word] = source[word] as number;
    return at;
  }

  #widen(): void {
    const { length } = this.#places;
    const places = new Int32Array(length * 2);
    const hashes = new Int32Array(length * 2);
    const mask = length * 2 - 1;
    for (let from = 0; from < length; from++) {
      const node = this.#places[from] as number;
      if (node === 0) continue;
      const hash = this.#hashes[from] as number;
      let place = hash & mask;
      while (places[place] !== 0) place = (place + 1) & mask;
      places[place] = node;
      hashes[place] = hash;
    }
    this.#places = places;
    this.#hashes = hashes;
  }
}

/** Multiplies by an odd number near 2^32 over the golden ratio and folds the high bits in, word by word. */
function hashOf(source: Int32Array, length: number): number {
  let hash = length;
  for (let word = 0; word < length; word++) {
    hash = Math.imul(hash ^ (source[word] as number), 0x9e37_79b1);
    hash ^= hash >>> 15;
  }
  return hash;
}
