import type { Change } from '../../config/model.ts';
import type { Pool } from '../../config/resources/pool.ts';
import type { Zone } from '../../config/resources/zone.ts';
import { ROOT_DOCUMENT } from '../document.ts';
import type { Documents } from '../documents.ts';
import type { Leaf, LeafContent, Stamp } from '../leaf.ts';
import { poolPart } from '../pool-leaves.ts';
import { StoreError } from '../store-error.ts';
import { type ChangeTarget, liveLeaves, overwriteLeaf, overwriteRRset } from '../write-change.ts';
import { zoneHomeOf } from '../zone-leaves.ts';
import { endedLives, formatLives, headsOfLife, nextLife, zoneLeaves } from '../zone-lives.ts';
import type { Conflict, ConflictPlace, ConflictValue } from './conflict.ts';
import { findConflict } from './find-conflicts.ts';
import { lifeChoice } from './zone-conflicts.ts';

/**
 * Writes the chosen value over all that were in conflict, as they are now.
 * @throws StoreError `refused` when the conflict is over, or has no such value any more.
 */
export function writeChoice(target: ChangeTarget, conflict: Conflict, choice: string, stamp: Stamp): void {
  const { documents, touched } = target;
  const now = findConflict(documents, conflict);
  const chosen = now?.values.find((value) => value.choice === choice);
  if (now === undefined || chosen === undefined) {
    throw new StoreError(
      'refused',
      `${conflict.id} has no choice ${choice} any more; look at the conflict again.`,
    );
  }
  const { place } = now;
  if (place.kind === 'rrset') {
    const home = zoneHomeOf(documents, place.zone);
    overwriteRRset(documents, { home, key: place.key }, contentOf(chosen), stamp);
    touched.rrset(place.zone, place.key);
    return;
  }
  for (const [key, content] of rootWrites(documents, place, chosen)) {
    const map =
      place.kind === 'resource' ? place.collection : place.kind === 'zone-records' ? 'zones' : 'pools';
    overwriteLeaf(documents, { document: ROOT_DOCUMENT, map, key }, content, stamp);
    touched.leaf(ROOT_DOCUMENT, map, key);
  }
}

/** What the leaves of the root document are to say, by key. */
function rootWrites(
  documents: Documents,
  place: Exclude<ConflictPlace, { readonly kind: 'rrset' }>,
  chosen: ConflictValue,
): readonly (readonly [string, LeafContent])[] {
  switch (place.kind) {
    case 'endpoint':
      return [[poolPart(place.pool, place.endpoint), contentOf(chosen)]];
    case 'endpoint-order':
      return [[poolPart(place.pool, ''), contentOf(chosen)]];
    case 'zone-records':
      return [[place.zone, zoneContent(documents, place.zone, chosen)]];
    case 'resource':
      if (place.collection === 'zones') return [[place.key, zoneContent(documents, place.key, chosen)]];
      return place.collection === 'pools'
        ? poolWrites(documents, place.key, chosen)
        : [[place.key, contentOf(chosen)]];
  }
}

function contentOf({ value, owner }: ConflictValue): LeafContent {
  return { value, owner };
}

function poolWrites(
  documents: Documents,
  pool: string,
  chosen: ConflictValue,
): readonly (readonly [string, LeafContent])[] {
  const { value, owner } = chosen;
  if (value === undefined) {
    const leaves = liveLeaves(documents, [ROOT_DOCUMENT], { map: 'pools', key: pool });
    const was = leaves.map((leaf) => leaf.value ?? leaf.was).find((known) => known !== undefined);
    return [
      [pool, { value, owner, was }],
      [poolPart(pool, ''), { value, owner }],
    ];
  }
  const { endpoints, ...settings } = value as Pool;
  return [
    [pool, { value: settings, owner }],
    [poolPart(pool, ''), { value: endpoints.map(({ name }) => name), owner }],
  ];
}

/** The life that the choice stands for goes on, and all others have ended with what is known of them now. */
function zoneContent(documents: Documents, apex: string, chosen: ConflictValue): LeafContent {
  const leaves = zoneLeaves(documents, apex);
  const ended = endedLives(leaves);
  const leaf = leaves.find(({ revision }) => revision === chosen.choice);
  const revived = [...ended.keys()].find((life) => lifeChoice(life) === chosen.choice);
  const value = (leaf === undefined ? chosen.value : leaf.value) as Zone | undefined;
  const life = value === undefined ? nextLife(leaves) : (leaf?.life ?? revived ?? 0);
  const lives = new Map(ended);
  for (const [other, was] of [
    ...livesOf(leaves),
    ...[...ended].map(([key, one]) => [key, one.was] as const),
  ]) {
    lives.set(other, { was, heads: headsOfLife(documents, apex, other) });
  }
  lives.delete(life);
  return { value, owner: chosen.owner, life, lives: formatLives(lives) };
}

function livesOf(leaves: readonly Leaf[]): readonly (readonly [number, Zone])[] {
  return leaves.flatMap(({ life, value }) => (value === undefined ? [] : [[life, value as Zone] as const]));
}

/** The change that a choice amounts to, for whoever checks what configuration would come out. */
export function changesOfChoice(
  config: { readonly pools: ReadonlyMap<string, { readonly value: Pool }> },
  { place }: Conflict,
  { value, owner }: ConflictValue,
): readonly Change[] {
  switch (place.kind) {
    case 'resource':
      return [{ collection: place.collection, key: place.key, owner, value } as Change];
    case 'zone-records':
      return [{ collection: 'zones', key: place.zone, owner, value } as Change];
    case 'rrset':
      return [{ collection: 'rrsets', zone: place.zone, key: place.key, owner, value } as Change];
    case 'endpoint':
    case 'endpoint-order': {
      const pool = config.pools.get(place.pool)?.value;
      if (pool === undefined) return [];
      const endpoints =
        place.kind === 'endpoint' ? withEndpoint(pool, place.endpoint, value) : inOrder(pool, value);
      return [{ collection: 'pools', key: place.pool, owner, value: { ...pool, endpoints } }];
    }
  }
}

function withEndpoint(pool: Pool, name: string, value: unknown): Pool['endpoints'] {
  const chosen = value as Pool['endpoints'][number] | undefined;
  const isThere = pool.endpoints.some((endpoint) => endpoint.name === name);
  if (!isThere) return chosen === undefined ? pool.endpoints : [...pool.endpoints, chosen];
  return pool.endpoints.flatMap((endpoint) => (endpoint.name === name ? (chosen ?? []) : endpoint));
}

function inOrder(pool: Pool, names: unknown): Pool['endpoints'] {
  const order = Array.isArray(names) ? names.map(String) : [];
  const place = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
  return [...pool.endpoints].sort((a, b) => place(a.name) - place(b.name));
}
