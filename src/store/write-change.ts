import type { Change, Owner } from '../config/model.ts';
import type { Pool } from '../config/resources/pool.ts';
import type { Zone } from '../config/resources/zone.ts';
import { type MapName, ROOT_DOCUMENT } from './document.ts';
import type { Documents } from './documents.ts';
import { formatLeaf, parseLeaf, type Stamp, writeCount } from './leaf.ts';
import { poolKeys, poolPart, poolWriteCount } from './pool-leaves.ts';
import { StoreError } from './store-error.ts';
import type { Touched } from './touched.ts';
import { documentForNew, readRRsetLeaf, type ZoneHome } from './zone-leaves.ts';

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
  const previous = parseLeaf(documents.read(ROOT_DOCUMENT, 'zones', key));
  const before = previous?.value as Zone | undefined;
  const ends =
    before !== undefined && (value === undefined || (before.kind === 'rrsets' && value.kind === 'blob'));
  const life = (previous?.life ?? 0) + (ends ? 1 : 0);
  putLeaf(documents, { document: ROOT_DOCUMENT, map: 'zones', key }, { value, owner, life }, stamp);
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
  const home: ZoneHome = { apex, life: leaf.life };
  const document = readRRsetLeaf(documents, home, key)?.document ?? documentForNew(documents, home, key);
  putLeaf(documents, { document, map: 'rrsets', key }, { value, owner }, stamp);
  touched.rrset(apex, key);
}

/** Writes only the parts that differ, so that two nodes' edits of different parts both stay. */
function writePool({ documents, touched }: ChangeTarget, change: ChangeOf<'pools'>, stamp: Stamp): void {
  const { key: pool, value, owner } = change;
  const known = poolKeys(documents.keys(ROOT_DOCUMENT, 'pools')).get(pool) ?? [];
  const leaves = new Map(known.map((key) => [key, parseLeaf(documents.read(ROOT_DOCUMENT, 'pools', key))]));
  const count = 1 + poolWriteCount(leaves);
  for (const [key, part] of poolParts(pool, value, known)) {
    const current = leaves.get(key)?.value;
    // The order of endpoints is written every time: it carries who wrote the pool last.
    const isOrder = key === poolPart(pool, '');
    if (!isOrder && JSON.stringify(part) === JSON.stringify(current)) continue;
    const text = formatLeaf(`pools/${key}`, { value: part, owner, count }, stamp);
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
  if (value === undefined) return new Map([[pool, undefined]]);
  const { endpoints, ...settings } = value;
  const names = endpoints.map(({ name }) => name);
  if (new Set(names).size !== names.length) {
    throw new StoreError('refused', `pools/${pool} names an endpoint twice.`);
  }
  const parts = new Map<string, unknown>(known.map((key) => [key, undefined]));
  for (const endpoint of endpoints) parts.set(poolPart(pool, endpoint.name), endpoint);
  return parts.set(pool, settings).set(poolPart(pool, ''), names);
}

function putLeaf(
  documents: Documents,
  at: { readonly document: string; readonly map: MapName; readonly key: string },
  given: { readonly value: unknown; readonly owner: Owner; readonly life?: number },
  stamp: Stamp,
): void {
  const { document, map, key } = at;
  const current = parseLeaf(documents.read(document, map, key));
  // Deleting what is not there is no write: it would leave a tombstone of nothing.
  if (given.value === undefined && current?.value === undefined) return;
  const count = writeCount(current) + 1;
  documents.write(document, map, key, formatLeaf(`${map}/${key}`, { ...given, count }, stamp));
}
