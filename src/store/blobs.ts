import { createHash } from 'node:crypto';
import type { Config } from '../config/model.ts';
import type { Database } from './database.ts';
import { StoreError } from './store-error.ts';

/** A zone file of several million records; more does not fit a node's memory once compiled. */
export const MAX_BLOB_LENGTH = 536_870_912;

/** SHA-256, hex: a blob's name, the same on every node. */
export function blobHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function isBlobHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/**
 * A blob's bytes; undefined when there is none of that hash.
 * @throws StoreError `damaged` when the bytes are not those that were put.
 */
export function readBlob(database: Database, hash: string): Uint8Array | undefined {
  if (!isBlobHash(hash)) return undefined;
  const bytes = database.blob(hash);
  if (bytes === undefined) return undefined;
  if (blobHash(bytes) !== hash) {
    throw new StoreError('damaged', `Blob ${hash} is damaged on disk. Apply its zone file again.`);
  }
  return bytes;
}

/** Whether these bytes are there under that hash. */
export function holdsBlob(database: Database, hash: string, bytes: Buffer): boolean {
  const known = database.blob(hash);
  return known !== undefined && bytes.equals(known);
}

/** Hashes of the blobs that no zone of this configuration refers to. */
export function unreferencedBlobs(database: Database, config: Config): readonly string[] {
  const referenced = new Set<string>();
  for (const { value } of config.zones.values()) if (value.kind === 'blob') referenced.add(value.blob);
  return database.blobHashes().filter((hash) => !referenced.has(hash));
}
