import type { Authorship, Owner, Stored } from '../config/model.ts';
import { StoreError } from './store-error.ts';

/**
 * A leaf: the smallest thing that two nodes can both write. It lies in a document as one immutable string of
 * JSON, value and authorship together, so that whichever of two concurrent writes wins, value and author belong
 * to each other, and so that the losing one still says whose it was.
 *
 *     { "value": {...}, "owner": {...}, "author": "...", "reason": "...", "updatedAt": "...", "revision": "7-3fa9c2d1" }
 *     { "deleted": true, "owner": ..., ... }          a deletion: reads skip it, a later write revives the leaf
 *
 * `revision` is the count of writes and a tag of who wrote: it differs after every write, on every node.
 * `life`, on zones only, numbers the zone's successive documents (see `zone-lives.ts`, also for `lives`).
 * `was`, on deletions of a pool's settings and endpoints and of zones, is the value before, for whoever takes the deletion back.
 */
export interface Leaf {
  /** Undefined when deleted. */
  readonly value: unknown;
  readonly owner: Owner;
  readonly author: string;
  readonly reason: string;
  readonly updatedAt: string;
  /** The node that wrote it; '' when it had no name. */
  readonly node: string;
  readonly revision: string;
  readonly life: number;
  /** Whatever was written; `zone-lives.ts` reads it. */
  readonly lives: unknown;
  /** Undefined where it is not kept. */
  readonly was: unknown;
}

/** Who writes, why, when and where; the same for all leaves of a commit. */
export interface Stamp extends Authorship {
  /** RFC 3339, UTC. */
  readonly updatedAt: string;
  /** This node's name, for people; '' for none. */
  readonly node: string;
  /** Tells this writer's revisions from those of all others. */
  readonly writerTag: string;
}

/**
 * Longest leaf, in UTF-16 units. The records of an RRset fit one 64 KiB message; as text with every octet
 * escaped, and with room to spare, that stays below.
 */
export const MAX_LEAF_LENGTH = 1_048_576;

/** Reads a leaf; undefined for none, and for one that is no leaf (a peer may be newer or broken). */
export function parseLeaf(text: string | undefined): Leaf | undefined {
  if (text === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof json !== 'object' || json === null) return undefined;
  const { value, deleted, owner, author, reason, updatedAt, node, revision, life, lives, was } =
    json as Partial<Leaf & { deleted: true }>;
  if (typeof revision !== 'string' || typeof owner !== 'object' || owner === null) return undefined;
  return {
    value: deleted === true ? undefined : value,
    owner,
    author: author ?? '',
    reason: reason ?? '',
    updatedAt: updatedAt ?? '',
    node: node ?? '',
    revision,
    life: typeof life === 'number' && Number.isSafeInteger(life) && life > 0 ? life : 0,
    lives,
    was,
  };
}

/** What a leaf says beside who wrote it; `value: undefined` is a deletion. */
export interface LeafContent {
  readonly value: unknown;
  readonly owner: Owner;
  readonly life?: number;
  readonly lives?: unknown;
  readonly was?: unknown;
}

/**
 * Writes a leaf; `count` is how many writes there were with this one.
 * @throws StoreError `refused` when it would be longer than MAX_LEAF_LENGTH.
 */
export function formatLeaf(
  path: string,
  given: LeafContent & { readonly count: number },
  stamp: Stamp,
): string {
  const text = JSON.stringify({
    ...(given.value === undefined ? { deleted: true } : { value: given.value }),
    owner: given.owner,
    author: stamp.author,
    reason: stamp.reason,
    updatedAt: stamp.updatedAt,
    ...(stamp.node === '' ? {} : { node: stamp.node }),
    revision: `${given.count}-${stamp.writerTag}`,
    ...(given.life === undefined || given.life === 0 ? {} : { life: given.life }),
    ...(given.lives === undefined ? {} : { lives: given.lives }),
    ...(given.value !== undefined || given.was === undefined ? {} : { was: given.was }),
  });
  if (text.length > MAX_LEAF_LENGTH) {
    throw new StoreError(
      'refused',
      `${path} is too large: ${text.length} characters, and ${MAX_LEAF_LENGTH} can be stored.`,
    );
  }
  return text;
}

/** How many writes a leaf has seen; 0 for none. */
export function writeCount(leaf: Leaf | undefined): number {
  const count = Number.parseInt(leaf?.revision ?? '', 10);
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}

/** The resource in a leaf that holds all of it; undefined when absent or deleted. */
export function storedOf<T>(leaf: Leaf | undefined): Stored<T> | undefined {
  if (leaf?.value === undefined) return undefined;
  // What lies in the store was checked by the contract before it was committed, here or on a peer.
  return { value: leaf.value as T, revision: leaf.revision, ...attributionOf(leaf) };
}

/** Whose a leaf is and who wrote it. */
export function attributionOf({
  owner,
  author,
  reason,
  updatedAt,
  node,
}: Leaf): Omit<Stored<unknown>, 'value' | 'revision'> {
  return { owner, author, reason, updatedAt, ...(node === '' ? {} : { node }) };
}
