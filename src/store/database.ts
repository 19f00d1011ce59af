import type { DocumentRecord } from './database-layout.ts';

/** What one transaction writes about one document. */
export interface DocumentWrite {
  readonly record: DocumentRecord;
  readonly changes: readonly { readonly sequence: number; readonly bytes: Uint8Array }[];
  /** A new snapshot, which takes the place of the changes in `replaced`. */
  readonly snapshot: Uint8Array | undefined;
  readonly replaced: { readonly from: number; readonly to: number };
}

/**
 * The records of one store: LMDB in a data directory, and in a simulation whatever can lose what was not flushed.
 * A write that resolved is there after any crash; one that rejected has left nothing; one under way is there whole or
 * not at all.
 */
export interface Database {
  /** Number of commits so far. */
  readonly generation: number;
  documentRecords(): Iterable<DocumentRecord>;
  documentRecord(id: string): DocumentRecord | undefined;
  /**
   * Snapshot and changes of a document, in the order in which they must be loaded.
   * @throws StoreError `damaged` when one is missing or torn.
   */
  documentParts(record: DocumentRecord): readonly Uint8Array[];
  /**
   * Writes all of it or nothing; resolves when it is on disk.
   * @throws StoreError `write-failed`.
   */
  write(documents: readonly DocumentWrite[], generation: number): Promise<void>;
  blob(hash: string): Uint8Array | undefined;
  hasBlob(hash: string): boolean;
  putBlob(hash: string, bytes: Buffer): Promise<void>;
  blobHashes(): readonly string[];
  removeBlobs(hashes: readonly string[]): Promise<void>;
  close(): Promise<void>;
}
