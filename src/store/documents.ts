import { reasonOf } from '../config/problem.ts';
import { checkSyncBounds } from './bounds/sync-bounds.ts';
import type { Database, DocumentWrite } from './database.ts';
import type { DocumentRecord } from './database-layout.ts';
import {
  ConfigDocument,
  genesisChanges,
  isDocumentId,
  isZonePart,
  type LeafPlace,
  type MapName,
  ROOT_DOCUMENT,
  zoneOfDocument,
} from './document.ts';
import type { LeafSource } from './leaf-source.ts';
import { openLeaf, sealLeaf } from './seal/sealed-leaf.ts';
import type { Sealer } from './seal/sealer.ts';
import { StoreError } from './store-error.ts';
import type { SyncExchange } from './sync-exchange.ts';

/**
 * The documents of this node: on disk all of them, in memory the root and those used last.
 *
 *     write ──► open document (unsealed writes) ── seal ──► staged change ── durable ──► record
 *                        ▲  rollback forgets                    │
 *                        └───────── discardStaged: loaded again from disk ◄─ disk refused
 */
interface OpenDocument {
  readonly document: ConfigDocument;
  /** As it is on disk. */
  record: DocumentRecord;
  /** Changes in memory that are not on disk yet. */
  staged: readonly Uint8Array[];
  /** Octets of messages since it last held nothing back. */
  heldBackOctets: number;
  /** Genesis changes that are neither staged nor on disk: they go there with the first change that builds on them. */
  unstaged: readonly Uint8Array[];
}

/**
 * About 1 MB each at 1,000 RRsets; one that is not in memory is back in some 10 ms. All parts of one large zone stay
 * in memory while it is edited.
 */
export const MAX_OPEN_DOCUMENTS = 192;

/**
 * Most documents that there may be: ten thousand zones, or a thousand large ones, and room to spare. What is deleted
 * keeps its document, so a peer could make new ones without end.
 */
export const MAX_DOCUMENTS = 200_000;

/** Octets of messages that may wait in a document's memory for changes on which they build, before they are let go. */
export const MAX_HELD_BACK_OCTETS = 67_108_864;

/** Most changes after which a document's snapshot is written anew: what a start has to replay. */
export const COMPACT_AFTER_CHANGES = 256;

/** The same for one of the many parts of a large zone, which are small, and all read at a start. */
const COMPACT_PART_AFTER_CHANGES = 64;

/** Octets of changes after which the same happens, however few they are. */
const COMPACT_AFTER_OCTETS = 4_194_304;

export class Documents implements LeafSource {
  readonly #database: Database;
  /** In the order of use, the latest last. */
  readonly #open = new Map<string, OpenDocument>();
  readonly #unsealed = new Set<string>();
  readonly #actor: string;
  readonly #sealer: Sealer;
  readonly #heads: Map<string, readonly string[]>;
  readonly #byApex = new Map<string, Set<string>>();

  /** `actor`: who writes, for the engine; one that has never written before, 32 hex digits. */
  constructor(database: Database, { actor, sealer }: { readonly actor: string; readonly sealer: Sealer }) {
    this.#database = database;
    this.#actor = actor;
    this.#sealer = sealer;
    this.#heads = new Map([...database.documentRecords()].map(({ id, heads }) => [id, [...heads].sort()]));
    for (const id of this.#heads.keys()) this.#noteZone(id);
  }

  /** Heads of the documents on disk, sorted. */
  heads(): ReadonlyMap<string, readonly string[]> {
    return this.#heads;
  }

  /** The text of the leaf that counts, its secrets in clear; undefined for none. */
  read(id: string, map: MapName, key: string): string | undefined {
    return this.opened(map, key, this.#get(id).document.read(map, key));
  }

  /** A leaf's text with its secrets in clear. */
  opened(map: MapName, key: string, text: string | undefined): string | undefined {
    return text === undefined ? undefined : openLeaf(this.#sealer, map, key, text);
  }

  /** The texts of all that was written to a leaf without knowledge of each other; the one that counts first. */
  readAll(id: string, map: MapName, key: string): readonly string[] {
    const texts = this.#get(id).document.readAll(map, key);
    return texts.map((text) => openLeaf(this.#sealer, map, key, text));
  }

  /** Heads of a document as it is in memory, sorted; undefined when nothing was ever written to it. */
  headsOf(id: string): readonly string[] | undefined {
    if (this.#unsealed.has(id)) throw new Error(`document ${id} has writes that are not sealed yet`);
    const open = this.#open.get(id);
    return open !== undefined && open.staged.length > 0 ? open.document.heads() : this.#heads.get(id);
  }

  /** The leaves that were written since the given heads. */
  leavesSince(id: string, heads: readonly string[]): readonly LeafPlace[] {
    return this.#get(id).document.leavesSince(heads);
  }

  /** Whether a document has been in the state that these heads name. */
  knows(id: string, heads: readonly string[]): boolean {
    return this.has(id) && this.#get(id).document.knows(heads);
  }

  /** A copy of a document as it was at the given heads, to read and to free. */
  copyAt(id: string, heads: readonly string[]): ConfigDocument {
    return this.#get(id).document.copyAt(heads);
  }

  documentsOf(apex: string): readonly string[] {
    return [...(this.#byApex.get(apex) ?? [])];
  }

  /** How many changes a document consists of. They are numbered as they come, and none comes twice. */
  changeCount(id: string): number {
    const open = this.#open.get(id);
    if (open !== undefined) return open.record.next + open.staged.length;
    return this.#heads.has(id) ? (this.#database.documentRecord(id)?.next ?? 0) : 0;
  }

  /** Whether anything was ever written to a document. */
  has(id: string): boolean {
    return this.#open.has(id) || this.#heads.has(id);
  }

  keys(id: string, map: MapName): readonly string[] {
    return this.#get(id).document.keys(map);
  }

  /** How many keys a map has. */
  size(id: string, map: MapName): number {
    return this.#get(id).document.size(map);
  }

  write(id: string, map: MapName, key: string, text: string): void {
    this.#refuseTooMany(id);
    const { document } = this.#get(id);
    const before = document.read(map, key);
    document.write(map, key, sealLeaf(this.#sealer, { map, key, before }, text));
    this.#unsealed.add(id);
  }

  /** Forgets all writes since the last `seal`. */
  rollback(): void {
    for (const id of this.#unsealed) this.#get(id).document.rollback();
    this.#unsealed.clear();
  }

  /** Makes one change in each document written to since the last call; returns which those are. */
  seal(timeSeconds: number): readonly string[] {
    const sealed: string[] = [];
    for (const id of this.#unsealed) {
      const open = this.#get(id);
      const change = open.document.seal(timeSeconds);
      if (change === undefined) continue;
      this.#stage(open, [change]);
      sealed.push(id);
    }
    this.#unsealed.clear();
    return sealed;
  }

  /** The next message of an exchange. All that is in memory must be durable: this is no moment between two commits. */
  generate(exchange: SyncExchange, id: string): Uint8Array | undefined {
    return isDocumentId(id) ? exchange.generate(this.#get(id).document) : undefined;
  }

  /**
   * Takes in a message of an exchange and returns the leaves that it writes.
   * @throws StoreError `refused`; the document is then as it was before, and what was staged for it stays staged.
   *   Of another code when that could not be had from disk again.
   */
  receive(exchange: SyncExchange, id: string, message: Uint8Array): readonly LeafPlace[] {
    this.#refuseTooMany(id);
    const open = this.#getForPeer(id, message, exchange);
    try {
      const { changes, leaves } = exchange.receive(open.document, message);
      this.#noteHeldBack(open, message);
      // What an older version lacked becomes durable here, or nodes would compare different heads for ever.
      const grows = open.unstaged.length > 0 && open.record.next > 0;
      if (changes.length > 0 || grows) this.#stage(open, changes);
      return leaves;
    } catch (thrown) {
      this.#rebuild(open);
      exchange.restart(id);
      throw thrown;
    }
  }

  /** A document's first changes on disk are its genesis. */
  #stage(open: OpenDocument, changes: readonly Uint8Array[]): void {
    open.staged = [...open.unstaged, ...open.staged, ...changes];
    open.unstaged = [];
    this.#noteZone(open.record.id);
  }

  #noteZone(id: string): void {
    const apex = zoneOfDocument(id);
    if (apex === undefined) return;
    const known = this.#byApex.get(apex);
    if (known === undefined) this.#byApex.set(apex, new Set([id]));
    else known.add(id);
  }

  /** @throws StoreError `refused` when too much waits for changes that do not come. */
  #noteHeldBack(open: OpenDocument, message: Uint8Array): void {
    open.heldBackOctets = open.document.holdsBack() ? open.heldBackOctets + message.length : 0;
    if (open.heldBackOctets <= MAX_HELD_BACK_OCTETS) return;
    throw new StoreError('refused', `The changes on which those of ${open.document.id} build do not come.`);
  }

  /** What must be written for the staged changes to be durable. */
  staged(): readonly DocumentWrite[] {
    return [...this.#open.values()].filter(({ staged }) => staged.length > 0).map(writeOf);
  }

  /** The writes are on disk. */
  noteDurable(writes: readonly DocumentWrite[]): void {
    for (const { record } of writes) {
      const open = this.#open.get(record.id);
      if (open === undefined) continue;
      open.record = record;
      open.staged = [];
      this.#heads.set(record.id, record.heads);
    }
    this.#evict();
  }

  /** The disk refused: whatever is not on it is forgotten in memory too. */
  discardStaged(): void {
    this.#unsealed.clear();
    for (const [id, { document, staged }] of this.#open) {
      if (staged.length === 0) continue;
      this.#open.delete(id);
      document.free();
    }
  }

  /** @throws StoreError `refused` for a document more than there may be. */
  #refuseTooMany(id: string): void {
    if (this.#heads.has(id) || this.#heads.size < MAX_DOCUMENTS) return;
    throw new StoreError(
      'refused',
      `${id} would be one document more than the ${MAX_DOCUMENTS} that there may be.`,
    );
  }

  #getForPeer(id: string, message: Uint8Array, exchange: SyncExchange): OpenDocument {
    if (!isDocumentId(id)) throw new StoreError('refused', `There is no document ${JSON.stringify(id)}.`);
    try {
      // The octet before it is the exchange's own.
      checkSyncBounds(message.subarray(1));
    } catch (thrown) {
      exchange.restart(id);
      throw thrown;
    }
    try {
      return this.#get(id);
    } catch (thrown) {
      throw new StoreError('refused', `Nothing can be added to ${id}: ${reasonOf(thrown)}`, thrown);
    }
  }

  #get(id: string): OpenDocument {
    const known = this.#open.get(id);
    const open = known ?? this.#load(id);
    this.#open.delete(id);
    this.#open.set(id, open);
    if (known === undefined) this.#evict();
    return open;
  }

  #load(id: string): OpenDocument {
    const record = this.#database.documentRecord(id);
    if (record === undefined) {
      const empty = { id, first: 0, next: 0, heads: [], changesLength: 0 };
      const document = ConfigDocument.create(id, this.#actor);
      return { document, record: empty, staged: [], unstaged: genesisChanges(id), heldBackOctets: 0 };
    }
    const document = loadRecorded(record, this.#actor, this.#database.documentParts(record));
    if (document.heads().join() !== [...record.heads].sort().join()) {
      throw new StoreError('damaged', `Document ${id} does not load to the state it was written in.`);
    }
    return { document, record, staged: [], unstaged: document.grow(), heldBackOctets: 0 };
  }

  /** The engine is in doubt: the document is read from disk again, and what was staged for it is staged again. */
  #rebuild({ document, staged, unstaged }: OpenDocument): void {
    const { id } = document;
    this.#open.delete(id);
    freeDoubtful(document);
    if (staged.length === 0) return;
    const fresh = this.#load(id);
    fresh.document.apply(staged);
    fresh.staged = staged;
    fresh.unstaged = unstaged;
    this.#open.set(id, fresh);
  }

  /** Stops at the first that is being written: what was used after it is of the same commit. */
  #evict(): void {
    for (const [id, { document, staged }] of this.#open) {
      if (this.#open.size <= MAX_OPEN_DOCUMENTS || staged.length > 0 || this.#unsealed.has(id)) return;
      if (id === ROOT_DOCUMENT) continue;
      this.#open.delete(id);
      document.free();
    }
  }
}

/** An engine that broke off in the middle may refuse even to be freed; its memory is then lost. */
function freeDoubtful(document: ConfigDocument): void {
  try {
    document.free();
  } catch {
    // Nothing more can be done for it, and the document is loaded anew.
  }
}

function loadRecorded(record: DocumentRecord, actor: string, parts: readonly Uint8Array[]): ConfigDocument {
  try {
    return ConfigDocument.load(record.id, actor, parts);
  } catch (thrown) {
    throw new StoreError('damaged', `Document ${record.id} cannot be read (${reasonOf(thrown)}).`, thrown);
  }
}

function writeOf({ document, record, staged }: OpenDocument): DocumentWrite {
  const next = record.next + staged.length;
  const stagedLength = staged.reduce((sum, change) => sum + change.length, 0);
  const changesLength = record.changesLength + stagedLength;
  const heads = document.heads();
  if (next - record.first > compactAfter(record.id) || changesLength > COMPACT_AFTER_OCTETS) {
    return {
      record: { id: record.id, first: next, next, heads, changesLength: 0 },
      changes: [],
      snapshot: document.save(),
      replaced: { from: record.first, to: record.next },
    };
  }
  return {
    record: { ...record, next, heads, changesLength },
    changes: staged.map((bytes, index) => ({ sequence: record.next + index, bytes })),
    snapshot: undefined,
    replaced: { from: 0, to: 0 },
  };
}

/**
 * Half of the most at least, and not the same for each document: the parts of a zone that are changed together should
 * not all take their time in the same write.
 */
function compactAfter(id: string): number {
  const most = isZonePart(id) ? COMPACT_PART_AFTER_CHANGES : COMPACT_AFTER_CHANGES;
  let hash = 0;
  for (let i = 0; i < id.length; i += 1) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return most - ((hash >>> 8) % (most / 2));
}
