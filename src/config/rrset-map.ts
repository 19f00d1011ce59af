import type { Stored } from './model.ts';
import type { RRset } from './resources/rrset.ts';

/** The RRsets of one zone by `rrsetKey`. */
export type RRsets = ReadonlyMap<string, Stored<RRset>>;

/** Up to here a plain map is copied for each edit; that takes less than the rest of a write. */
export const MAX_PLAIN_RRSETS = 1024;

/** A power of two; at the most RRsets of a zone each shard has 256, of which an edit copies and checks one. */
const SHARDS = 512;

/**
 * The RRsets of a large zone: immutable, and sharing with the map before it all that an edit does not touch, so that
 * an edit costs the same however large the zone is.
 *
 *     shards   by a hash of the owner name
 *              [ { "www.example.org. A", "www.example.org. AAAA" } | { } | { "mail.example.org. A", … } | … ]
 *
 * All RRsets of an owner name lie in one shard. What follows from a shard alone is remembered by its identity.
 */
class ShardedRRsets implements RRsets {
  readonly shards: readonly RRsets[];
  readonly size: number;

  constructor(shards: readonly RRsets[]) {
    this.shards = shards;
    this.size = shards.reduce((sum, shard) => sum + shard.size, 0);
  }

  get(key: string): Stored<RRset> | undefined {
    return this.shards[shardNumberOfKey(key)]?.get(key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  forEach(visit: (value: Stored<RRset>, key: string, map: RRsets) => void): void {
    for (const [key, value] of this) visit(value, key, this);
  }

  *entries(): Generator<[string, Stored<RRset>], undefined> {
    for (const shard of this.shards) yield* shard;
  }

  *keys(): Generator<string, undefined> {
    for (const shard of this.shards) yield* shard.keys();
  }

  *values(): Generator<Stored<RRset>, undefined> {
    for (const shard of this.shards) yield* shard.values();
  }

  [Symbol.iterator](): Generator<[string, Stored<RRset>], undefined> {
    return this.entries();
  }
}

const NO_RRSETS: RRsets = new Map();

/** The parts of a zone that an edit replaces one by one; all RRsets of a name are in one of them. */
export function shardsOf(rrsets: RRsets): readonly RRsets[] {
  return rrsets instanceof ShardedRRsets ? rrsets.shards : [rrsets];
}

/** The part in which all RRsets of an owner name are. */
export function shardOf(rrsets: RRsets, name: string): RRsets {
  if (!(rrsets instanceof ShardedRRsets)) return rrsets;
  return rrsets.shards[shardNumber(name, name.length)] ?? NO_RRSETS;
}

/** The RRsets at some owner names, in presentation form, by name. */
export function rrsetsAt(
  rrsets: RRsets,
  names: Iterable<string>,
): ReadonlyMap<string, readonly Stored<RRset>[]> {
  const found = new Map<string, Stored<RRset>[]>();
  const shards = new Set<RRsets>();
  for (const name of names) {
    found.set(name, []);
    shards.add(shardOf(rrsets, name));
  }
  for (const shard of shards) {
    for (const stored of shard.values()) found.get(stored.value.name)?.push(stored);
  }
  return found;
}

/** Owner names whose RRsets are not the same in both; undefined where that takes as long as reading all of them. */
export function changedOwners(before: RRsets, after: RRsets): ReadonlySet<string> | undefined {
  const old = shardsOf(before);
  const now = shardsOf(after);
  if (old.length !== now.length) return undefined;
  const owners = new Set<string>();
  for (const [i, shard] of now.entries()) {
    const other = old[i] ?? NO_RRSETS;
    if (other === shard) continue;
    for (const [key, stored] of shard) if (other.get(key) !== stored) owners.add(stored.value.name);
    for (const [key, stored] of other) if (!shard.has(key)) owners.add(stored.value.name);
  }
  return owners;
}

/** Gathers edits of a zone's RRsets; the given map stays as it is. */
export class RRsetEdit {
  #shards: RRsets[];
  /** Shards that were copied for this edit and may be changed. */
  readonly #own = new Map<number, Map<string, Stored<RRset>>>();
  readonly #before: RRsets;

  constructor(before: RRsets = NO_RRSETS) {
    this.#before = before;
    this.#shards = [...shardsOf(before)];
  }

  set(key: string, value: Stored<RRset>): void {
    const shard = this.#shardOf(key);
    shard.set(key, value);
    if (this.#shards.length === 1 && shard.size > MAX_PLAIN_RRSETS) this.#split(shard);
  }

  delete(key: string): void {
    this.#shardOf(key).delete(key);
  }

  /** The map after the edits; the same one when there were none. */
  finish(): RRsets {
    if (this.#own.size === 0) return this.#before;
    const [only] = this.#shards;
    return this.#shards.length === 1 && only !== undefined ? only : new ShardedRRsets(this.#shards);
  }

  #shardOf(key: string): Map<string, Stored<RRset>> {
    const number = this.#shards.length === 1 ? 0 : shardNumberOfKey(key);
    let shard = this.#own.get(number);
    if (shard === undefined) {
      shard = new Map(this.#shards[number]);
      this.#own.set(number, shard);
      this.#shards[number] = shard;
    }
    return shard;
  }

  #split(whole: RRsets): void {
    this.#own.clear();
    this.#shards = Array.from({ length: SHARDS }, (_, number) => {
      const shard = new Map<string, Stored<RRset>>();
      this.#own.set(number, shard);
      return shard;
    });
    for (const [key, value] of whole) this.#own.get(shardNumberOfKey(key))?.set(key, value);
  }
}

/** FNV-1a over the owner name, which ends at `end`. */
function shardNumber(text: string, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < end; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 15)) & (SHARDS - 1);
}

/** Of an `rrsetKey`: the name ends at its last space, for spaces in names are escaped. */
function shardNumberOfKey(key: string): number {
  return shardNumber(key, key.lastIndexOf(' '));
}
