import { createHash } from 'node:crypto';

/**
 * The LMDB database in `<directory>/database`. A commit writes all its records in one transaction.
 *
 *     node        "format"             -> 1
 *                 "generation"         -> number of commits so far
 *     documents   D                    -> DocumentRecord
 *     chunks      "D/snapshot"         -> chunk: the document up to DocumentRecord.first
 *                 "D/<sequence>"       -> chunk: one change; every sequence in [first, next) is there
 *     blobs       SHA-256, hex         -> bytes
 *
 *     D = first 32 hex digits of the SHA-256 of the document's id (names may be longer than LMDB keys)
 *     chunk = checksummed frame, see chunk.ts
 *
 * A missing, torn or misplaced change cannot pass: the chunk's checksum covers its key, the record says which
 * sequences exist, and the heads after loading must be the recorded ones.
 */
export const STORE_FORMAT = 1;

export interface DocumentRecord {
  readonly id: string;
  /** Sequence of the first change that is not in the snapshot; 0 when there is no snapshot. */
  readonly first: number;
  /** Sequence of the next change. */
  readonly next: number;
  /** Heads of the document once all of it is loaded, sorted. */
  readonly heads: readonly string[];
  /** Octets of all changes in [first, next). */
  readonly changesLength: number;
}

export const NODE_DATABASE = 'node';
export const DOCUMENTS_DATABASE = 'documents';
export const CHUNKS_DATABASE = 'chunks';
export const BLOBS_DATABASE = 'blobs';

/** What a check of the whole file reads. */
export const CHECKED_DATABASES = [NODE_DATABASE, DOCUMENTS_DATABASE, CHUNKS_DATABASE, BLOBS_DATABASE];

/**
 * No overlapping sync: a transaction that LMDB reports as committed is on disk.
 * No event-turn batching: it makes a promise of its own that nobody awaits, and a full disk would end the process
 * through its rejection; `batch` puts a commit's records into one transaction without it.
 */
export const databaseOptions = {
  encoding: 'binary',
  overlappingSync: false,
  eventTurnBatching: false,
  noSubdir: false,
  maxDbs: 8,
} as const;

/** The key of a document's records. */
export function documentKey(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 32);
}

export function snapshotKey(id: string): string {
  return `${documentKey(id)}/snapshot`;
}

export function changeKey(id: string, sequence: number): string {
  return `${documentKey(id)}/${sequence}`;
}
