import { getInt32 } from '../dns/get-integer.ts';
import type { Prefix } from '../geo/prefix.ts';

/**
 * A set of addresses, as prefixes in it and prefixes left out of it, the longest that holds an address deciding. An
 * image of it is the sorted list of the addresses at which membership changes, of each family:
 *
 *     | v4 first | v4 count | v6 first | v6 count | v4 edges, 1 word each | v6 edges, 4 words each |
 *
 *     in   10.0.0.0/8                  first = 0, the lowest address is not in it
 *     out  10.1.0.0/16                 edges = 10.0.0.0  10.1.0.0  10.2.0.0  11.0.0.0
 *                                               in        out       in        out
 *
 * The number of edges at or below an address tells: odd, and it differs from the first. Edges are signed numbers with
 * the top bit turned, because their order is then that of the addresses, and no number leaves 32 bits.
 */
export interface PrefixSet {
  readonly words: Int32Array;
}

const HEADER_WORDS = 4;
const V6_WORDS = 4;
const TOP_BIT = 0x80000000 | 0;

/** Compiles the set into shared memory. A prefix that is in both counts as left out. */
export function compilePrefixSet(inside: readonly Prefix[], outside: readonly Prefix[]): SharedArrayBuffer {
  const v4 = edgesOf(4, inside, outside);
  const v6 = edgesOf(6, inside, outside);
  const image = new SharedArrayBuffer(
    (HEADER_WORDS + v4.edges.length + V6_WORDS * v6.edges.length) * Int32Array.BYTES_PER_ELEMENT,
  );
  const words = new Int32Array(image);
  words.set([v4.first, v4.edges.length, v6.first, v6.edges.length]);
  let at = HEADER_WORDS;
  for (const edge of v4.edges) words[at++] = wordOf(edge, 0n);
  for (const edge of v6.edges) for (const shift of [96n, 64n, 32n, 0n]) words[at++] = wordOf(edge, shift);
  return image;
}

export function openPrefixSet(image: SharedArrayBuffer): PrefixSet {
  return { words: new Int32Array(image) };
}

/** True when the address, of 4 or 16 octets in network order, is in the set. Takes a few steps more the larger it is. */
export function holdsAddress({ words }: PrefixSet, family: 4 | 6, octets: Uint8Array): boolean {
  if (family === 4) {
    const below = v4EdgesUpTo(words, addressWord(octets, 0));
    return (((words[0] as number) ^ below) & 1) === 1;
  }
  const below = v6EdgesUpTo(words, octets);
  return (((words[2] as number) ^ below) & 1) === 1;
}

function v4EdgesUpTo(words: Int32Array, address: number): number {
  let low = 0;
  let high = words[1] as number;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((words[HEADER_WORDS + middle] as number) <= address) low = middle + 1;
    else high = middle;
  }
  return low;
}

function v6EdgesUpTo(words: Int32Array, octets: Uint8Array): number {
  const start = HEADER_WORDS + (words[1] as number);
  let low = 0;
  let high = words[3] as number;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isAtMost(words, start + V6_WORDS * middle, octets)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isAtMost(words: Int32Array, edge: number, octets: Uint8Array): boolean {
  for (let word = 0; word < V6_WORDS; word++) {
    const wanted = addressWord(octets, 4 * word);
    if (words[edge + word] !== wanted) return (words[edge + word] as number) < wanted;
  }
  return true;
}

function addressWord(octets: Uint8Array, at: number): number {
  return getInt32(octets, at) ^ TOP_BIT;
}

function wordOf(edge: bigint, shift: bigint): number {
  return Number(BigInt.asIntN(32, edge >> shift)) ^ TOP_BIT;
}

interface Edges {
  /** 1 where the lowest address is in the set. */
  readonly first: 0 | 1;
  readonly edges: readonly bigint[];
}

interface Span {
  /** The address after the last. */
  readonly end: bigint;
  readonly held: 0 | 1;
}

/** Prefixes lie inside each other or apart, so that a stack of those around the address at hand is all it takes. */
function edgesOf(family: 4 | 6, inside: readonly Prefix[], outside: readonly Prefix[]): Edges {
  const bits = family === 4 ? 32 : 128;
  const all = [
    ...inside.map((prefix) => ({ prefix, held: 1 as const })),
    ...outside.map((prefix) => ({ prefix, held: 0 as const })),
  ]
    .filter(({ prefix }) => prefix.family === family)
    .sort((a, b) => compare(a.prefix, b.prefix) || b.held - a.held);
  const space = 1n << BigInt(bits);
  const around: Span[] = [{ end: space, held: 0 }];
  const changes: { at: bigint; held: 0 | 1 }[] = [{ at: 0n, held: 0 }];
  const leaveUntil = (address: bigint): void => {
    for (let top = around.at(-1); top !== undefined && top.end <= address; top = around.at(-1)) {
      around.pop();
      const outer = around.at(-1);
      if (outer !== undefined) changes.push({ at: top.end, held: outer.held });
    }
  };
  for (const { prefix, held } of all) {
    leaveUntil(prefix.start);
    changes.push({ at: prefix.start, held });
    around.push({ end: prefix.start + (1n << BigInt(bits - prefix.length)), held });
  }
  leaveUntil(space);
  return withoutRepeats(changes, space);
}

/** Of changes at one address the last counts; one that changes nothing is no edge, nor is the end of all addresses. */
function withoutRepeats(changes: readonly { at: bigint; held: 0 | 1 }[], space: bigint): Edges {
  const last = changes.filter(({ at }, i) => at < space && changes[i + 1]?.at !== at);
  const first = last[0]?.held ?? 0;
  const edges = last.filter(({ held }, i) => i > 0 && held !== last[i - 1]?.held).map(({ at }) => at);
  return { first, edges };
}

function compare(a: Prefix, b: Prefix): number {
  if (a.start !== b.start) return a.start < b.start ? -1 : 1;
  return a.length - b.length;
}
