import { ROOT_DOCUMENT } from './document.ts';
import { parseLeaf, writeCount } from './leaf.ts';
import type { LeafSource } from './leaf-source.ts';
import type { Touched } from './touched.ts';

/**
 * A zone's serial is how much was ever written to it. It is a function of what is in the documents, so nodes that have
 * exchanged everything have the same, and only grows when documents meet, also when a node has come back with an old
 * backup and catches up:
 *
 *     serial = changes in the documents of its RRsets          those of its ended lives too
 *            + writes of its own leaf
 *            + writes of steered names at and below its apex   deleted ones too, and whichever zone they belong to
 *
 * How many zones there are between must not matter: a zone that comes or goes below would else take writes away.
 */
export interface ZoneSerials {
  /** By apex; exact, while in a SOA stand the lowest 32 bits. */
  readonly serials: ReadonlyMap<string, number>;
  /** Writes of each steered name, by its key, deleted ones included. */
  readonly steeredWrites: ReadonlyMap<string, number>;
  /** Their sums, by apex. */
  readonly steeredSums: ReadonlyMap<string, number>;
}

export const noSerials: ZoneSerials = {
  serials: new Map(),
  steeredWrites: new Map(),
  steeredSums: new Map(),
};

/** Reads again what was touched. */
export function readSerials(
  previous: ZoneSerials,
  touched: Touched,
  documents: LeafSource,
  zones: ReadonlyMap<string, unknown>,
): ZoneSerials {
  const touchedZones = touched.resources.get('zones') ?? new Set();
  const touchedNames = touched.resources.get('steeredNames') ?? new Set();
  const stale = new Set([...touchedZones, ...touched.rrsets.keys()]);
  let { steeredWrites, steeredSums } = previous;
  if (touchedNames.size > 0) {
    const writes = new Map(steeredWrites);
    const sums = new Map(steeredSums);
    for (const name of touchedNames) {
      const now = leafWrites(documents, 'steeredNames', name);
      const more = now - (writes.get(name) ?? 0);
      writes.set(name, now);
      for (const apex of namesAbove(name)) {
        const sum = sums.get(apex);
        if (sum === undefined) continue;
        sums.set(apex, sum + more);
        stale.add(apex);
      }
    }
    steeredWrites = writes;
    steeredSums = sums;
  }
  if (stale.size === 0) return { ...previous, steeredWrites, steeredSums };
  const serials = new Map(previous.serials);
  for (const apex of stale) {
    if (!zones.has(apex)) {
      serials.delete(apex);
      continue;
    }
    let sum = steeredSums.get(apex);
    if (sum === undefined) {
      sum = sumBelow(apex, steeredWrites);
      steeredSums = new Map(steeredSums).set(apex, sum);
    }
    const changes = documents.documentsOf(apex).reduce((all, id) => all + documents.changeCount(id), 0);
    serials.set(apex, changes + leafWrites(documents, 'zones', apex) + sum);
  }
  return { serials, steeredWrites, steeredSums };
}

/** A write over several counts more than all of them (see `write-change.ts`): the sum never shrinks. */
function leafWrites(documents: LeafSource, map: 'zones' | 'steeredNames', key: string): number {
  const leaves = documents.readAll(ROOT_DOCUMENT, map, key).map((text) => parseLeaf(text));
  return leaves.reduce((sum, leaf) => sum + writeCount(leaf), 0);
}

function sumBelow(apex: string, steeredWrites: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const [name, writes] of steeredWrites)
    if (name === apex || apex === '.' || name.endsWith(`.${apex}`)) sum += writes;
  return sum;
}

/** The name itself and all names above it, the root too. An escaped dot gives one more, which is no zone's. */
function namesAbove(name: string): readonly string[] {
  const names = [name];
  for (let dot = name.indexOf('.'); dot >= 0 && dot < name.length - 1; dot = name.indexOf('.', dot + 1))
    names.push(name.slice(dot + 1));
  if (name !== '.') names.push('.');
  return names;
}
