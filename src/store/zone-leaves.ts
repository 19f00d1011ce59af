import { ROOT_DOCUMENT, zoneDocument, zonePartDocument } from './document.ts';
import type { Documents } from './documents.ts';
import { type Leaf, parseLeaf, writeCount } from './leaf.ts';
import type { LeafSource } from './leaf-source.ts';

/**
 * Where the RRsets of a zone lie. A small zone is one document; what a larger one has beyond that lies in parts, each
 * of which is soon read, changed and written anew:
 *
 *     zone/<life>/<apex>          the first RRsets that the zone got
 *     part/<life>/<n>/<apex>      of the rest, those whose key hashes to n
 *
 * Nodes that write the same new RRset at the same time may put it into different documents. So both places are read,
 * and the leaf with more writes counts, of equal ones that with the greater revision: the same on every node.
 */
export interface ZoneHome {
  readonly apex: string;
  readonly life: number;
}

/** From here on new RRsets go into parts. Deleted ones count: their leaves stay. */
export const MAX_FIRST_RRSETS = 1024;

/** About a thousand RRsets in each at the most that a zone may have. Part of the format: it must not change. */
export const ZONE_PARTS = 128;

/** A leaf and where it lies. */
export interface PlacedLeaf {
  readonly document: string;
  readonly leaf: Leaf;
}

/** The leaf of an RRset; undefined for none. */
export function readRRsetLeaf(documents: LeafSource, home: ZoneHome, key: string): PlacedLeaf | undefined {
  const first = placed(documents, zoneDocument(home.apex, home.life), key);
  const part = partOf(home, key);
  const second = documents.has(part) ? placed(documents, part, key) : undefined;
  if (first === undefined || second === undefined) return first ?? second;
  const more = writeCount(second.leaf) - writeCount(first.leaf);
  return more > 0 || (more === 0 && second.leaf.revision > first.leaf.revision) ? second : first;
}

/** The documents that have a leaf of this RRset, that with the leaf that counts first; two where they met in a merge. */
export function rrsetDocuments(documents: LeafSource, home: ZoneHome, key: string): readonly string[] {
  const counting = readRRsetLeaf(documents, home, key)?.document;
  if (counting === undefined) return [];
  const first = zoneDocument(home.apex, home.life);
  const other = counting === first ? partOf(home, key) : first;
  const isThere = documents.has(other) && placed(documents, other, key) !== undefined;
  return isThere ? [counting, other] : [counting];
}

/** Whether an RRset was written by several without knowledge of each other, or lies in two documents. */
export function isWrittenApart(documents: Documents, home: ZoneHome, key: string): boolean {
  const first = documents.readAll(zoneDocument(home.apex, home.life), 'rrsets', key).length;
  const part = partOf(home, key);
  return first + (documents.has(part) ? documents.readAll(part, 'rrsets', key).length : 0) > 1;
}

/** Where the RRsets of a zone lie as its leaf says now. */
export function zoneHomeOf(documents: LeafSource, apex: string): ZoneHome {
  return { apex, life: parseLeaf(documents.read(ROOT_DOCUMENT, 'zones', apex))?.life ?? 0 };
}

/** The document that a new RRset goes into. */
export function documentForNew(documents: Documents, home: ZoneHome, key: string): string {
  const first = zoneDocument(home.apex, home.life);
  return documents.size(first, 'rrsets') < MAX_FIRST_RRSETS ? first : partOf(home, key);
}

/** Keys of all RRsets of a zone, those of deleted leaves included. */
export function rrsetKeys(documents: LeafSource, home: ZoneHome): ReadonlySet<string> {
  const keys = new Set(documents.keys(zoneDocument(home.apex, home.life), 'rrsets'));
  for (let part = 0; part < ZONE_PARTS; part += 1) {
    const document = zonePartDocument(home.apex, home.life, part);
    if (!documents.has(document)) continue;
    for (const key of documents.keys(document, 'rrsets')) keys.add(key);
  }
  return keys;
}

function placed(documents: LeafSource, document: string, key: string): PlacedLeaf | undefined {
  const leaf = parseLeaf(documents.read(document, 'rrsets', key));
  return leaf === undefined ? undefined : { document, leaf };
}

/** FNV-1a over the key's UTF-16 units, its high half folded into the low one. */
function partOf({ apex, life }: ZoneHome, key: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return zonePartDocument(apex, life, (hash ^ (hash >>> 16)) & (ZONE_PARTS - 1));
}
