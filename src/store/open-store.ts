import { mkdirSync } from 'node:fs';
import type { Authorship, Change, Config } from '../config/model.ts';
import { blobHash, holdsBlob, isBlobHash, MAX_BLOB_LENGTH, readBlob, unreferencedBlobs } from './blobs.ts';
import { Database } from './database.ts';
import { type DirectoryLock, lockDirectory } from './directory-lock.ts';
import { isDocumentId } from './document.ts';
import { Documents } from './documents.ts';
import type { Stamp } from './leaf.ts';
import { type Projection, project, projectAll } from './project.ts';
import type { Store } from './store.ts';
import { reasonOf, StoreError } from './store-error.ts';
import { Touched } from './touched.ts';
import { writeChanges } from './write-change.ts';
import { WriteQueue } from './write-queue.ts';

/** Changes of one document, as nodes hand them to each other. */
interface DocumentChanges {
  readonly document: string;
  /** Oldest first. */
  readonly changes: readonly Uint8Array[];
}

/** A store with the seam through which peers meet. */
export interface ReplicatedStore extends Store {
  /** All changes of all documents that are durable here; none is ever handed out before. */
  exportChanges(): Promise<readonly DocumentChanges[]>;
  /**
   * Takes in another node's changes, known ones included; resolves when they are durable.
   * @throws StoreError `refused` when they are malformed or incomplete; then none is kept.
   */
  importChanges(imported: readonly DocumentChanges[]): Promise<Config>;
}

interface StoreSettings {
  /** The store's own directory; made when missing. */
  readonly directory: string;
  /** The wall clock; only shown to people. */
  readonly now: () => Date;
  /** The directory's lock where the caller has it already; the store releases it. */
  readonly lock?: DirectoryLock | undefined;
}

/** More changes in one commit hold the event loop for seconds; what is larger belongs in a blob. */
const MAX_CHANGES_PER_COMMIT = 50_000;

/**
 * Opens the store of a data directory, made anew when there is none.
 * @throws StoreError `in-use`, `unreadable`, `damaged` or `newer-format`; the message names the directory.
 */
export async function openStore({ directory, now, lock: held }: StoreSettings): Promise<ReplicatedStore> {
  try {
    mkdirSync(directory, { recursive: true });
  } catch (thrown) {
    throw new StoreError(
      'unreadable',
      `The data directory ${directory} cannot be made (${reasonOf(thrown)}).`,
      thrown,
    );
  }
  const lock = held ?? lockDirectory(directory);
  let database: Database | undefined;
  try {
    database = await Database.open(directory);
    const documents = new Documents(database);
    const projection = projectAll(documents, database.generation);
    return new AutomergeStore({ lock, database, documents, projection, now });
  } catch (thrown) {
    try {
      await database?.close();
    } finally {
      lock.release();
    }
    throw thrown instanceof StoreError && thrown.code === 'damaged' ? damagedIn(directory, thrown) : thrown;
  }
}

function damagedIn(directory: string, error: StoreError): StoreError {
  const message = `The data in ${directory} is damaged: ${error.message} Restore the directory from a backup.`;
  return error.message.includes(directory) ? error : new StoreError('damaged', message, error);
}

interface PendingCommit {
  readonly changes: readonly Change[];
  readonly authorship: Authorship;
  readonly resolve: (config: Config) => void;
  readonly reject: (error: unknown) => void;
}

interface StoreParts {
  readonly lock: DirectoryLock;
  readonly database: Database;
  readonly documents: Documents;
  readonly projection: Projection;
  readonly now: () => Date;
}

class AutomergeStore implements ReplicatedStore {
  readonly #lock: DirectoryLock;
  readonly #database: Database;
  readonly #documents: Documents;
  readonly #now: () => Date;
  readonly #queue = new WriteQueue<PendingCommit>((commits) => this.#flush(commits));
  #projection: Projection;
  #closing: Promise<void> | undefined;

  constructor(parts: StoreParts) {
    this.#lock = parts.lock;
    this.#database = parts.database;
    this.#documents = parts.documents;
    this.#projection = parts.projection;
    this.#now = parts.now;
  }

  get config(): Config {
    return this.#projection.config;
  }

  async commit(changes: readonly Change[], authorship: Authorship): Promise<Config> {
    if (changes.length > MAX_CHANGES_PER_COMMIT) {
      throw new StoreError('refused', `A commit holds at most ${MAX_CHANGES_PER_COMMIT} changes.`);
    }
    return new Promise((resolve, reject) => {
      this.#queue.write({ changes, authorship, resolve, reject });
    });
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

  /** In turn with commits, so that a blob whose commit was called before stays. */
  async sweepBlobs(): Promise<number> {
    return this.#queue.alone(async () => {
      const hashes = unreferencedBlobs(this.#database, this.config);
      if (hashes.length > 0) await this.#database.removeBlobs(hashes);
      return hashes.length;
    });
  }

  async exportChanges(): Promise<readonly DocumentChanges[]> {
    return this.#queue.alone(() =>
      this.#documents.ids().map((document) => ({ document, changes: this.#documents.changes(document) })),
    );
  }

  async importChanges(imported: readonly DocumentChanges[]): Promise<Config> {
    return this.#queue.alone(async () => {
      const touched = new Touched();
      try {
        for (const { document, changes } of imported) {
          if (!isDocumentId(document)) {
            throw new StoreError('refused', `There is no document ${JSON.stringify(document)}.`);
          }
          for (const { map, key } of this.#documents.apply(document, changes))
            touched.leaf(document, map, key);
        }
        await this.#persist(touched, 1);
      } catch (thrown) {
        this.#documents.discardStaged();
        throw thrown;
      }
      return this.config;
    });
  }

  async close(): Promise<void> {
    this.#closing ??= this.#queue.close().then(async () => {
      try {
        await this.#database.close();
      } finally {
        // Whoever opens the directory next, this process or another, must find it free.
        this.#lock.release();
      }
    });
    await this.#closing;
  }

  /** Commits that share a flush share the configuration that they resolve with. */
  async #flush(commits: readonly PendingCommit[]): Promise<void> {
    const touched = new Touched();
    const written = commits.filter((commit) => this.#write(commit, touched));
    if (written.length === 0) return;
    try {
      await this.#persist(touched, written.length);
    } catch (thrown) {
      this.#documents.discardStaged();
      for (const { reject } of written) reject(thrown);
      return;
    }
    for (const { resolve } of written) resolve(this.config);
  }

  /** Whether the commit is staged; one that cannot be stored leaves no trace and the others go on. */
  #write({ changes, authorship, reject }: PendingCommit, touched: Touched): boolean {
    try {
      const now = this.#now();
      const stamp: Stamp = {
        author: authorship.author,
        reason: authorship.reason,
        updatedAt: now.toISOString(),
        nodeTag: this.#database.actor.slice(0, NODE_TAG_LENGTH),
      };
      writeChanges({ documents: this.#documents, touched }, changes, stamp);
      this.#documents.seal(Math.floor(now.getTime() / 1000));
      return true;
    } catch (thrown) {
      this.#documents.rollback();
      reject(thrown);
      return false;
    }
  }

  /** Memory follows the disk: nothing is seen before it is durable. */
  async #persist(touched: Touched, commits: number): Promise<void> {
    const generation = this.config.generation + commits;
    const next = project(this.#projection, touched, this.#documents, generation);
    const writes = this.#documents.staged();
    await this.#database.write(writes, generation);
    this.#documents.noteDurable(writes);
    this.#projection = next;
  }
}

/** Hex digits of the actor in revisions: enough to tell a cluster's nodes apart. */
const NODE_TAG_LENGTH = 8;
