import { MAP_HALF_BITS, MAP_NODE_BITS, MAP_ROOT_BITS } from '../geo/map.ts';
import type { AddressWords } from '../geo/table.ts';
import type { NodeStore } from './node-store.ts';

/** Address ranges -> programs: each range reaches to the start of the next, and neighbours differ. */
export interface ProgramRanges {
  readonly addressWords: AddressWords;
  readonly count: number;
  /** Ascending, the first is 0. */
  readonly starts: Uint32Array;
  readonly programs: Uint32Array;
}

/** The root of one family; its nodes are in the store. */
export interface MapTrie {
  /** Bits that the root resolves less than `MAP_ROOT_BITS`. */
  readonly rootShift: number;
  readonly root: Int32Array;
}

/** A root has at most that many entries per range, so that the map of a few rules does not take a megabyte. */
const ROOT_ENTRIES_PER_RANGE = 16;

const HALF_SLOTS = 2 ** MAP_HALF_BITS;
/** A half's words while its node is being filled: its starts, and a run for each slot at most. */
const MAX_HALF_WORDS = 1 + HALF_SLOTS;

/** The level of the root while a trie is built; nodes have 0 and up. */
const ROOT_LEVEL = -1;

/** Lays out the trie of `geo/map.ts`; nodes go to the store, where equal ones are one. */
export function buildTrie(ranges: ProgramRanges, nodes: NodeStore): MapTrie {
  const trie = new TrieBuilder(ranges, nodes);
  return trie.build();
}

/** The widest root that is worth its room: a whole number of node levels narrower than the widest. */
function rootBitsFor(rangeCount: number): number {
  if (rangeCount === 1) return 0;
  let bits = MAP_ROOT_BITS;
  while (bits > 0 && 2 ** bits > rangeCount * ROOT_ENTRIES_PER_RANGE) bits -= MAP_NODE_BITS;
  return bits;
}

class TrieBuilder {
  readonly #starts: Uint32Array;
  readonly #programs: Uint32Array;
  readonly #addressWords: AddressWords;
  readonly #nodes: NodeStore;
  readonly #rootBits: number;
  readonly #root: Int32Array;
  /** The halves that are being filled, two per level, the lower first; a node goes to the store once both are full. */
  readonly #halves: Int32Array;
  /** Runs in each of them so far. */
  readonly #runCounts: Uint8Array;
  /** A node as it goes to the store. */
  readonly #node = new Int32Array(2 * MAX_HALF_WORDS);

  constructor(ranges: ProgramRanges, nodes: NodeStore) {
    this.#starts = ranges.starts;
    this.#programs = ranges.programs;
    this.#addressWords = ranges.addressWords;
    this.#nodes = nodes;
    this.#rootBits = rootBitsFor(ranges.count);
    this.#root = new Int32Array(2 ** this.#rootBits);
    const levels = Math.ceil((ranges.addressWords * 32 - this.#rootBits) / MAP_NODE_BITS);
    this.#halves = new Int32Array(levels * 2 * MAX_HALF_WORDS);
    this.#runCounts = new Uint8Array(levels * 2);
  }

  build(): MapTrie {
    this.#divide(0, this.#programs.length - 1, ROOT_LEVEL, 0, this.#rootBits);
    return { rootShift: MAP_ROOT_BITS - this.#rootBits, root: this.#root };
  }

  /**
   * Fills the root, or the open node of a level, with what is below one prefix of `depth` bits; it resolves the next
   * `bits`. `low` is the range that holds the prefix's first address; ranges `low + 1` to `high` start inside it.
   *
   * Slots that lie in one range are a run of it, which is as wide as it can be, because neighbouring ranges differ.
   */
  #divide(low: number, high: number, level: number, depth: number, bits: number): void {
    const slots = 2 ** bits;
    let range = low;
    let next = low + 1;
    let slot = 0;
    while (slot < slots) {
      const nextSlot = next <= high ? this.#slotOf(next, depth, bits) : slots;
      if (nextSlot > slot) {
        this.#putRun(level, slot, nextSlot, this.#programs[range] as number);
        slot = nextSlot;
        continue;
      }
      // Ranges `next` to `last` start in this slot; the one that holds its first address comes in from the left,
      // unless `next` starts with the slot.
      const first = this.#isZeroFrom(next, depth + bits) ? next : range;
      let last = next;
      while (last < high && this.#slotOf(last + 1, depth, bits) === slot) last += 1;
      range = last;
      next = last + 1;
      // One range for the whole slot: its run starts here, and the next round says how far it goes.
      if (first === last) continue;
      const child = this.#addNode(first, last, level + 1, depth + bits);
      this.#putChild(level, slot, child);
      slot += 1;
    }
  }

  /** The word offset of the node for one prefix. */
  #addNode(low: number, high: number, level: number, depth: number): number {
    const halves = this.#halves;
    const lower = 2 * level * MAX_HALF_WORDS;
    const upper = lower + MAX_HALF_WORDS;
    halves[lower] = 0;
    halves[upper] = 0;
    this.#runCounts[2 * level] = 0;
    this.#runCounts[2 * level + 1] = 0;
    this.#divide(low, high, level, depth, MAP_NODE_BITS);
    const lowerCount = this.#runCounts[2 * level] as number;
    const upperCount = this.#runCounts[2 * level + 1] as number;
    const node = this.#node;
    for (let word = 0; word <= upperCount; word++) node[upperCount - word] = halves[upper + word] as number;
    for (let word = 0; word <= lowerCount; word++)
      node[upperCount + 1 + word] = halves[lower + word] as number;
    return this.#nodes.add(node, lowerCount + upperCount + 2) + upperCount;
  }

  #putRun(level: number, slot: number, end: number, program: number): void {
    if (level === ROOT_LEVEL) {
      this.#fillRoot(slot, end, program);
      return;
    }
    this.#startRun(level, slot, program);
    if (slot < HALF_SLOTS && end > HALF_SLOTS) this.#startRun(level, HALF_SLOTS, program);
  }

  #putChild(level: number, slot: number, node: number): void {
    if (level === ROOT_LEVEL) this.#root[slot] = ~node;
    else this.#startRun(level, slot, ~node);
  }

  #startRun(level: number, slot: number, entry: number): void {
    const half = 2 * level + (slot >>> MAP_HALF_BITS);
    const from = half * MAX_HALF_WORDS;
    const run = (this.#runCounts[half] as number) + 1;
    this.#halves[from] = (this.#halves[from] as number) | (1 << (slot & (HALF_SLOTS - 1)));
    this.#halves[from + run] = entry;
    this.#runCounts[half] = run;
  }

  /** Leaves for the root's entries from `slot` to before `end`: each tells the widest prefix in the run that holds it. */
  #fillRoot(slot: number, end: number, program: number): void {
    let at = slot;
    while (at < end) {
      let free = 0;
      while ((at & ((2 << free) - 1)) === 0 && at + (2 << free) <= end && free < this.#rootBits) free += 1;
      this.#root.fill((program << 8) | (this.#rootBits - free), at, at + (1 << free));
      at += 1 << free;
    }
  }

  /** The bits of a range's start from `depth` on; past the end of an address they are zero. */
  #slotOf(range: number, depth: number, bits: number): number {
    const at = range * this.#addressWords + (depth >>> 5);
    const word = this.#starts[at] as number;
    const mask = (1 << bits) - 1;
    const shift = 32 - (depth & 31) - bits;
    if (shift >= 0) return (word >>> shift) & mask;
    const next = (depth >>> 5) + 1 < this.#addressWords ? (this.#starts[at + 1] as number) : 0;
    return ((word << -shift) | (next >>> (32 + shift))) & mask;
  }

  /** True when the range's start has no bits set from `depth` on. */
  #isZeroFrom(range: number, depth: number): boolean {
    const starts = this.#starts;
    const stride = this.#addressWords;
    const word = depth >>> 5;
    if (word >= stride) return true;
    const rest = 0xffff_ffff >>> (depth & 31);
    if (((starts[range * stride + word] as number) & rest) !== 0) return false;
    for (let next = word + 1; next < stride; next++) if (starts[range * stride + next] !== 0) return false;
    return true;
  }
}
