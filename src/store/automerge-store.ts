import type { Authorship, Change, Config } from '../config/model.ts';
import type { Problem } from '../config/problem.ts';
import { type BackupEntry, type BackupSummary, writeBackup } from './backup/backup-file.ts';
import { blobHash, holdsBlob, isBlobHash, MAX_BLOB_LENGTH, readBlob, referencedBlobs } from './blobs.ts';
import { type Conflict, listConflicts } from './conflicts/conflict.ts';
import { writeChoice } from './conflicts/resolve.ts';
import type { Database } from './database.ts';
import { Documents } from './documents.ts';
import type { Stamp } from './leaf.ts';
import { PastDocuments } from './past-documents.ts';
import { type Projection, project, projectAll, readConfig } from './project.ts';
import type {
  DurableListener,
  Received,
  RefusedMessage,
  ReplicatedStore,
  SyncMessage,
} from './replicated-store.ts';
import type { Sealer } from './seal/sealer.ts';
import { StoreError } from './store-error.ts';
import { SyncExchange } from './sync-exchange.ts';
import { Touched } from './touched.ts';
import { type ChangeTarget, writeChanges } from './write-change.ts';
import { MAX_WEIGHT_PER_FLUSH, WriteQueue } from './write-queue.ts';

export interface StoreParts {
  readonly database: Database;
  /** Called once the database is closed. */
  readonly release: () => void;
  /** The wall clock; only shown to people. */
  readonly now: () => Date;
  /** This node's name, shown with all that it writes; '' for none. */
  readonly node: string;
  readonly sealer: Sealer;
  /** Everything there is, at one moment; missing where there is nothing to put it in. */
  readonly backupEntries?: () => Generator<BackupEntry>;
  /** 32 hex digits that no store has written with before, not even this one. */
  readonly actor: string;
}

/** More changes in one commit hold the event loop for seconds; what is larger belongs in a blob. */
const MAX_CHANGES_PER_COMMIT = 50_000;

/** Octets of sync messages that take as long to take in as one commit does: they come compressed, to a twentieth at best. */
const OCTETS_PER_COMMIT = 64;

/** Most messages, each for a document, that one turn takes in: what is staged stays in memory until it is durable. */
const MAX_MESSAGES_PER_TURN = 64;

interface PendingCommit {
  readonly kind: 'commit';
  /** Stages it, or throws. */
  readonly write: (target: ChangeTarget, stamp: Stamp) => void;
  readonly authorship: Authorship;
  readonly resolve: (config: Config) => void;
  readonly reject: (error: unknown) => void;
}

interface PendingReceipt {
  readonly kind: 'receipt';
  readonly exchange: SyncExchange;
  readonly messages: readonly SyncMessage[];
  readonly resolve: (received: Received) => void;
  readonly reject: (error: unknown) => void;
}

type PendingWrite = PendingCommit | PendingReceipt;

/** A write of which something may be staged. */
interface StagedWrite {
  /** How much it adds to the generation: what changes nothing adds nothing. */
  readonly generations: 0 | 1;
  /** Tells the caller that it is durable. */
  readonly settle: (config: Config, changed: readonly string[]) => void;
}

/**
 * The store over an open database.
 * @throws StoreError `damaged`.
 */
export function createStore(parts: StoreParts): ReplicatedStore {
  const documents = new Documents(parts.database, parts);
  return new AutomergeStore(parts, documents, projectAll(documents, parts.database.generation));
}

class AutomergeStore implements ReplicatedStore {
  readonly #parts: StoreParts;
  readonly #database: Database;
  readonly #documents: Documents;
  readonly #queue = new WriteQueue<PendingWrite>((writes) => this.#flush(writes), weightOf);
  readonly #listeners = new Set<DurableListener>();
  /** Documents that commits of the flush under way have written. */
  readonly #written = new Set<string>();
  readonly #backups = new Set<Promise<unknown>>();
  #projection: Projection;
  #closing: Promise<void> | undefined;

  constructor(parts: StoreParts, documents: Documents, projection: Projection) {
    this.#parts = parts;
    this.#database = parts.database;
    this.#documents = documents;
    this.#projection = projection;
  }

  get config(): Config {
    return this.#projection.config;
  }

  async commit(changes: readonly Change[], authorship: Authorship): Promise<Config> {
    if (changes.length > MAX_CHANGES_PER_COMMIT) {
      throw new StoreError('refused', `A commit holds at most ${MAX_CHANGES_PER_COMMIT} changes.`);
    }
    return this.#write((target, stamp) => writeChanges(target, changes, stamp), authorship);
  }

  async configAt(heads: ReadonlyMap<string, readonly string[]>): Promise<Config> {
    return this.#queue.between(() => {
      const past = new PastDocuments(this.#documents, heads);
      try {
        return readConfig(this.#projection, past.touchedSince(), past, this.config.generation).config;
      } finally {
        past.free();
      }
    });
  }

  async backup(path: string): Promise<BackupSummary> {
    const { backupEntries } = this.#parts;
    if (this.#closing !== undefined) throw new StoreError('closed', 'The store is closed.');
    if (backupEntries === undefined) throw new StoreError('refused', 'This store has no disk to back up.');
    const entries = backupEntries();
    // Before anything is waited for: writes that come after the call are not in the backup.
    const first = entries.next();
    const running = writeBackup(path, resumed(first, entries)).finally(() => entries.return(undefined));
    this.#backups.add(running);
    try {
      return await running;
    } finally {
      this.#backups.delete(running);
    }
  }

  conflicts(): readonly Conflict[] {
    return listConflicts(this.#projection.conflicts);
  }

  async resolveConflict(id: string, choice: string, authorship: Authorship): Promise<Config> {
    return this.#write((target, stamp) => {
      const conflict = this.conflicts().find((known) => known.id === id);
      if (conflict === undefined) throw new StoreError('refused', `There is no conflict ${id} (any more).`);
      writeChoice(target, conflict, choice, stamp);
    }, authorship);
  }

  problems(): readonly Problem[] {
    return [...this.#projection.problems.values()];
  }

  heads(): ReadonlyMap<string, readonly string[]> {
    return this.#documents.heads();
  }

  openExchange(): SyncExchange {
    return new SyncExchange();
  }

  async receive(exchange: SyncExchange, messages: readonly SyncMessage[]): Promise<Received> {
    const turns = turnsOf(messages).map(
      (turn) =>
        new Promise<Received>((resolve, reject) => {
          this.#queue.write({ kind: 'receipt', exchange, messages: turn, resolve, reject });
        }),
    );
    const received = await Promise.all(turns);
    return {
      config: this.config,
      changed: [...new Set(received.flatMap(({ changed }) => changed))],
      refused: received.flatMap(({ refused }) => refused),
    };
  }

  async generate(exchange: SyncExchange, document: string): Promise<Uint8Array | undefined> {
    return this.#queue.between(() => this.#documents.generate(exchange, document));
  }

  onDurable(listener: DurableListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async putBlob(bytes: Uint8Array, known?: string): Promise<string> {
    if (bytes.length > MAX_BLOB_LENGTH) {
      throw new StoreError('refused', `A blob holds at most ${MAX_BLOB_LENGTH} octets.`);
    }
    const hash = known ?? blobHash(bytes);
    const kept =
      known === undefined
        ? Buffer.from(bytes)
        : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return this.#queue.alone(async () => {
      // Damaged bytes are put again: the message about them says so.
      if (!holdsBlob(this.#database, hash, kept)) await this.#database.putBlob(hash, kept);
      return hash;
    });
  }

  getBlob(hash: string): Uint8Array | undefined {
    if (this.#closing !== undefined) throw new StoreError('closed', 'The store is closed.');
    return readBlob(this.#database, hash);
  }

  copyBlob(hash: string): Uint8Array | undefined {
    if (this.#closing !== undefined) throw new StoreError('closed', 'The store is closed.');
    return isBlobHash(hash) ? this.#database.blob(hash) : undefined;
  }

  hasBlob(hash: string): boolean {
    return isBlobHash(hash) && this.#database.hasBlob(hash);
  }

  missingBlobs(): readonly string[] {
    const referenced = referencedBlobs(this.config, this.conflicts());
    return [...referenced].filter((hash) => !this.#database.hasBlob(hash)).sort();
  }

  /** In turn with commits, so that a blob whose commit was called before stays. */
  async sweepBlobs(): Promise<number> {
    return this.#queue.alone(async () => {
      const referenced = referencedBlobs(this.config, this.conflicts());
      const hashes = this.#database.blobHashes().filter((hash) => !referenced.has(hash));
      if (hashes.length > 0) await this.#database.removeBlobs(hashes);
      return hashes.length;
    });
  }

  async close(): Promise<void> {
    this.#closing ??= this.#queue.close().then(async () => {
      // A backup reads the database that is about to be closed.
      await Promise.allSettled(this.#backups);
      try {
        await this.#database.close();
      } finally {
        // Whoever opens the directory next, this process or another, must find it free.
        this.#parts.release();
      }
    });
    await this.#closing;
  }

  #write(write: PendingCommit['write'], authorship: Authorship): Promise<Config> {
    return new Promise((resolve, reject) => {
      this.#queue.write({ kind: 'commit', write, authorship, resolve, reject });
    });
  }

  /** Writes that share a flush share the configuration that they resolve with. */
  async #flush(writes: readonly PendingWrite[]): Promise<void> {
    const touched = new Touched();
    const staged: StagedWrite[] = [];
    this.#written.clear();
    try {
      for (const write of writes) {
        const one = write.kind === 'commit' ? this.#commit(write, touched) : this.#receive(write, touched);
        if (one !== undefined) staged.push(one);
      }
      const generations = staged.reduce((sum, one) => sum + one.generations, 0);
      const changed = await this.#persist(touched, generations);
      for (const { settle } of staged) settle(this.config, changed);
    } catch (thrown) {
      this.#documents.discardStaged();
      for (const write of writes) fail(write, thrown);
    }
  }

  /** Stages a commit; one that cannot be stored leaves no trace and the others go on. */
  #commit(commit: PendingCommit, touched: Touched): StagedWrite | undefined {
    const { write, authorship, resolve, reject } = commit;
    try {
      const now = this.#parts.now();
      const stamp: Stamp = {
        author: authorship.author,
        reason: authorship.reason,
        updatedAt: now.toISOString(),
        node: this.#parts.node,
        writerTag: this.#parts.actor.slice(0, WRITER_TAG_LENGTH),
      };
      write({ documents: this.#documents, touched }, stamp);
      for (const document of this.#documents.seal(Math.floor(now.getTime() / 1000)))
        this.#written.add(document);
      return { generations: 1, settle: resolve };
    } catch (thrown) {
      this.#documents.rollback();
      reject(thrown);
      return undefined;
    }
  }

  /** Stages what a peer said; a message that is refused leaves no trace and the others go on. */
  #receive({ exchange, messages, resolve }: PendingReceipt, touched: Touched): StagedWrite {
    const documents = new Set<string>();
    const refused: RefusedMessage[] = [];
    let leafCount = 0;
    for (const { document, message } of messages) {
      try {
        const leaves = this.#documents.receive(exchange, document, message);
        for (const { map, key } of leaves) touched.leaf(document, map, key);
        leafCount += leaves.length;
        documents.add(document);
      } catch (thrown) {
        if (!(thrown instanceof StoreError) || thrown.code !== 'refused') throw thrown;
        refused.push({ document, reason: thrown.message });
      }
    }
    return {
      generations: leafCount > 0 ? 1 : 0,
      settle: (config, changed) => {
        resolve({ config, changed: changed.filter((document) => documents.has(document)), refused });
      },
    };
  }

  /** Memory follows the disk: nothing is seen before it is durable. Returns the documents that have changed. */
  async #persist(touched: Touched, generations: number): Promise<readonly string[]> {
    const staged = this.#documents.staged();
    if (staged.length === 0 && generations === 0) return [];
    const generation = this.config.generation + generations;
    const next = project(this.#projection, touched, this.#documents, generation);
    await this.#database.write(staged, generation);
    this.#documents.noteDurable(staged);
    this.#projection = next;
    const changed = staged.map(({ record }) => record.id);
    const own = new Set(this.#written);
    for (const listener of this.#listeners) listener(changed, own);
    return changed;
  }
}

/** Hex digits of the actor in revisions: two that write the same leaf for the same time differ in them. */
const WRITER_TAG_LENGTH = 8;

function weightOf(write: PendingWrite): number {
  return write.kind === 'commit'
    ? 1
    : write.messages.reduce((sum, message) => sum + messageWeight(message), 0);
}

function messageWeight({ message }: SyncMessage): number {
  return Math.ceil(message.length / OCTETS_PER_COMMIT);
}

/** The messages in turns that are each taken in by one flush, if need be alone. */
function turnsOf(messages: readonly SyncMessage[]): readonly (readonly SyncMessage[])[] {
  const turns: SyncMessage[][] = [];
  let turn: SyncMessage[] = [];
  let weight = 0;
  for (const message of messages) {
    weight += messageWeight(message);
    const isFull = weight > MAX_WEIGHT_PER_FLUSH || turn.length >= MAX_MESSAGES_PER_TURN;
    if (turn.length === 0 || isFull) {
      turn = [];
      turns.push(turn);
      weight = messageWeight(message);
    }
    turn.push(message);
  }
  return turns;
}

/** What was taken from the peer is gone again: the exchange starts over with those documents. */
function fail(write: PendingWrite, thrown: unknown): void {
  if (write.kind === 'receipt') for (const { document } of write.messages) write.exchange.restart(document);
  write.reject(thrown);
}

/** The entries of which the first has been taken already. */
function* resumed(
  first: IteratorResult<BackupEntry>,
  entries: Generator<BackupEntry>,
): Generator<BackupEntry> {
  if (first.done === true) return;
  yield first.value;
  yield* entries;
}
