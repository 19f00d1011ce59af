import { createHash } from 'node:crypto';
import type { Stored } from '../config/model.ts';
import type { Endpoint, Pool } from '../config/resources/pool.ts';
import { attributionOf, type Leaf, writeCount } from './leaf.ts';

/** The key of one part of a pool: an endpoint's name, or '' for the order of the endpoints. */
export function poolPart(pool: string, endpoint: string): string {
  return `${pool}/${endpoint}`;
}

/** The keys of the `pools` map by pool; names of pools and endpoints have no slash. */
export function poolKeys(keys: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const grouped = new Map<string, string[]>();
  for (const key of keys) {
    const [pool = ''] = key.split('/', 1);
    const group = grouped.get(pool);
    if (group === undefined) grouped.set(pool, [key]);
    else group.push(key);
  }
  return grouped;
}

/** Octets of the sum that makes a pool's revision, in hex digits. */
const REVISION_SUM_LENGTH = 16;

/**
 * Joins a pool's leaves. Endpoints that the order does not name (two nodes added some apart, and one order won)
 * stand at the end by name. The revision covers every leaf, so that a merge changes it too.
 */
export function joinPool(pool: string, leaves: ReadonlyMap<string, Leaf>): Stored<Pool> | undefined {
  const settings = leaves.get(pool);
  if (settings?.value === undefined) return undefined;
  const orderLeaf = leaves.get(poolPart(pool, ''));
  const order = Array.isArray(orderLeaf?.value) ? orderLeaf.value.map(String) : [];
  const endpoints = new Map<string, Endpoint>();
  for (const [key, leaf] of [...leaves].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const name = key.slice(pool.length + 1);
    if (name !== '' && leaf.value !== undefined) endpoints.set(name, leaf.value as Endpoint);
  }
  // Two nodes have each removed what the other kept. Neither meant a pool without endpoints, which answers nothing: those
  // that the order names stay as they were, and the order is a conflict.
  if (endpoints.size === 0) {
    for (const name of order) {
      const was = leaves.get(poolPart(pool, name))?.was;
      if (was !== undefined) endpoints.set(name, was as Endpoint);
    }
  }
  const ordered = [...new Set([...order, ...endpoints.keys()])].flatMap((name) => endpoints.get(name) ?? []);
  const value = { ...(settings.value as Omit<Pool, 'endpoints'>), endpoints: ordered };
  return { value, revision: joinRevisions(leaves), ...attributionOf(orderLeaf ?? settings) };
}

/** Writes that the pool has seen; every write counts in each leaf that it touches. */
export function poolWriteCount(leaves: ReadonlyMap<string, Leaf | undefined>): number {
  let most = 0;
  // No spread into Math.max: every endpoint that a pool ever had leaves a leaf, and arguments are few.
  for (const leaf of leaves.values()) most = Math.max(most, writeCount(leaf));
  return most;
}

function joinRevisions(leaves: ReadonlyMap<string, Leaf>): string {
  const sum = createHash('sha256');
  for (const [key, leaf] of [...leaves].sort(([a], [b]) => (a < b ? -1 : 1)))
    sum.update(`${key} ${leaf.revision}\n`);
  return `${poolWriteCount(leaves)}-${sum.digest('hex').slice(0, REVISION_SUM_LENGTH)}`;
}
