import type { HashedName } from '../dns/hashed-name.ts';

/**
 * A zone image: one immutable buffer, read as 32-bit words and as octets, in this machine's byte order.
 *
 *     header       ZONE_HEADER_WORDS, see ZONE_…
 *     octets       names and records; behind the apex what the image was made from, see `image-origin.ts`
 *     name table   open addressing, a power of two of pairs [ name hash | node + 1 ], 0 for none
 *     nodes        NODE_WORDS each: apex first, every parent before its children
 *     RRsets       RRSET_WORDS each, those of one node side by side
 *     lists        of each RRset: patches, then pairs for additional data
 *     steered      STEERED_WORDS each
 *     pools        see `steering/pool-image.ts`, shared by the steered names of one pool; and fallback lists
 *
 *     node     octets of its labels, RRsets | its labels | first RRset | wildcard child | zone cut | steered
 *     RRset    type, records | its records | their octets | its list | patches, additional pairs
 *     steered  TTL | answers, all-down | map | pool | fallback list, of pairs [ type | octets ] | pairs in it
 *
 * A node is an owner name or an empty non-terminal; its labels are those below the apex. Because every ancestor up to
 * the apex has a node, "the suffix of n labels exists" turns from true to false once as n grows.
 *
 * Records are kept as they are sent. Where they name the zone, they hold a pointer that a patch finds:
 *
 *     c0 0c | type | class | ttl | rdlength | 3 w w w c? ??     owner: the question, at offset 12
 *                                                    ^ patch: pointer to the apex, which ends the question's name
 *
 * An additional pair is the node of a name in the rdata, and where in the RRset that name stands.
 */
export const ZONE_MAGIC = 0x4d44_5a31;
export const ZONE_HEADER_WORDS = 16;

export const ZONE_APEX = 1;
export const ZONE_APEX_LENGTH = 2;
export const ZONE_APEX_LABELS = 3;
export const ZONE_APEX_HASH = 4;
export const ZONE_TABLE = 5;
export const ZONE_TABLE_MASK = 6;
export const ZONE_NODES = 7;
export const ZONE_NODE_COUNT = 8;
export const ZONE_RRSETS = 9;
export const ZONE_STEERED = 10;
export const ZONE_STEERED_COUNT = 11;
/** RRset number of the SOA as negative answers carry it; -1 for none. */
export const ZONE_NEGATIVE_SOA = 12;
/** Labels below the apex of the deepest node. */
export const ZONE_DEPTH = 13;
export const ZONE_LISTS = 14;
export const ZONE_POOLS = 15;

export const NODE_WORDS = 6;
export const NODE_HEAD = 0;
export const NODE_LABELS = 1;
export const NODE_FIRST_RRSET = 2;
export const NODE_WILDCARD = 3;
export const NODE_CUT = 4;
export const NODE_STEERED = 5;

export const RRSET_WORDS = 5;
const RRSET_HEAD = 0;
const RRSET_OCTETS = 1;
const RRSET_LENGTH = 2;
const RRSET_LIST = 3;
const RRSET_LIST_COUNTS = 4;

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
  readonly nodes: number;
  readonly nodeCount: number;
  readonly rrsets: number;
  readonly lists: number;
  readonly steered: number;
  readonly steeredCount: number;
  readonly pools: number;
  readonly negativeSoa: number;
  readonly depth: number;
}

/** Opens an image that `compileZone` made. Throws on anything else. */
export function openZoneImage(image: SharedArrayBuffer): ZoneImage {
  const words = new Int32Array(image);
  if (words[0] !== ZONE_MAGIC) throw new Error('not a zone image');
  return {
    words,
    octets: new Uint8Array(image),
    apexAt: wordAt(words, ZONE_APEX),
    apexLength: wordAt(words, ZONE_APEX_LENGTH),
    apexLabels: wordAt(words, ZONE_APEX_LABELS),
    apexHash: wordAt(words, ZONE_APEX_HASH),
    table: wordAt(words, ZONE_TABLE),
    tableMask: wordAt(words, ZONE_TABLE_MASK),
    nodes: wordAt(words, ZONE_NODES),
    nodeCount: wordAt(words, ZONE_NODE_COUNT),
    rrsets: wordAt(words, ZONE_RRSETS),
    lists: wordAt(words, ZONE_LISTS),
    steered: wordAt(words, ZONE_STEERED),
    steeredCount: wordAt(words, ZONE_STEERED_COUNT),
    pools: wordAt(words, ZONE_POOLS),
    negativeSoa: wordAt(words, ZONE_NEGATIVE_SOA),
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

/** Octets of the node's labels below the apex: 0 for the apex itself. */
export function nodeNameLength(zone: ZoneImage, node: number): number {
  return wordAt(zone.words, zone.nodes + NODE_WORDS * node + NODE_HEAD) & 0xff;
}

/** Where in the octets the node's labels below the apex stand. */
export function nodeLabels(zone: ZoneImage, node: number): number {
  return wordAt(zone.words, zone.nodes + NODE_WORDS * node + NODE_LABELS);
}

export function nodeRRsetCount(zone: ZoneImage, node: number): number {
  return wordAt(zone.words, zone.nodes + NODE_WORDS * node + NODE_HEAD) >>> 8;
}

export function nodeFirstRRset(zone: ZoneImage, node: number): number {
  return wordAt(zone.words, zone.nodes + NODE_WORDS * node + NODE_FIRST_RRSET);
}

/** The node of `*` right below this one; `NONE` for none. */
export function wildcardBelow(zone: ZoneImage, node: number): number {
  return wordAt(zone.words, zone.nodes + NODE_WORDS * node + NODE_WILDCARD);
}

/** The zone cut at or above the node; `NONE` where the zone's own authority reaches it. */
export function cutAbove(zone: ZoneImage, node: number): number {
  return wordAt(zone.words, zone.nodes + NODE_WORDS * node + NODE_CUT);
}

/** Position in the table of steered names; `NONE` for a node that is not steered. */
export function steeredAt(zone: ZoneImage, node: number): number {
  return wordAt(zone.words, zone.nodes + NODE_WORDS * node + NODE_STEERED);
}

/** The node's RRset of a type; `NONE` for none. */
export function findRRset(zone: ZoneImage, node: number, type: number): number {
  const first = nodeFirstRRset(zone, node);
  const end = first + nodeRRsetCount(zone, node);
  for (let rrset = first; rrset < end; rrset++) if (rrsetType(zone, rrset) === type) return rrset;
  return NONE;
}

export function rrsetType(zone: ZoneImage, rrset: number): number {
  return wordAt(zone.words, zone.rrsets + RRSET_WORDS * rrset + RRSET_HEAD) & 0xffff;
}

export function rrsetRecordCount(zone: ZoneImage, rrset: number): number {
  return wordAt(zone.words, zone.rrsets + RRSET_WORDS * rrset + RRSET_HEAD) >>> 16;
}

/** Where in the octets the RRset's records stand. */
export function rrsetOctets(zone: ZoneImage, rrset: number): number {
  return wordAt(zone.words, zone.rrsets + RRSET_WORDS * rrset + RRSET_OCTETS);
}

/** Octets of all its records. */
export function rrsetLength(zone: ZoneImage, rrset: number): number {
  return wordAt(zone.words, zone.rrsets + RRSET_WORDS * rrset + RRSET_LENGTH);
}

/** Word offset of the RRset's patches: offsets, within its octets, of pointers to the apex. */
export function rrsetPatches(zone: ZoneImage, rrset: number): number {
  return zone.lists + wordAt(zone.words, zone.rrsets + RRSET_WORDS * rrset + RRSET_LIST);
}

export function rrsetPatchCount(zone: ZoneImage, rrset: number): number {
  return wordAt(zone.words, zone.rrsets + RRSET_WORDS * rrset + RRSET_LIST_COUNTS) & 0xffff;
}

export function rrsetAdditionalCount(zone: ZoneImage, rrset: number): number {
  return wordAt(zone.words, zone.rrsets + RRSET_WORDS * rrset + RRSET_LIST_COUNTS) >>> 16;
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
