import { createHash } from 'node:crypto';
import type { Config } from '../config/model.ts';
import type { Zone } from '../config/resources/zone.ts';
import type { Conflict } from './conflicts/conflict.ts';
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

/** Hashes of the blobs that zones refer to, in use or as a side of a conflict that may yet be chosen. */
export function referencedBlobs(config: Config, conflicts: readonly Conflict[]): ReadonlySet<string> {
  const referenced = new Set<string>();
  const add = (zone: Zone): void => {
    if (zone.kind === 'blob' && isBlobHash(zone.blob)) referenced.add(zone.blob);
  };
  for (const { value } of config.zones.values()) add(value);
  for (const { place, values } of conflicts) {
    const isZone =
      place.kind === 'zone-records' || (place.kind === 'resource' && place.collection === 'zones');
    if (!isZone) continue;
    for (const { value } of values) if (value !== undefined) add(value as Zone);
  }
  return referenced;
}
