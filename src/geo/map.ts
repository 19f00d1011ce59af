/**
 * A map: address prefix -> program, collapsed to the widest prefixes for which that program holds.
 * One immutable image of 32-bit words, in this machine's byte order, shared by all threads.
 *
 *     word 0  MAP_MAGIC
 *          1  IPv4 root: word offset     2  IPv4 root shift: 0, or 16 for a root of a single entry
 *          3  IPv6 root: word offset     4  IPv6 root shift
 *          5  program table: word offset 6  number of programs
 *          7  highest data center number + 1
 *          8  draw marks that one run of a program needs at most
 *          9  program table and code (see `steering/run-program.ts`), then tries
 *
 *     the trie of one family: a root over the first 16 bits, then nodes of 16 entries over 4 bits each
 *
 *     root  [ 2^16 entries, by octets 0 and 1 ]
 *               |                  |
 *             leaf                node  [ 16 entries, by the high half of octet 2 ]
 *                                          |                 |
 *                                        leaf               node  [ 16 entries, by its low half ] ...
 *
 *     entry >= 0   leaf: program << 8 | prefix length
 *     entry <  0   node: ~entry is its word offset
 *
 * A leaf's prefix length is that of the widest prefix around the address on which the program is the same, which
 * is the ECS scope; it may be shorter than the depth of the entry, and then several entries hold the same leaf.
 * A family that has one program for everybody has a root of one entry, with prefix length 0.
 */
export const MAP_MAGIC = 0x4d44_4d31;

export const MAP_V4_ROOT = 1;
export const MAP_V4_ROOT_SHIFT = 2;
export const MAP_V6_ROOT = 3;
export const MAP_V6_ROOT_SHIFT = 4;
export const MAP_PROGRAM_TABLE = 5;
export const MAP_PROGRAM_COUNT = 6;
export const MAP_DATA_CENTER_COUNT = 7;
export const MAP_DRAW_MARKS = 8;
export const MAP_HEADER_WORDS = 9;

/** Bits that the root of a trie resolves. */
export const MAP_ROOT_BITS = 16;
/** Bits that each further node resolves; 4 keeps a node within one cache line. */
export const MAP_NODE_BITS = 4;

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
  let entry = words[root + (((octetAt(address, 0) << 8) | octetAt(address, 1)) >>> rootShift)] as number;
  for (let at = 2; entry < 0 && at < addressLength; at++) {
    const octet = octetAt(address, at);
    entry = words[~entry + (octet >>> MAP_NODE_BITS)] as number;
    if (entry < 0) entry = words[~entry + (octet & 15)] as number;
  }
  return entry;
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
