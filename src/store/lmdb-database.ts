import { existsSync, mkdirSync, renameSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { open, type Database as Records, type RootDatabase } from 'lmdb';
import { reasonOf } from '../config/problem.ts';
import { syncDirectory } from '../disk/sync-directory.ts';
import type { BackupEntry } from './backup/backup-file.ts';
import { frameChunk, openChunk } from './chunk.ts';
import { assureReadable, noteClosed } from './clean-close.ts';
import type { Database, DocumentWrite } from './database.ts';
import {
  BLOBS_DATABASE,
  CHUNKS_DATABASE,
  changeKey,
  DOCUMENTS_DATABASE,
  type DocumentRecord,
  databaseOptions,
  documentKey,
  NODE_DATABASE,
  STORE_FORMAT,
  snapshotKey,
} from './database-layout.ts';
import { StoreError } from './store-error.ts';

/** Below this much free space a failed write is put down to a full disk; LMDB only says "Input/output error". */
const FULL_DISK_OCTETS = 1_048_576;

/** The records of one data directory; see `database-layout.ts` for the drawing. */
export class LmdbDatabase implements Database {
  readonly #directory: string;
  readonly #root: RootDatabase<Buffer, string>;
  readonly #node: Records<unknown, string>;
  readonly #documents: Records<DocumentRecord, string>;
  readonly #chunks: Records<Buffer, string>;
  readonly #blobs: Records<Buffer, string>;

  private constructor(directory: string) {
    this.#directory = directory;
    this.#root = open<Buffer, string>({ path: databasePath(directory), ...databaseOptions });
    this.#node = this.#root.openDB<unknown, string>({ name: NODE_DATABASE, encoding: 'json' });
    this.#documents = this.#root.openDB<DocumentRecord, string>({
      name: DOCUMENTS_DATABASE,
      encoding: 'json',
    });
    this.#chunks = this.#root.openDB<Buffer, string>({ name: CHUNKS_DATABASE, encoding: 'binary' });
    this.#blobs = this.#root.openDB<Buffer, string>({ name: BLOBS_DATABASE, encoding: 'binary' });
    this.#checkFormat();
  }

  /**
   * Opens the directory's database, made anew when there is none.
   * @throws StoreError `unreadable`, `damaged` or `newer-format`; its message names the directory.
   */
  static async open(directory: string): Promise<LmdbDatabase> {
    try {
      if (existsSync(databasePath(directory))) await assureReadable(directory, databasePath(directory));
      else await createDatabase(directory, fillEmpty);
      return new LmdbDatabase(directory);
    } catch (thrown) {
      if (thrown instanceof StoreError) throw thrown;
      throw new StoreError(
        'unreadable',
        `The database in ${directory} cannot be opened (${reasonOf(thrown)}). ` +
          'Check that the directory is readable and writable; otherwise restore it from a backup.',
        thrown,
      );
    }
  }

  /**
   * Makes the directory's database of what a backup has taken.
   * @throws StoreError `write-failed`, or whatever the backup's reader throws; there is no database then.
   */
  static async fill(directory: string, entries: AsyncIterable<BackupEntry>): Promise<void> {
    try {
      await createDatabase(directory, (root) => fillFrom(root, entries));
    } catch (thrown) {
      rmSync(join(directory, 'database.new'), { recursive: true, force: true });
      if (thrown instanceof StoreError) throw thrown;
      const cause = await causeOf(thrown);
      throw new StoreError('write-failed', `Writing to ${directory} failed (${reasonOf(cause)}).`, cause);
    }
  }

  get generation(): number {
    const generation = this.#node.get('generation');
    return typeof generation === 'number' ? generation : 0;
  }

  *documentRecords(): Iterable<DocumentRecord> {
    for (const { value } of this.#documents.getRange({})) yield value;
  }

  documentRecord(id: string): DocumentRecord | undefined {
    return this.#documents.get(documentKey(id));
  }

  documentParts(record: DocumentRecord): readonly Uint8Array[] {
    const keys = record.first > 0 ? [snapshotKey(record.id)] : [];
    for (let sequence = record.first; sequence < record.next; sequence += 1) {
      keys.push(changeKey(record.id, sequence));
    }
    return keys.map((key) => openChunk(key, this.#chunks.getBinary(key)));
  }

  async write(documents: readonly DocumentWrite[], generation: number): Promise<void> {
    await this.#transact(() => {
      for (const document of documents) this.#putDocument(document);
      void this.#node.put('generation', generation);
    });
  }

  blob(hash: string): Uint8Array | undefined {
    return this.#blobs.getBinary(hash);
  }

  /** Looks at keys alone: LMDB's own question would bring the whole blob into memory. */
  hasBlob(hash: string): boolean {
    for (const key of this.#blobs.getKeys({ start: hash, limit: 1 })) return key === hash;
    return false;
  }

  async putBlob(hash: string, bytes: Buffer): Promise<void> {
    await this.#transact(() => {
      void this.#blobs.put(hash, bytes);
    });
  }

  blobHashes(): readonly string[] {
    return [...this.#blobs.getKeys({})];
  }

  async removeBlobs(hashes: readonly string[]): Promise<void> {
    await this.#transact(() => {
      for (const hash of hashes) void this.#blobs.remove(hash);
    });
  }

  /** All records as they are at this moment, whatever is written while they are read. */
  *entries(): Generator<BackupEntry> {
    const transaction = this.#root.useReadTransaction();
    try {
      for (const [shelf, name] of shelfDatabases) {
        const records = this.#root.openDB<Buffer, string>({ name, encoding: 'binary' });
        for (const key of records.getKeys({ transaction })) {
          const value = records.get(key, { transaction });
          if (value !== undefined) yield { shelf, key, value };
        }
      }
    } finally {
      transaction.done();
    }
  }

  async close(): Promise<void> {
    await this.#root.close();
    noteClosed(this.#directory, databasePath(this.#directory));
  }

  #checkFormat(): void {
    const format = this.#node.get('format');
    if (typeof format === 'number' && format > STORE_FORMAT) {
      throw new StoreError(
        'newer-format',
        `The database in ${this.#directory} has format ${format}; this version reads up to ${STORE_FORMAT}.`,
      );
    }
    if (format !== STORE_FORMAT) {
      throw new StoreError(
        'damaged',
        `The database in ${this.#directory} has lost its contents. Restore the directory from a backup, ` +
          'or move it away to start empty.',
      );
    }
  }

  #putDocument({ record, changes, snapshot, replaced }: DocumentWrite): void {
    const { id } = record;
    if (snapshot !== undefined) {
      void this.#chunks.put(snapshotKey(id), frameChunk(snapshotKey(id), snapshot));
    }
    for (let sequence = replaced.from; sequence < replaced.to; sequence += 1) {
      void this.#chunks.remove(changeKey(id, sequence));
    }
    for (const { sequence, bytes } of changes) {
      void this.#chunks.put(changeKey(id, sequence), frameChunk(changeKey(id, sequence), bytes));
    }
    void this.#documents.put(documentKey(id), record);
  }

  async #transact(puts: () => void): Promise<void> {
    try {
      await this.#root.batch(puts);
      await this.#root.flushed;
    } catch (thrown) {
      const cause = await causeOf(thrown);
      throw new StoreError(
        'write-failed',
        `Writing to ${this.#directory} failed (${this.#diskIsFull() ? 'the disk is full' : reasonOf(cause)}). ` +
          'Nothing of this write was kept.',
        cause,
      );
    }
  }

  #diskIsFull(): boolean {
    try {
      const { bavail, bsize } = statfsSync(this.#directory);
      return bavail * bsize < FULL_DISK_OCTETS;
    } catch {
      return false;
    }
  }
}

function databasePath(directory: string): string {
  return join(directory, 'database');
}

/** Made under another name first, so that a database without contents is always a damaged one. */
async function createDatabase(
  directory: string,
  fill: (root: RootDatabase<Buffer, string>) => Promise<void>,
): Promise<void> {
  const path = join(directory, 'database.new');
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  const root = open<Buffer, string>({ path, ...databaseOptions });
  try {
    await fill(root);
    await root.flushed;
  } finally {
    await root.close();
  }
  syncDirectory(path);
  renameSync(path, databasePath(directory));
  syncDirectory(directory);
}

async function fillEmpty(root: RootDatabase<Buffer, string>): Promise<void> {
  const node = root.openDB<unknown, string>({ name: NODE_DATABASE, encoding: 'json' });
  await root.batch(() => {
    void node.put('format', STORE_FORMAT);
    void node.put('generation', 0);
  });
}

/** The databases whose records a backup takes, as they lie there. */
const shelfDatabases = [
  ['node', NODE_DATABASE],
  ['documents', DOCUMENTS_DATABASE],
  ['chunks', CHUNKS_DATABASE],
  ['blobs', BLOBS_DATABASE],
] as const;

/** Octets of a restored backup that one transaction writes. */
const FILL_OCTETS = 16_777_216;

async function fillFrom(
  root: RootDatabase<Buffer, string>,
  entries: AsyncIterable<BackupEntry>,
): Promise<void> {
  const databases = new Map<string, Records<Buffer, string>>(
    shelfDatabases.map(([shelf, name]) => [shelf, root.openDB<Buffer, string>({ name, encoding: 'binary' })]),
  );
  let waiting: BackupEntry[] = [];
  let octets = 0;
  const flush = async (): Promise<void> => {
    const written = waiting;
    waiting = [];
    octets = 0;
    await root.batch(() => {
      for (const { shelf, key, value } of written) void databases.get(shelf)?.put(key, Buffer.from(value));
    });
  };
  for await (const entry of entries) {
    waiting.push(entry);
    octets += entry.value.length;
    if (octets >= FILL_OCTETS) await flush();
  }
  await flush();
}

/** LMDB rejects with a pointer to a second promise that rejects with the reason. */
async function causeOf(thrown: unknown): Promise<unknown> {
  if (!(thrown instanceof Error) || !('commitError' in thrown)) return thrown;
  try {
    await thrown.commitError;
    return thrown;
  } catch (cause) {
    return cause;
  }
}
