import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { reasonOf } from '../../config/problem.ts';
import { syncDirectory } from '../../disk/sync-directory.ts';
import { StoreError } from '../store-error.ts';

/**
 * A backup is one file:
 *
 *     "MERIDIAN-BACKUP-1\n"
 *     entries     shelf, 1 octet | key length, 2 | value length, 4 | key, UTF-8 | value
 *     end         0 | SHA-256 of everything before it, this 0 included
 *
 * Numbers are big-endian. A file that ends anywhere else, or has another sum, is not used.
 */
const MAGIC = Buffer.from('MERIDIAN-BACKUP-1\n', 'latin1');
const END = 0;
const HEADER_LENGTH = 7;
const SUM_LENGTH = 32;

/** A blob is the longest value there is; see MAX_BLOB_LENGTH. */
const MAX_VALUE_LENGTH = 536_870_912;

/** Writes and reads of about this many octets: other work comes in between. */
const PIECE_LENGTH = 1_048_576;

/** Where an entry comes from. A number that was given once keeps its meaning. */
export const shelves = { node: 1, documents: 2, chunks: 3, blobs: 4, files: 5 } as const;

export type Shelf = keyof typeof shelves;

export interface BackupEntry {
  readonly shelf: Shelf;
  readonly key: string;
  readonly value: Uint8Array;
}

/** What a backup has taken. */
export interface BackupSummary {
  readonly entries: number;
  readonly octets: number;
}

/**
 * Writes a backup, whole and on disk under its name or not there at all; nobody but its owner may read it.
 * @throws StoreError `write-failed`; the message names the file.
 */
export async function writeBackup(path: string, entries: Iterable<BackupEntry>): Promise<BackupSummary> {
  const partial = `${path}.partial`;
  try {
    await rm(partial, { force: true });
    const file = await open(partial, 'wx', 0o600);
    let summary: BackupSummary;
    try {
      summary = await writeEntries(file, entries);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
    syncDirectory(dirname(path));
    return summary;
  } catch (thrown) {
    await rm(partial, { force: true }).catch(() => undefined);
    if (thrown instanceof StoreError) throw thrown;
    throw new StoreError(
      'write-failed',
      `The backup ${path} could not be written (${reasonOf(thrown)}).`,
      thrown,
    );
  }
}

async function writeEntries(file: FileHandle, entries: Iterable<BackupEntry>): Promise<BackupSummary> {
  const sum = createHash('sha256');
  let waiting: Uint8Array[] = [];
  let waitingLength = 0;
  let octets = 0;
  const put = async (...parts: readonly Uint8Array[]): Promise<void> => {
    for (const part of parts) {
      sum.update(part);
      waiting.push(part);
      waitingLength += part.length;
    }
    if (waitingLength >= PIECE_LENGTH) await flush();
  };
  const flush = async (): Promise<void> => {
    await file.writeFile(Buffer.concat(waiting));
    octets += waitingLength;
    waiting = [];
    waitingLength = 0;
  };
  let count = 0;
  await put(MAGIC);
  for (const { shelf, key, value } of entries) {
    const name = Buffer.from(key);
    const header = Buffer.alloc(HEADER_LENGTH);
    header.writeUInt8(shelves[shelf], 0);
    header.writeUInt16BE(name.length, 1);
    header.writeUInt32BE(value.length, 3);
    await put(header, name, value);
    count += 1;
  }
  await put(Uint8Array.of(END));
  waiting.push(sum.digest());
  waitingLength += SUM_LENGTH;
  await flush();
  return { entries: count, octets };
}

/**
 * Reads all of a backup without keeping it.
 * @throws StoreError `unreadable` when it is not whole, or no backup; the message names the file.
 */
export async function checkBackup(path: string): Promise<BackupSummary> {
  let entries = 0;
  for await (const _ of readBackup(path)) entries += 1;
  const file = await open(path, 'r');
  try {
    return { entries, octets: (await file.stat()).size };
  } finally {
    await file.close();
  }
}

/**
 * The entries of a backup, in order. Whether it is whole is known only once all were read.
 * @throws StoreError `unreadable`; the message names the file.
 */
export async function* readBackup(path: string): AsyncGenerator<BackupEntry> {
  const file = await openBackup(path);
  try {
    const reader = new Reader(file);
    const magic = await reader.take(MAGIC.length);
    if (magic === undefined || !magic.equals(MAGIC))
      throw notWhole(path, 'it is not a backup of this program');
    for (;;) {
      const entry = await readEntry(reader);
      if (entry === 'torn') throw notWhole(path, 'it is cut off or overwritten');
      if (entry === 'end') break;
      yield entry;
    }
    const sum = reader.sum();
    const told = await reader.take(SUM_LENGTH);
    if (told === undefined || !told.equals(sum)) throw notWhole(path, 'its checksum does not match');
    if ((await reader.take(1)) !== undefined) throw notWhole(path, 'something follows its end');
  } finally {
    await file.close();
  }
}

async function openBackup(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (thrown) {
    throw new StoreError('unreadable', `The backup ${path} cannot be opened (${reasonOf(thrown)}).`, thrown);
  }
}

function notWhole(path: string, why: string): StoreError {
  return new StoreError('unreadable', `The backup ${path} cannot be used: ${why}. Nothing was changed.`);
}

async function readEntry(reader: Reader): Promise<BackupEntry | 'end' | 'torn'> {
  const kind = (await reader.take(1))?.[0];
  if (kind === END) return 'end';
  const shelf = shelfNames.find((name) => shelves[name] === kind);
  const lengths = await reader.take(HEADER_LENGTH - 1);
  if (shelf === undefined || lengths === undefined) return 'torn';
  const valueLength = lengths.readUInt32BE(2);
  if (valueLength > MAX_VALUE_LENGTH) return 'torn';
  const key = await reader.take(lengths.readUInt16BE(0));
  const value = await reader.take(valueLength);
  return key === undefined || value === undefined ? 'torn' : { shelf, key: key.toString(), value };
}

const shelfNames: readonly Shelf[] = ['node', 'documents', 'chunks', 'blobs', 'files'];

/** Reads a file from its start, and sums up what was taken. */
class Reader {
  readonly #file: FileHandle;
  readonly #sum: Hash = createHash('sha256');
  #piece = Buffer.alloc(0);

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** The next octets; undefined when there are fewer. */
  async take(length: number): Promise<Buffer | undefined> {
    const pieces = [this.#piece];
    let known = this.#piece.length;
    while (known < length) {
      // No more at a time than there is, whatever length a torn file claims.
      const { bytesRead, buffer } = await this.#file.read(Buffer.alloc(PIECE_LENGTH), 0, PIECE_LENGTH);
      if (bytesRead === 0) return undefined;
      pieces.push(buffer.subarray(0, bytesRead));
      known += bytesRead;
    }
    const all = pieces.length === 1 ? this.#piece : Buffer.concat(pieces);
    const taken = all.subarray(0, length);
    this.#piece = all.subarray(length);
    this.#sum.update(taken);
    return taken;
  }

  sum(): Buffer {
    return this.#sum.copy().digest();
  }
}
