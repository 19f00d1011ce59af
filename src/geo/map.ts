/**
 * A map: address prefix -> program, collapsed to the widest prefixes for which that program holds.
 * One immutable image of 32-bit words, in this machine's byte order, shared by all threads.
 *
 *     word 0  MAP_MAGIC
 *          1  IPv4 root: word offset     2  IPv4 root shift: the root resolves 18 bits less these
 *          3  IPv6 root: word offset     4  IPv6 root shift
 *          5  program table: word offset 6  number of programs
 *          7  highest data center number + 1
 *          8  draw marks that one run of a program needs at most
 *          9  nodes of both tries, both roots, program table and code (see `steering/run-program.ts`)
 *
 *     the trie of one family: a root by the first 18 bits, then nodes of 64 slots by 6 bits each
 *
 *     root  [ 2^18 entries ]      fewer in a small map: 2^12, 2^6 or a single one
 *               |        |
 *             leaf      node   the upper half's runs go backwards from the middle, the lower half's forwards:
 *
 *                       ... [ run 2 of 32-63 ][ run 1 ][ starts 32-63 ][ starts 0-31 ][ run 1 of 0-31 ][ run 2 ] ...
 *                                                      ^ a node's word offset              |               |
 *                                                                                       program         node ...
 *
 *     slots      0 1 2 3 4 5 6 7 8 9 ...        a run is neighbouring slots of one program in one half; a slot that
 *     runs       a a a b b b b N N c ...        goes on in a node is a run of its own
 *     starts     1 0 0 1 0 0 0 1 1 1 ...        bit 0 is the half's first slot, which always starts a run; the run
 *                                               of a slot is the count of starts up to it
 *
 *     leaf       program << 8 | prefix length
 *     run        a program's number, or ~word offset of a node, which is negative
 *
 * The prefix length of a result is that of the widest prefix around the address on which the program is the same,
 * which is the ECS scope. In a node it follows from where the run begins and ends, and no such prefix is wider than
 * a half, or it would have been a run of the node above. So a node says nothing of its depth, and equal parts of the
 * address space share one. A family that has one program for everybody has a root of one entry, with prefix length 0.
 * Slots past the last bit of an address count as if further bits were zero.
 */
export const MAP_MAGIC = 0x4d44_4d32;

export const MAP_V4_ROOT = 1;
export const MAP_V4_ROOT_SHIFT = 2;
export const MAP_V6_ROOT = 3;
export const MAP_V6_ROOT_SHIFT = 4;
export const MAP_PROGRAM_TABLE = 5;
export const MAP_PROGRAM_COUNT = 6;
export const MAP_DATA_CENTER_COUNT = 7;
export const MAP_DRAW_MARKS = 8;
export const MAP_HEADER_WORDS = 9;

/**
 * Bits that the root of a trie resolves at most: 18 put the end of the first node at /24 and that of the fifth at
 * /48, where most ranges end, and a root of 1 MB is still small beside the map of a city table.
 */
export const MAP_ROOT_BITS = 18;
/** Bits that each further node resolves: a node of 64 slots and some ten runs still lies in one or two cache lines. */
export const MAP_NODE_BITS = 6;
/** Bits within one half of a node. */
export const MAP_HALF_BITS = 5;

/** Programs are numbered below this: a leaf keeps 8 bits for the prefix length and stays non-negative. */
export const MAX_MAP_PROGRAMS = 2 ** 23;

/** An opened image. The marks are scratch of the thread that opened it. */
export interface GeoMap {
  readonly words: Int32Array;
  readonly v4Root: number;
  readonly v4RootShift: number;
  readonly v6Root: number;
  readonly v6RootShift: number;
  readonly programTable: number;
  readonly programCount: number;
  /** By data center number: the number of the run that last wrote it. */
  readonly seen: Uint32Array;
  /** Choices already drawn, one per choice of every weighted part that is being run. */
  readonly drawn: Uint8Array;
  /** Number of the latest run; counts up, so that `seen` needs no clearing. */
  run: number;
}

/** Opens an image that `compileMap` made. Throws on anything else. */
export function openMap(image: SharedArrayBuffer): GeoMap {
  const words = new Int32Array(image);
  if (words[0] !== MAP_MAGIC) throw new Error('not a map image');
  return {
    words,
    v4Root: wordAt(words, MAP_V4_ROOT),
    v4RootShift: wordAt(words, MAP_V4_ROOT_SHIFT),
    v6Root: wordAt(words, MAP_V6_ROOT),
    v6RootShift: wordAt(words, MAP_V6_ROOT_SHIFT),
    programTable: wordAt(words, MAP_PROGRAM_TABLE),
    programCount: wordAt(words, MAP_PROGRAM_COUNT),
    seen: new Uint32Array(wordAt(words, MAP_DATA_CENTER_COUNT)),
    drawn: new Uint8Array(wordAt(words, MAP_DRAW_MARKS)),
    run: 0,
  };
}

/**
 * Finds the leaf of an address: 4 octets for family 4, 16 for family 6, in network order; further octets are not
 * read. Allocates nothing. An IPv4-mapped IPv6 address is the caller's matter.
 */
export function locate(map: GeoMap, family: 4 | 6, address: Uint8Array): number {
  return family === 4
    ? descend(map.words, map.v4Root, map.v4RootShift, address, 4)
    : descend(map.words, map.v6Root, map.v6RootShift, address, 16);
}

function descend(
  words: Int32Array,
  root: number,
  rootShift: number,
  address: Uint8Array,
  addressLength: number,
): number {
  const first = (octetAt(address, 0) << 10) | (octetAt(address, 1) << 2) | (octetAt(address, 2) >>> 6);
  let entry = words[root + (first >>> rootShift)] as number;
  if (entry >= 0) return entry;
  for (let depth = MAP_ROOT_BITS - rootShift; depth < addressLength * 8; depth += MAP_NODE_BITS) {
    const slot = slotAt(address, depth, addressLength);
    const half = slot >>> MAP_HALF_BITS;
    const startsAt = ~entry + 1 - half;
    const starts = words[startsAt] as number;
    const run = startsUpTo(starts, slot);
    entry = words[half === 0 ? startsAt + run : startsAt - run] as number;
    if (entry >= 0) return (entry << 8) | (depth + MAP_NODE_BITS - freeBits(starts, slot & 31));
  }
  return entry;
}

/** The 6 bits of an address from bit `depth` on, which is even; zeros past its end. */
function slotAt(address: Uint8Array, depth: number, addressLength: number): number {
  const at = depth >>> 3;
  const next = at + 1 < addressLength ? octetAt(address, at + 1) : 0;
  return (((octetAt(address, at) << 8) | next) >>> (10 - (depth & 7))) & 63;
}

/**
 * How many runs of a half start at or before a slot: bits counted by pairs, nibbles and octets. The slot may count
 * from the node's start: a shift takes its lowest 5 bits.
 */
function startsUpTo(starts: number, slot: number): number {
  const counted = starts & ((2 << slot) - 1);
  const pairs = counted - ((counted >>> 1) & 0x5555_5555);
  const nibbles = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/**
 * Bits of a slot that are free in the widest prefix that lies in the slot's run: such a prefix holds neither the
 * slot before the run nor the one behind it, so it ends below the highest bit in which the slot differs from them.
 * Where there is none in this half, -1 stands for it, which differs in the sign.
 */
function freeBits(starts: number, slot: number): number {
  const upTo = (2 << slot) - 1;
  const before = 30 - Math.clz32(starts & upTo);
  const later = starts & ~upTo;
  const behind = 31 - Math.clz32(later & -later);
  const differs = 31 - Math.max(Math.clz32(slot ^ before), Math.clz32(slot ^ behind));
  return Math.min(differs, MAP_HALF_BITS);
}

/** The program number of a leaf. */
export function programOf(leaf: number): number {
  return leaf >>> 8;
}

/** The prefix length of a leaf: 0 to 32 for family 4, 0 to 128 for family 6. */
export function prefixLengthOf(leaf: number): number {
  return leaf & 0xff;
}

function octetAt(octets: Uint8Array, at: number): number {
  return octets[at] as number;
}

function wordAt(words: Int32Array, at: number): number {
  return words[at] as number;
}
