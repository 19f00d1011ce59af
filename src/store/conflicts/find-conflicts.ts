import { type Collection, collections } from '../../config/model.ts';
import { ROOT_DOCUMENT } from '../document.ts';
import type { Documents } from '../documents.ts';
import { poolKeys } from '../pool-leaves.ts';
import type { Touched } from '../touched.ts';
import { liveLeaves } from '../write-change.ts';
import { isWrittenApart, rrsetDocuments, rrsetKeys, type ZoneHome, zoneHomeOf } from '../zone-leaves.ts';
import type { Conflict, Conflicts } from './conflict.ts';
import { leafConflict } from './leaf-conflicts.ts';
import { poolConflicts, readPoolLeaves } from './pool-conflicts.ts';
import { zoneConflicts } from './zone-conflicts.ts';

/** Where the RRsets of a zone lie now, and whether they lay there before. */
export interface TouchedHome {
  /** Undefined for a zone that has none. */
  readonly home: ZoneHome | undefined;
  readonly moved: boolean;
}

/** The conflicts after what was touched was read again; the same object when none changed. */
export function findConflicts(
  previous: Conflicts,
  touched: Touched,
  documents: Documents,
  homeOf: (apex: string) => TouchedHome,
): Conflicts {
  const resources = new Map(previous.resources);
  const rrsets = new Map(previous.rrsets);
  let changes = 0;
  const put = <T>(map: Map<string, T>, key: string, found: T | undefined): void => {
    if (found === undefined && !map.has(key)) return;
    changes += 1;
    if (found === undefined) map.delete(key);
    else map.set(key, found);
  };
  const read = resourceReader(documents);
  for (const collection of collections) {
    for (const key of touched.resources.get(collection) ?? []) {
      const found = read(collection, key);
      put(resources, `${collection}/${key}`, found.length === 0 ? undefined : found);
    }
  }
  // Records that come to a zone that has ended are told with the zone.
  for (const apex of touched.rrsets.keys()) {
    const found = zoneConflicts(documents, apex);
    put(resources, `zones/${apex}`, found.length === 0 ? undefined : found);
  }
  for (const apex of new Set([...touched.rrsets.keys(), ...(touched.resources.get('zones') ?? [])])) {
    const found = rrsetConflicts(previous.rrsets.get(apex), apex, touched, documents, homeOf(apex));
    put(rrsets, apex, found.size === 0 ? undefined : found);
  }
  return changes === 0 ? previous : { resources, rrsets };
}

function resourceReader(documents: Documents): (collection: Collection, key: string) => readonly Conflict[] {
  let pools: ReadonlyMap<string, readonly string[]> | undefined;
  return (collection, key) => {
    if (collection === 'zones') return zoneConflicts(documents, key);
    if (collection === 'pools') {
      pools ??= poolKeys(documents.keys(ROOT_DOCUMENT, 'pools'));
      return poolConflicts(key, readPoolLeaves(documents, pools.get(key) ?? []));
    }
    const leaves = liveLeaves(documents, [ROOT_DOCUMENT], { map: collection, key });
    return leafConflict(`${collection}/${key}`, { kind: 'resource', collection, key }, leaves);
  };
}

function rrsetConflicts(
  previous: ReadonlyMap<string, Conflict> | undefined,
  apex: string,
  touched: Touched,
  documents: Documents,
  { home, moved }: TouchedHome,
): ReadonlyMap<string, Conflict> {
  if (home === undefined) return new Map();
  const found = new Map(moved ? [] : previous);
  const keys = moved ? rrsetKeys(documents, home) : (touched.rrsets.get(apex) ?? []);
  for (const key of keys) {
    const conflict = rrsetConflict(documents, home, key);
    if (conflict === undefined) found.delete(key);
    else found.set(key, conflict);
  }
  return found;
}

function rrsetConflict(documents: Documents, home: ZoneHome, key: string): Conflict | undefined {
  if (!isWrittenApart(documents, home, key)) return undefined;
  const { apex } = home;
  const leaves = liveLeaves(documents, rrsetDocuments(documents, home, key), { map: 'rrsets', key });
  return leafConflict(`rrsets/${apex}/${key}`, { kind: 'rrset', zone: apex, key }, leaves)[0];
}

/** A conflict as it is in the documents now; undefined when it is over. */
export function findConflict(documents: Documents, { id, place }: Conflict): Conflict | undefined {
  const read = resourceReader(documents);
  switch (place.kind) {
    case 'rrset': {
      const home = zoneHomeOf(documents, place.zone);
      return rrsetConflict(documents, home, place.key);
    }
    case 'resource':
      return read(place.collection, place.key).find((conflict) => conflict.id === id);
    case 'zone-records':
      return read('zones', place.zone).find((conflict) => conflict.id === id);
    case 'endpoint':
    case 'endpoint-order':
      return read('pools', place.pool).find((conflict) => conflict.id === id);
  }
}
