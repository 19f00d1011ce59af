import type { HashedName } from '../dns/hashed-name.ts';

/**
 * A zone image: one immutable buffer, read as 32-bit words and as octets, in this machine's byte order.
 *
 *     header       see ZONE_…
 *     nodes        NODE_WORDS each, from NODES_AT on: apex first, every parent before its children
 *     octets       the apex, behind it what the image was made from, see `image-origin.ts`; and what nodes cannot hold
 *     name table   open addressing, a power of two of pairs [ name hash | node + 1 ], 0 for none
 *     RRsets       RRSET_WORDS each, those of one node side by side, for nodes with more than one
 *     lists        of some RRsets: their patches and additional pairs; of some nodes: their links
 *     steered      STEERED_WORDS each
 *     pools        see `steering/pool-image.ts`, shared by the steered names of one pool; and fallback lists
 *
 *     node     octets of its labels, RRsets | its labels | its links | RRSET_WORDS | NODE_OCTETS octets
 *     RRset    type, records | its records | their octets | its list
 *     list     patches, additional pairs | patch … | pair …
 *     links    wildcard child | zone cut | steered
 *     steered  TTL | answers, all-down | map | pool | fallback list, of pairs [ type | octets ] | pairs in it
 *
 * A node is an owner name or an empty non-terminal; its labels are those below the apex. Because every ancestor up to
 * the apex has a node, "the suffix of n labels exists" turns from true to false once as n grows.
 *
 * A node is one line of the processor's cache. A name with one RRset, as most are, has that RRset's row in its node,
 * and its labels and records too, as far as there is room: such a query reads one line of the name table and one of
 * the nodes. Of several RRsets a node holds the number of the first.
 *
 *     word  0        1        2       3                                  7
 *           12, 1  | labels | links | A, 1 | records | 16 octets | list | 6 host-1 … | c0 0c …
 *                    |                       |                            ^            ^
 *                    +-----------------------|----------------------------+            |
 *                                            +-----------------------------------------+
 *
 * Records are kept as they are sent. Where they name the zone, they hold a pointer that a patch finds:
 *
 *     c0 0c | type | class | ttl | rdlength | 3 w w w c? ??     owner: the question, at offset 12
 *                                                    ^ patch: pointer to the apex, which ends the question's name
 *
 * An additional pair is the node of a name in the rdata, and where in the RRset that name stands.
 */
export const ZONE_MAGIC = 0x4d44_5a32;

export const ZONE_APEX = 1;
export const ZONE_APEX_LENGTH = 2;
export const ZONE_APEX_LABELS = 3;
export const ZONE_APEX_HASH = 4;
export const ZONE_TABLE = 5;
export const ZONE_TABLE_MASK = 6;
export const ZONE_NODE_COUNT = 7;
export const ZONE_RRSETS = 8;
export const ZONE_STEERED = 9;
export const ZONE_STEERED_COUNT = 10;
/** Number of the SOA as negative answers carry it; -1 for none. */
export const ZONE_NEGATIVE_SOA = 11;
/** Labels below the apex of the deepest node. */
export const ZONE_DEPTH = 12;
export const ZONE_LISTS = 13;
export const ZONE_POOLS = 14;

/**
 * Where the nodes begin. Large buffers begin 16 octets into a page, behind what the allocator notes there: from 48
 * octets beyond a multiple of 64 on, every node is a line of the cache.
 */
export const NODES_AT = 28;

export const NODE_WORDS = 16;
export const NODE_HEAD = 0;
export const NODE_LABELS = 1;
/** Position in the lists; -1 where there are none, as almost everywhere. */
export const NODE_LINKS = 2;
/** The row of a single RRset, or the number of the first of several. */
export const NODE_RRSET = 3;
const NODE_FREE = 7;
/** Octets of labels and records that a node has room for. */
export const NODE_OCTETS = 4 * (NODE_WORDS - NODE_FREE);

export const RRSET_WORDS = 4;
const RRSET_HEAD = 0;
export const RRSET_OCTETS = 1;
const RRSET_LENGTH = 2;
/** Position in the lists; -1 for none. */
const RRSET_LIST = 3;

export const LINK_WORDS = 3;
export const LINK_WILDCARD = 0;
export const LINK_CUT = 1;
export const LINK_STEERED = 2;

export const STEERED_WORDS = 6;
export const STEERED_TTL = 0;
/** Answers in the low octet, all-down code above. */
export const STEERED_CHOICE = 1;
export const STEERED_MAP = 2;
export const STEERED_POOL = 3;
export const STEERED_FALLBACK = 4;
export const STEERED_FALLBACK_COUNT = 5;

/** Where there is no node, RRset, cut, wildcard or steered name. */
export const NONE = -1;

/** The apex is the first node. */
export const APEX_NODE = 0;

/** An opened image; immutable, and shared by all threads. */
export interface ZoneImage {
  readonly words: Int32Array;
  readonly octets: Uint8Array;
  readonly apexAt: number;
  readonly apexLength: number;
  readonly apexLabels: number;
  readonly apexHash: number;
  readonly table: number;
  readonly tableMask: number;
  readonly nodeCount: number;
  readonly rrsets: number;
  readonly lists: number;
  readonly steered: number;
  readonly steeredCount: number;
  readonly pools: number;
  /** The SOA as negative answers carry it. */
  readonly negativeSoa: number;
  readonly depth: number;
}

/** Opens an image that `compileZone` made. Throws on anything else. */
export function openZoneImage(image: SharedArrayBuffer): ZoneImage {
  const words = new Int32Array(image);
  if (words[0] !== ZONE_MAGIC) throw new Error('not a zone image');
  const rrsets = wordAt(words, ZONE_RRSETS);
  const negativeSoa = wordAt(words, ZONE_NEGATIVE_SOA);
  return {
    words,
    octets: new Uint8Array(image),
    apexAt: wordAt(words, ZONE_APEX),
    apexLength: wordAt(words, ZONE_APEX_LENGTH),
    apexLabels: wordAt(words, ZONE_APEX_LABELS),
    apexHash: wordAt(words, ZONE_APEX_HASH),
    table: wordAt(words, ZONE_TABLE),
    tableMask: wordAt(words, ZONE_TABLE_MASK),
    nodeCount: wordAt(words, ZONE_NODE_COUNT),
    rrsets,
    lists: wordAt(words, ZONE_LISTS),
    steered: wordAt(words, ZONE_STEERED),
    steeredCount: wordAt(words, ZONE_STEERED_COUNT),
    pools: wordAt(words, ZONE_POOLS),
    negativeSoa: negativeSoa === NONE ? NONE : rrsets + RRSET_WORDS * negativeSoa,
    depth: wordAt(words, ZONE_DEPTH),
  };
}

/** The node of the suffix of `name` that starts at the given label, which must be in the zone; `NONE` for none. */
export function findNode(zone: ZoneImage, name: HashedName, label: number): number {
  const hash = name.suffixHashes[label] as number;
  const start = name.labelOffsets[label] as number;
  const length = name.length - zone.apexLength - start;
  let slot = hash & zone.tableMask;
  for (;;) {
    const entry = zone.table + 2 * slot;
    const node = wordAt(zone.words, entry + 1) - 1;
    if (node === NONE) return NONE;
    if (wordAt(zone.words, entry) === hash && labelsEqual(zone, node, name, start, length)) return node;
    slot = (slot + 1) & zone.tableMask;
  }
}

function labelsEqual(
  zone: ZoneImage,
  node: number,
  name: HashedName,
  start: number,
  length: number,
): boolean {
  if (nodeNameLength(zone, node) !== length) return false;
  const labels = nodeLabels(zone, node);
  const { octets } = zone;
  for (let i = 0; i < length; i++) if (octets[labels + i] !== name.octets[start + i]) return false;
  return true;
}

/** Word offset of a node. */
export function nodeRow(node: number): number {
  return NODES_AT + NODE_WORDS * node;
}

/** Where in the octets the node has room for its labels and records. */
export function nodeOctets(node: number): number {
  return 4 * (nodeRow(node) + NODE_FREE);
}

/** Octets of the node's labels below the apex: 0 for the apex itself. */
export function nodeNameLength(zone: ZoneImage, node: number): number {
  return wordAt(zone.words, nodeRow(node) + NODE_HEAD) & 0xff;
}

/** Where in the octets the node's labels below the apex stand. */
export function nodeLabels(zone: ZoneImage, node: number): number {
  return wordAt(zone.words, nodeRow(node) + NODE_LABELS);
}

export function nodeRRsetCount(zone: ZoneImage, node: number): number {
  return wordAt(zone.words, nodeRow(node) + NODE_HEAD) >>> 8;
}

/** The first of the node's RRsets; each is RRSET_WORDS behind the one before. */
export function nodeFirstRRset(zone: ZoneImage, node: number): number {
  const own = nodeRow(node) + NODE_RRSET;
  return nodeRRsetCount(zone, node) === 1 ? own : rrsetNumbered(zone, wordAt(zone.words, own));
}

/** The RRset of a number that stands in the image. What stands for an RRset elsewhere is its word offset. */
export function rrsetNumbered(zone: ZoneImage, number: number): number {
  return zone.rrsets + RRSET_WORDS * number;
}

/** The node of `*` right below this one; `NONE` for none. */
export function wildcardBelow(zone: ZoneImage, node: number): number {
  return nodeLink(zone, node, LINK_WILDCARD);
}

/** The zone cut at or above the node; `NONE` where the zone's own authority reaches it. */
export function cutAbove(zone: ZoneImage, node: number): number {
  return nodeLink(zone, node, LINK_CUT);
}

/** Position in the table of steered names; `NONE` for a node that is not steered. */
export function steeredAt(zone: ZoneImage, node: number): number {
  return nodeLink(zone, node, LINK_STEERED);
}

function nodeLink(zone: ZoneImage, node: number, link: number): number {
  const links = wordAt(zone.words, nodeRow(node) + NODE_LINKS);
  return links === NONE ? NONE : wordAt(zone.words, zone.lists + links + link);
}

/** The node's RRset of a type; `NONE` for none. */
export function findRRset(zone: ZoneImage, node: number, type: number): number {
  const first = nodeFirstRRset(zone, node);
  const end = first + RRSET_WORDS * nodeRRsetCount(zone, node);
  for (let rrset = first; rrset < end; rrset += RRSET_WORDS) {
    if (rrsetType(zone, rrset) === type) return rrset;
  }
  return NONE;
}

export function rrsetType(zone: ZoneImage, rrset: number): number {
  return wordAt(zone.words, rrset + RRSET_HEAD) & 0xffff;
}

export function rrsetRecordCount(zone: ZoneImage, rrset: number): number {
  return wordAt(zone.words, rrset + RRSET_HEAD) >>> 16;
}

/** Where in the octets the RRset's records stand. */
export function rrsetOctets(zone: ZoneImage, rrset: number): number {
  return wordAt(zone.words, rrset + RRSET_OCTETS);
}

/** Octets of all its records. */
export function rrsetLength(zone: ZoneImage, rrset: number): number {
  return wordAt(zone.words, rrset + RRSET_LENGTH);
}

/** Word offset of the RRset's patches: offsets, within its octets, of pointers to the apex. */
export function rrsetPatches(zone: ZoneImage, rrset: number): number {
  return zone.lists + wordAt(zone.words, rrset + RRSET_LIST) + 1;
}

export function rrsetPatchCount(zone: ZoneImage, rrset: number): number {
  return listCounts(zone, rrset) & 0xffff;
}

export function rrsetAdditionalCount(zone: ZoneImage, rrset: number): number {
  return listCounts(zone, rrset) >>> 16;
}

function listCounts(zone: ZoneImage, rrset: number): number {
  const list = wordAt(zone.words, rrset + RRSET_LIST);
  return list === NONE ? 0 : wordAt(zone.words, zone.lists + list);
}

/** The node that the RRset's pair for additional data names. */
export function additionalNode(zone: ZoneImage, rrset: number, pair: number): number {
  return wordAt(zone.words, additionalPair(zone, rrset, pair));
}

/** Where that node's name stands in the RRset's octets. */
export function additionalNameOffset(zone: ZoneImage, rrset: number, pair: number): number {
  return wordAt(zone.words, additionalPair(zone, rrset, pair) + 1) >>> 1;
}

/** Whether the name is in-domain glue (RFC 9471 section 2): at or below the RRset's own owner. */
export function additionalIsInDomain(zone: ZoneImage, rrset: number, pair: number): boolean {
  return (wordAt(zone.words, additionalPair(zone, rrset, pair) + 1) & 1) === 1;
}

function additionalPair(zone: ZoneImage, rrset: number, pair: number): number {
  return rrsetPatches(zone, rrset) + rrsetPatchCount(zone, rrset) + 2 * pair;
}

/** TTL in seconds of the RRset: that of its first record. */
export function rrsetTtlSeconds(zone: ZoneImage, rrset: number): number {
  const at = rrsetOctets(zone, rrset) + 6;
  const { octets } = zone;
  return (
    (((octets[at] as number) << 24) |
      ((octets[at + 1] as number) << 16) |
      ((octets[at + 2] as number) << 8) |
      (octets[at + 3] as number)) >>>
    0
  );
}

/** A word of a steered name; `field` is one of STEERED_…. */
export function steeredWord(zone: ZoneImage, steered: number, field: number): number {
  return wordAt(zone.words, zone.steered + STEERED_WORDS * steered + field);
}

function wordAt(words: Int32Array, at: number): number {
  return words[at] as number;
}
