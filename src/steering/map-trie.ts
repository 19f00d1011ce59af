import { MAP_NODE_BITS, MAP_ROOT_BITS } from '../geo/map.ts';
import type { AddressWords } from '../geo/table.ts';

/** Address ranges -> programs: each range reaches to the start of the next, and neighbours differ. */
export interface ProgramRanges {
  readonly addressWords: AddressWords;
  readonly count: number;
  /** Ascending, the first is 0. */
  readonly starts: Uint32Array;
  readonly programs: Uint32Array;
}

/** The trie of one family: a root, then its nodes. */
export interface MapTrie {
  readonly rootShift: 0 | 16;
  readonly words: Int32Array;
}

/** Lays out the trie of `geo/map.ts`; `base` is the word offset where it will stand. */
export function buildTrie(ranges: ProgramRanges, base: number): MapTrie {
  if (ranges.count === 1)
    return { rootShift: 16, words: Int32Array.of(leaf(ranges.programs[0] as number, 0)) };
  const trie = new TrieBuilder(ranges, base);
  trie.divide(0, ranges.count - 1, 0, 0, MAP_ROOT_BITS);
  return { rootShift: 0, words: trie.words() };
}

class TrieBuilder {
  readonly #starts: Uint32Array;
  readonly #programs: Uint32Array;
  readonly #addressWords: AddressWords;
  readonly #base: number;
  #words = new Int32Array(2 ** MAP_ROOT_BITS * 2);
  #length = 2 ** MAP_ROOT_BITS;

  constructor(ranges: ProgramRanges, base: number) {
    this.#starts = ranges.starts;
    this.#programs = ranges.programs;
    this.#addressWords = ranges.addressWords;
    this.#base = base;
  }

  words(): Int32Array {
    return this.#words.subarray(0, this.#length);
  }

  /**
   * Fills the entries of one prefix of `depth` bits. `low` is the range that holds the prefix's first address;
   * ranges `low + 1` to `high` start inside it. Its entries begin at the word `first` of a node that resolves the
   * bits up to `nodeEnd`.
   *
   * A prefix that lies in one range is a leaf, and its length the widest possible: the prefix around it, half of
   * which it is, lies in more than one.
   */
  divide(low: number, high: number, depth: number, first: number, nodeEnd: number): void {
    if (low === high) {
      this.#fill(leaf(this.#programs[low] as number, depth), first, first + (1 << (nodeEnd - depth)));
      return;
    }
    if (depth === nodeEnd) {
      const child = this.#addNode();
      this.#words[first] = ~(this.#base + child);
      this.divide(low, high, depth, child, nodeEnd + MAP_NODE_BITS);
      return;
    }
    const middle = this.#firstWithBit(low + 1, high, depth);
    this.divide(low, middle - 1, depth + 1, first, nodeEnd);
    const right = middle <= high && this.#isZeroBelow(middle, depth) ? middle : middle - 1;
    this.divide(right, high, depth + 1, first + (1 << (nodeEnd - depth - 1)), nodeEnd);
  }

  /** A loop: most leaves fill a few entries, where the call of `fill` would cost more than the filling. */
  #fill(entry: number, from: number, end: number): void {
    const words = this.#words;
    for (let at = from; at < end; at++) words[at] = entry;
  }

  /** The first of the ranges whose start has the bit at `depth` set; `high + 1` where none has. */
  #firstWithBit(from: number, high: number, depth: number): number {
    const starts = this.#starts;
    const stride = this.#addressWords;
    const word = depth >>> 5;
    const bit = 1 << (31 - (depth & 31));
    let low = from;
    let end = high + 1;
    while (low < end) {
      const middle = (low + end) >>> 1;
      if (((starts[middle * stride + word] as number) & bit) === 0) low = middle + 1;
      else end = middle;
    }
    return low;
  }

  /** True when the range's start has no bits set after the one at `depth`. */
  #isZeroBelow(range: number, depth: number): boolean {
    const starts = this.#starts;
    const stride = this.#addressWords;
    const word = depth >>> 5;
    const rest = (1 << (31 - (depth & 31))) - 1;
    if (((starts[range * stride + word] as number) & rest) !== 0) return false;
    for (let next = word + 1; next < stride; next++) if (starts[range * stride + next] !== 0) return false;
    return true;
  }

  #addNode(): number {
    const node = this.#length;
    this.#length += 1 << MAP_NODE_BITS;
    if (this.#length > this.#words.length) {
      const wider = new Int32Array(this.#words.length * 2);
      wider.set(this.#words);
      this.#words = wider;
    }
    return node;
  }
}

function leaf(program: number, prefixLength: number): number {
  return (program << 8) | prefixLength;
}
