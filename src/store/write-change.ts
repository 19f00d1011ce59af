import type { Change } from '../config/model.ts';
import type { Pool } from '../config/resources/pool.ts';
import type { Zone } from '../config/resources/zone.ts';
import { type LeafPlace, type MapName, ROOT_DOCUMENT } from './document.ts';
import type { Documents } from './documents.ts';
import { formatLeaf, type Leaf, type LeafContent, parseLeaf, type Stamp, writeCount } from './leaf.ts';
import { poolKeys, poolPart, poolWriteCount } from './pool-leaves.ts';
import { StoreError } from './store-error.ts';
import type { Touched } from './touched.ts';
import { documentForNew, rrsetDocuments, type ZoneHome } from './zone-leaves.ts';
import { endedLives, formatLives, headsOfLife, nextLife, zoneLeaves } from './zone-lives.ts';

/** Where changes go: the documents, and the note of what they touched. */
export interface ChangeTarget {
  readonly documents: Documents;
  readonly touched: Touched;
}

/**
 * Writes the changes of one commit into the documents, unsealed.
 * Zones come first: an RRset may stand before the zone that its commit makes.
 * @throws StoreError `refused`; the caller rolls back.
 */
export function writeChanges(target: ChangeTarget, changes: readonly Change[], stamp: Stamp): void {
  for (const change of changes) if (change.collection === 'zones') writeZone(target, change, stamp);
  for (const change of changes) {
    if (change.collection === 'zones') continue;
    else if (change.collection === 'rrsets') writeRRset(target, change, stamp);
    else if (change.collection === 'pools') writePool(target, change, stamp);
    else writeResource(target, change, stamp);
  }
}

type ChangeOf<C extends Change['collection']> = Extract<Change, { readonly collection: C }>;
type PlainCollection = Exclude<Change['collection'], 'zones' | 'rrsets' | 'pools'>;

function writeResource(
  { documents, touched }: ChangeTarget,
  change: ChangeOf<PlainCollection>,
  stamp: Stamp,
): void {
  const { collection, key, value, owner } = change;
  putLeaf(documents, { document: ROOT_DOCUMENT, map: collection, key }, { value, owner }, stamp);
  touched.resource(collection, key);
}

/**
 * A zone's life ends with its deletion, and when its records move to a blob: the records it had stay in the
 * document of that life, out of sight, and never come back by accident.
 */
function writeZone({ documents, touched }: ChangeTarget, change: ChangeOf<'zones'>, stamp: Stamp): void {
  const { key, value, owner } = change;
  const leaves = zoneLeaves(documents, key);
  const [previous] = leaves;
  const before = previous?.value as Zone | undefined;
  const ends =
    before !== undefined && (value === undefined || (before.kind === 'rrsets' && value.kind === 'blob'));
  const lives = new Map(endedLives(leaves));
  let life = previous?.life ?? 0;
  if (ends) {
    lives.set(life, { was: before, heads: headsOfLife(documents, key, life) });
    life = nextLife(leaves);
  }
  const content = { value, owner, life, lives: formatLives(lives) };
  putLeaf(documents, { document: ROOT_DOCUMENT, map: 'zones', key }, content, stamp);
  touched.resource('zones', key);
}

function writeRRset({ documents, touched }: ChangeTarget, change: ChangeOf<'rrsets'>, stamp: Stamp): void {
  const { zone: apex, key, value, owner } = change;
  const leaf = parseLeaf(documents.read(ROOT_DOCUMENT, 'zones', apex));
  const zone = leaf?.value as Zone | undefined;
  if (leaf === undefined || zone?.kind !== 'rrsets') {
    if (value === undefined) return;
    const why = zone === undefined ? 'there is no such zone' : 'its records come from a zone file';
    throw new StoreError('refused', `${key} cannot be stored in zone ${apex}: ${why}.`);
  }
  putRRsetLeaf(documents, { home: { apex, life: leaf.life }, key }, { value, owner }, stamp);
  touched.rrset(apex, key);
}

/** Writes only the parts that differ, so that two nodes' edits of different parts both stay. */
function writePool({ documents, touched }: ChangeTarget, change: ChangeOf<'pools'>, stamp: Stamp): void {
  const { key: pool, value, owner } = change;
  const known = poolKeys(documents.keys(ROOT_DOCUMENT, 'pools')).get(pool) ?? [];
  const leaves = new Map(known.map((key) => [key, parseLeaf(documents.read(ROOT_DOCUMENT, 'pools', key))]));
  const settings = leaves.get(pool);
  const isConflicted = documents.readAll(ROOT_DOCUMENT, 'pools', pool).length > 1;
  if (value === undefined && settings?.value === undefined && !isConflicted) return;
  const count = 1 + poolWriteCount(leaves);
  for (const [key, part] of poolParts(pool, value, known)) {
    const current = leaves.get(key)?.value;
    // The order of endpoints is written every time: it carries who wrote the pool last. So is a deletion, which must
    // outlive whatever it meets.
    const isWritten = key === poolPart(pool, '') || value === undefined;
    if (!isWritten && JSON.stringify(part) === JSON.stringify(current)) continue;
    // Of the order nothing is kept: a pool without one is no pool.
    const was = key === poolPart(pool, '') ? undefined : (current ?? leaves.get(key)?.was);
    const text = formatLeaf(`pools/${key}`, { value: part, owner, count, was }, stamp);
    documents.write(ROOT_DOCUMENT, 'pools', key, text);
  }
  touched.resource('pools', pool);
}

/** Every part of a pool as it should be, by key; undefined for what should not be. */
function poolParts(
  pool: string,
  value: Pool | undefined,
  known: readonly string[],
): ReadonlyMap<string, unknown> {
  // A deleted pool keeps its endpoints in hiding; the write that revives it clears away those it does not name.
  if (value === undefined) {
    return new Map([
      [pool, undefined],
      [poolPart(pool, ''), undefined],
    ]);
  }
  const { endpoints, ...settings } = value;
  const names = endpoints.map(({ name }) => name);
  if (new Set(names).size !== names.length) {
    throw new StoreError('refused', `pools/${pool} names an endpoint twice.`);
  }
  const parts = new Map<string, unknown>(known.map((key) => [key, undefined]));
  for (const endpoint of endpoints) parts.set(poolPart(pool, endpoint.name), endpoint);
  return parts.set(pool, settings).set(poolPart(pool, ''), names);
}

/** Where a leaf that lies in one document stands. */
interface LeafAddress {
  readonly document: string;
  readonly map: MapName;
  readonly key: string;
}

/** Deleting what is not there is no write: it would leave a mark of nothing. */
function putLeaf(documents: Documents, at: LeafAddress, content: LeafContent, stamp: Stamp): void {
  if (content.value === undefined && isNowhere(liveLeaves(documents, [at.document], at))) return;
  overwriteLeaf(documents, at, content, stamp);
}

/** Writes a leaf in the place of all that it says. */
export function overwriteLeaf(
  documents: Documents,
  at: LeafAddress,
  content: LeafContent,
  stamp: Stamp,
): void {
  overwrite(documents, [at.document], at, { content, stamp });
}

/** Where an RRset stands. */
interface RRsetAddress {
  readonly home: ZoneHome;
  readonly key: string;
}

function putRRsetLeaf(documents: Documents, at: RRsetAddress, content: LeafContent, stamp: Stamp): void {
  const known = rrsetDocuments(documents, at.home, at.key);
  if (
    content.value === undefined &&
    isNowhere(liveLeaves(documents, known, { map: 'rrsets', key: at.key }))
  ) {
    return;
  }
  overwriteRRset(documents, at, content, stamp);
}

/** Writes to both documents where an RRset has come to lie in two: that settles which counts. */
export function overwriteRRset(
  documents: Documents,
  { home, key }: RRsetAddress,
  content: LeafContent,
  stamp: Stamp,
): void {
  const known = rrsetDocuments(documents, home, key);
  const targets = known.length > 0 ? known : [documentForNew(documents, home, key)];
  overwrite(documents, targets, { map: 'rrsets', key }, { content, stamp });
}

/** All that was written to a leaf without knowledge of each other. */
export function liveLeaves(
  documents: Documents,
  ids: readonly string[],
  { map, key }: LeafPlace,
): readonly Leaf[] {
  return ids.flatMap((id) => documents.readAll(id, map, key).flatMap((text) => parseLeaf(text) ?? []));
}

function isNowhere(leaves: readonly Leaf[]): boolean {
  return leaves.every(({ value }) => value === undefined);
}

/** Beyond this a count no longer adds up: two nodes that write a leaf apart again and again double it each time. */
const MAX_SUM_OF_WRITES = 1_048_576;

/**
 * What a write over these leaves has to count from. Their sum: it is what a zone's serial has counted of them, and must
 * not go back (`zone-serials.ts`).
 */
function countOver(leaves: readonly Leaf[]): number {
  const counts = leaves.map(writeCount);
  const sum = counts.reduce((all, count) => all + count, 0);
  return sum <= MAX_SUM_OF_WRITES ? sum : Math.max(0, ...counts);
}

function overwrite(
  documents: Documents,
  ids: readonly string[],
  place: LeafPlace,
  { content, stamp }: { readonly content: LeafContent; readonly stamp: Stamp },
): void {
  const { map, key } = place;
  const counts = ids.map((id) => countOver(liveLeaves(documents, [id], place)));
  const count = 1 + Math.max(0, ...counts);
  const text = formatLeaf(`${map}/${key}`, { ...content, count }, stamp);
  for (const id of ids) documents.write(id, map, key, text);
}
