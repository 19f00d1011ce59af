import { ROOT_DOCUMENT } from '../document.ts';
import type { Documents } from '../documents.ts';
import { type Leaf, parseLeaf } from '../leaf.ts';
import { joinPool, poolPart } from '../pool-leaves.ts';
import type { Conflict } from './conflict.ts';
import { conflictValue, differentLeaves, leafConflict } from './leaf-conflicts.ts';

/** The leaves of a pool by key, with all that was written to each; the one that counts first. */
export type PoolLeaves = ReadonlyMap<string, readonly Leaf[]>;

/** Reads the leaves of a pool; `keys` are those of the pool. */
export function readPoolLeaves(documents: Documents, keys: readonly string[]): PoolLeaves {
  return new Map(
    keys.map((key) => [
      key,
      documents.readAll(ROOT_DOCUMENT, 'pools', key).flatMap((text) => parseLeaf(text) ?? []),
    ]),
  );
}

/** What is in conflict of one pool: the pool itself, its endpoints, their order. */
export function poolConflicts(pool: string, leaves: PoolLeaves): readonly Conflict[] {
  const whole = wholeConflict(pool, leaves);
  const isDeleted = leaves.get(pool)?.[0]?.value === undefined;
  if (isDeleted) return whole;
  const endpoints = [...leaves].flatMap(([key, all]) => {
    const endpoint = key.slice(pool.length + 1);
    if (endpoint === '') return [];
    return leafConflict(`pools/${key}`, { kind: 'endpoint', pool, endpoint }, all);
  });
  return [...whole, ...endpoints, ...orderConflict(pool, leaves)];
}

/**
 * The settings alone do not tell that a pool was deleted on one side while an endpoint was edited on the other; the order
 * does, for every write of a pool writes it.
 */
function wholeConflict(pool: string, leaves: PoolLeaves): readonly Conflict[] {
  const place = { kind: 'resource', collection: 'pools', key: pool } as const;
  const settings = differentLeaves(leaves.get(pool) ?? []);
  const order = leaves.get(poolPart(pool, '')) ?? [];
  const deletion = [...settings, ...order].find(({ value }) => value === undefined);
  const isMixed = order.length > 1 && order.some(({ value }) => value === undefined);
  if (settings.length < 2 && !isMixed) return [];
  const edits = settings.filter(({ value }) => value !== undefined);
  // Nobody but the deletion wrote the settings: they are those from before it, and the edit is that of the order.
  const edited = edits.length > 0 ? edits : order.filter(({ value }) => value !== undefined).slice(0, 1);
  const sides = deletion === undefined ? edited : [...edited, deletion];
  if (sides.length < 2) return [];
  const counts = leaves.get(pool)?.[0]?.value === undefined ? deletion : edited[0];
  const values = sides.map((leaf) => {
    const value = leaf === deletion ? undefined : poolOf(pool, leaves, leaf);
    return { ...conflictValue(leaf, leaf === counts ? 'counts' : 'waits'), value };
  });
  return [{ id: `pools/${pool}`, place, values: values.sort((a, b) => Number(b.counts) - Number(a.counts)) }];
}

/** The pool as it is, or would be, with these settings. */
export function poolOf(pool: string, leaves: PoolLeaves, side: Leaf): unknown {
  const settings = leaves.get(pool) ?? [];
  const value = settings.includes(side) ? side.value : settings.find(({ was }) => was !== undefined)?.was;
  const joined = new Map(
    [...leaves].flatMap(([key, [leaf]]) => (leaf === undefined ? [] : [[key, leaf] as const])),
  );
  const order = (leaves.get(poolPart(pool, '')) ?? []).find((leaf) => leaf.value !== undefined);
  if (order !== undefined) joined.set(poolPart(pool, ''), order);
  return joinPool(pool, joined.set(pool, { ...side, value }))?.value;
}

/** Endpoints that were added or removed on several sides are no conflict; those that changed places are. */
function orderConflict(pool: string, leaves: PoolLeaves): readonly Conflict[] {
  const orders = (leaves.get(poolPart(pool, '')) ?? []).filter(({ value }) => Array.isArray(value));
  const [counting, ...others] = orders;
  if (counting === undefined) return [];
  const different = others.filter((other) => !isSameOrder(namesOf(counting), namesOf(other)));
  const id = `pools/${poolPart(pool, '')}`;
  return leafConflict(id, { kind: 'endpoint-order', pool }, [counting, ...different]);
}

function namesOf({ value }: Leaf): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function isSameOrder(one: readonly string[], other: readonly string[]): boolean {
  const [inOne, inOther] = [new Set(one), new Set(other)];
  const common = other.filter((name) => inOne.has(name));
  return one.filter((name) => inOther.has(name)).every((name, index) => name === common[index]);
}
