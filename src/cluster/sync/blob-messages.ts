/**
 * What travels on the channel of blobs, in answer to each other:
 *
 *     { kind: 'ask', hash, at }                         octets from `at` on, as many as a chunk has
 *     { kind: 'chunk', hash, at, length, octets }       of a blob of `length` octets
 *     { kind: 'lacks', hash }                           the asked node does not have it
 */
import { isBlobHash, MAX_BLOB_LENGTH } from '../../store/blobs.ts';
import { encodeFrame } from '../frame.ts';

/** A link that is slow still carries other frames between two chunks. */
export const CHUNK_OCTETS = 262_144;

export type BlobFrame =
  | { readonly kind: 'ask'; readonly hash: string; readonly at: number }
  | BlobChunk
  | { readonly kind: 'lacks'; readonly hash: string };

export interface BlobChunk {
  readonly kind: 'chunk';
  readonly hash: string;
  readonly at: number;
  /** Octets of the whole blob. */
  readonly length: number;
  readonly octets: Uint8Array;
}

export function encodeBlobFrame(frame: BlobFrame): Uint8Array {
  return encodeFrame('blobs', frame);
}

/** Undefined for what is no frame of blobs. */
export function parseBlobFrame(value: unknown): BlobFrame | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { kind, hash, at, length, octets } = value as Record<string, unknown>;
  if (typeof hash !== 'string' || !isBlobHash(hash)) return undefined;
  if (kind === 'lacks') return { kind, hash };
  if (!isPlace(at) || at % CHUNK_OCTETS !== 0) return undefined;
  if (kind === 'ask') return { kind, hash, at };
  if (kind !== 'chunk' || !isPlace(length) || !(octets instanceof Uint8Array)) return undefined;
  // Each chunk is whole but for the last: nobody can make us keep count of shreds.
  const expected = Math.min(CHUNK_OCTETS, length - at);
  return octets.length === expected ? { kind, hash, at, length, octets } : undefined;
}

function isPlace(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= MAX_BLOB_LENGTH;
}
