import { createHash } from 'node:crypto';
import * as automerge from '@automerge/automerge';
import type { Collection } from '../config/model.ts';
import { reasonOf } from '../config/problem.ts';
import { StoreError } from './store-error.ts';

/**
 * One Automerge document. There are two shapes; every leaf is a string of JSON (`leaf.ts`):
 *
 *     root
 *     ├── dataCenters    "fra"               -> leaf
 *     ├── pools          "web"               -> leaf: settings (all but the endpoints), or the pool's deletion
 *     │                  "web/"              -> leaf: names of the endpoints in order; written with every write
 *     │                  "web/fra-v4"        -> leaf: one endpoint, or its removal
 *     ├── monitors       "http"              -> leaf
 *     ├── policies       "nearest"           -> leaf
 *     ├── zones          "example.org."      -> leaf, with `life`
 *     ├── steeredNames   "www.example.org."  -> leaf
 *     ├── overrides      "fra-drain"         -> leaf
 *     ├── maintenanceWindows "fra-sundays"   -> leaf
 *     ├── alertChannels  "on-call"           -> leaf
 *     ├── nodes          "fra-1"             -> leaf
 *     ├── invitations    "4f0c…"             -> leaf
 *     └── removals       "4f0c…"             -> leaf
 *
 *     zone/<life>/<apex>                        one for each life of each zone
 *     part/<life>/<n>/<apex>                    more of a large one, see zone-leaves.ts
 *     └── rrsets         "www.example.org. A" -> leaf
 *
 * The maps are flat on purpose. An object inside a map gets the identity of the change that made it, so when two
 * nodes create the same pool apart, one of the two objects would hide the other with all that is in it. Keys have
 * no such identity: leaf by leaf, both sides meet.
 *
 * For the same reason the empty maps themselves come from *genesis* changes, the same on every node: their actors come
 * from the document's id and their time is 0. A map that a later version brings comes with a genesis change of its own,
 * on top of the ones before, and documents that are older get it when they are loaded.
 */
export type MapName = Collection | 'rrsets';

export const ROOT_DOCUMENT = 'root';

/** The maps of each genesis change; a step that was released stays as it is for ever. */
const rootSteps: readonly (readonly MapName[])[] = [
  ['dataCenters', 'pools', 'monitors', 'policies', 'zones', 'steeredNames', 'overrides'],
  ['maintenanceWindows', 'alertChannels'],
  ['nodes', 'invitations', 'removals'],
];

const zoneSteps: readonly (readonly MapName[])[] = [['rrsets']];

function stepsOf(id: string): readonly (readonly MapName[])[] {
  return id === ROOT_DOCUMENT ? rootSteps : zoneSteps;
}

/** The document of a zone's RRsets. Deleting a zone ends a life: the zone made anew starts with an empty one. */
export function zoneDocument(apex: string, life: number): string {
  return `zone/${life}/${apex}`;
}

/** One of the documents that hold the rest of a large zone's RRsets. */
export function zonePartDocument(apex: string, life: number, part: number): string {
  return `part/${life}/${part}/${apex}`;
}

export function isZonePart(id: string): boolean {
  return id.startsWith('part/');
}

/** A name has at most 255 octets, each of at most four characters when escaped, and there is what stands before it. */
const MAX_DOCUMENT_ID_LENGTH = 1050;

/** Whether an id is one that this program gives; peers send ids too. */
export function isDocumentId(id: string): boolean {
  return id === ROOT_DOCUMENT || (id.length <= MAX_DOCUMENT_ID_LENGTH && zoneOfDocument(id) !== undefined);
}

/** The apex of the zone whose RRsets a document holds; undefined for another document, and for no id at all. */
export function zoneOfDocument(id: string): string | undefined {
  // The apex itself may have slashes (RFC 2317).
  return /^(?:zone\/\d{1,15}|part\/\d{1,15}\/\d{1,3})\/(.+\.)$/.exec(id)?.[1];
}

type Engine = ReturnType<typeof automerge.getBackend>;

/** What the engine remembers of an exchange with one peer about one document. */
export type EngineSyncState = Parameters<Engine['generateSyncMessage']>[0];

/** Where a leaf stands in its document. */
export interface LeafPlace {
  readonly map: MapName;
  readonly key: string;
}

/** What a peer's message brought. */
export interface Reception {
  readonly changes: readonly Uint8Array[];
  /** The leaves that the changes write. */
  readonly leaves: readonly LeafPlace[];
}

/** A new document asks twice, and a node that starts asks for the same again: some kilobytes in all. */
const MAX_KNOWN_GENESES = 64;

const knownGeneses = new Map<string, readonly Uint8Array[]>();

/** The first changes of a document, equal on every node; everything else builds on them. */
export function genesisChanges(id: string): readonly Uint8Array[] {
  const known = knownGeneses.get(id);
  if (known !== undefined) return known;
  const changes = makeGenesis(id);
  const [oldest] = knownGeneses.keys();
  if (knownGeneses.size >= MAX_KNOWN_GENESES && oldest !== undefined) knownGeneses.delete(oldest);
  knownGeneses.set(id, changes);
  return changes;
}

function makeGenesis(id: string): readonly Uint8Array[] {
  const changes: Uint8Array[] = [];
  for (const [step, maps] of stepsOf(id).entries()) {
    const name = step === 0 ? `genesis ${id}` : `genesis ${step} ${id}`;
    const engine = newEngine(createHash('sha256').update(name).digest('hex').slice(0, 32));
    engine.applyChanges([...changes]);
    for (const map of maps) engine.putObject('_root', map, {});
    engine.commit(null, 0);
    const change = engine.getLastLocalChange();
    engine.free();
    if (change === null) throw new Error(`document ${id} has no genesis change`);
    changes.push(change);
  }
  return changes;
}

/**
 * A document in memory. It is driven through Automerge's own engine and never through its JavaScript mirror of
 * the whole document: a write in a zone of 10,000 RRsets then takes a fifth of a millisecond instead of four.
 */
export class ConfigDocument {
  readonly id: string;
  readonly #engine: Engine;
  readonly #objects = new Map<MapName, string>();
  readonly #sizes = new Map<MapName, number>();

  private constructor(id: string, engine: Engine) {
    this.id = id;
    this.#engine = engine;
  }

  /** A new document with nothing but its genesis changes. */
  static create(id: string, actor: string): ConfigDocument {
    return ConfigDocument.load(id, actor, genesisChanges(id));
  }

  /**
   * A document from what was saved of it, oldest first.
   * @throws whatever the engine says about bytes that are no change.
   */
  static load(id: string, actor: string, parts: Iterable<Uint8Array>): ConfigDocument {
    const engine = newEngine(actor);
    // All at once: one by one, hundreds of small changes take several times as long.
    engine.loadIncremental(Buffer.concat([...parts]));
    return new ConfigDocument(id, engine);
  }

  read(map: MapName, key: string): string | undefined {
    const value = this.#engine.get(this.#object(map), key);
    return typeof value === 'string' ? value : undefined;
  }

  /** The leaf's values that were written without knowledge of each other; the one that counts first. */
  readAll(map: MapName, key: string): readonly string[] {
    const texts = this.#engine.getAll(this.#object(map), key).flatMap(([, value]) => {
      return typeof value === 'string' ? [value] : [];
    });
    // The engine has them in the order in which they would count.
    return texts.reverse();
  }

  /** All keys of a map, those of deleted leaves included. */
  keys(map: MapName): readonly string[] {
    return this.#engine.keys(this.#object(map));
  }

  /** How many keys a map has, those of deleted leaves included. */
  size(map: MapName): number {
    let size = this.#sizes.get(map);
    if (size === undefined) {
      size = this.keys(map).length;
      this.#sizes.set(map, size);
    }
    return size;
  }

  /** Writes a leaf; it becomes part of the document with the next `seal`. */
  write(map: MapName, key: string, text: string): void {
    const size = this.#sizes.get(map);
    if (size !== undefined && this.read(map, key) === undefined) this.#sizes.set(map, size + 1);
    this.#engine.put(this.#object(map), key, text, 'str');
  }

  /** Makes one change of the writes since the last and returns it; undefined when there were none. */
  seal(timeSeconds: number): Uint8Array | undefined {
    if (this.#engine.pendingOps() === 0) return undefined;
    this.#engine.commit(null, timeSeconds);
    return this.#engine.getLastLocalChange() ?? undefined;
  }

  /** Forgets the writes since the last `seal`. */
  rollback(): void {
    this.#sizes.clear();
    this.#engine.rollback();
  }

  /** The hashes that name the document's present state. */
  heads(): readonly string[] {
    return [...this.#engine.getHeads()].sort();
  }

  /** Whether the document has been in the state that these heads name. */
  knows(heads: readonly string[]): boolean {
    return heads.every((head) => isHash(head) && this.#engine.getChangeByHash(head) !== null);
  }

  /** A copy as it was at the given heads. */
  copyAt(heads: readonly string[]): ConfigDocument {
    const copy = new ConfigDocument(this.id, this.#engine.fork(undefined, [...heads]));
    copy.grow();
    return copy;
  }

  /** Everything up to now, compact; `load` reads it. */
  save(): Uint8Array {
    return this.#engine.save();
  }

  /** All changes since the given heads. */
  changesSince(heads: readonly string[]): readonly Uint8Array[] {
    return this.#engine.getChanges([...heads]);
  }

  /** Takes in changes that this node has checked before. */
  apply(changes: readonly Uint8Array[]): void {
    this.#sizes.clear();
    this.#engine.applyChanges([...changes]);
  }

  /** What the peer must be told next; undefined when it has everything or has not answered yet. */
  generateSyncMessage(state: EngineSyncState): Uint8Array | undefined {
    const message = this.#engine.generateSyncMessage(state);
    if (message !== null) return message;
    // The list of what was sent only grows; once the peer has everything, nobody asks for it any more.
    if (sameHeads(state.sharedHeads, this.#engine.getHeads())) state.sentHashes = [];
    return undefined;
  }

  /** The leaves that were written since the given heads; all there are where those are not known here. */
  leavesSince(heads: readonly string[]): readonly LeafPlace[] {
    const known = heads.filter((head) => this.knows([head]));
    const own = new Set(genesisChanges(this.id).map((change) => automerge.decodeChange(change).hash));
    return this.changesSince(known)
      .filter((change) => !own.has(automerge.decodeChange(change).hash))
      .flatMap((change) => this.#leavesOf(change));
  }

  /**
   * Takes in a peer's message.
   * @throws StoreError `refused` for a message that is malformed, or does what no node does; the document is then of no
   *   more use and must be loaded again.
   */
  receiveSyncMessage(state: EngineSyncState, message: Uint8Array): Reception {
    const before = this.#engine.getHeads();
    this.#sizes.clear();
    try {
      this.#engine.receiveSyncMessage(state, message);
    } catch (thrown) {
      throw new StoreError('refused', `A message for ${this.id} is malformed (${reasonOf(thrown)}).`, thrown);
    }
    if (sameHeads(before, this.#engine.getHeads())) return { changes: [], leaves: [] };
    const changes = this.changesSince(before);
    return { changes, leaves: changes.flatMap((change) => this.#leavesOf(change)) };
  }

  /** Whether changes wait, in memory only, for others on which they build. */
  holdsBack(): boolean {
    return this.#engine.getMissingDeps([]).length > 0;
  }

  /** Takes in the genesis changes that a document of an earlier version lacks, and returns them. */
  grow(): readonly Uint8Array[] {
    const lacksStep = stepsOf(this.id).map((maps) =>
      maps.some((map) => this.#engine.get('_root', map) === undefined),
    );
    if (!lacksStep.includes(true)) return [];
    const missing = genesisChanges(this.id).filter((_, step) => lacksStep[step]);
    this.#engine.applyChanges([...missing]);
    return missing;
  }

  /** Gives the memory back; the document cannot be used afterwards. */
  free(): void {
    this.#engine.free();
  }

  /**
   * The leaves that a peer's change writes. The engine's own account of what differs leaves out a value that changes
   * beside the one that counts.
   */
  #leavesOf(change: Uint8Array): readonly LeafPlace[] {
    const maps = stepsOf(this.id).flat();
    return automerge.decodeChange(change).ops.flatMap(({ obj, key, action, value, datatype }) => {
      const map = maps.find((name) => (obj === '_root' ? key === name : obj === this.#object(name)));
      if (map === undefined) return [];
      // A map put in the place of another would hide all that is in it; a leaf is deleted by a mark.
      if (obj === '_root' || action !== 'set' || typeof value !== 'string' || datatype !== undefined) {
        throw new StoreError('refused', `A message for ${this.id} writes what is no leaf.`);
      }
      return [{ map, key }];
    });
  }

  #object(map: MapName): string {
    const known = this.#objects.get(map);
    if (known !== undefined) return known;
    const object = this.#engine.get('_root', map);
    if (typeof object !== 'string') throw new StoreError('damaged', `Document ${this.id} has no map ${map}.`);
    this.#objects.set(map, object);
    return object;
  }
}

/** The engine throws on anything else. */
function isHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

function sameHeads(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && [...one].sort().join() === [...other].sort().join();
}

function newEngine(actor: string): Engine {
  return automerge.getBackend(automerge.init({ actor }));
}
