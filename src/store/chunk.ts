import { createHash } from 'node:crypto';
import { StoreError } from './store-error.ts';

/**
 * How bytes stand on disk, so that a torn, swapped or overwritten record is noticed before it is used:
 *
 *     +---------+---------------------------------+---------------------+
 *     | "MCH1"  | SHA-256(key, payload), 16 octets | payload             |
 *     +---------+---------------------------------+---------------------+
 *       4 octets
 *
 * The key is part of the sum: a whole record under the wrong key is as bad as a torn one.
 */
const MAGIC = Buffer.from('MCH1', 'latin1');

/** 128 bits of the sum: against accidents, not attackers. */
const CHECKSUM_LENGTH = 16;

const HEADER_LENGTH = MAGIC.length + CHECKSUM_LENGTH;

/** Frames a payload that will stand under this key. */
export function frameChunk(key: string, payload: Uint8Array): Buffer {
  return Buffer.concat([MAGIC, checksum(key, payload), payload]);
}

/**
 * The payload of a record read under this key.
 * @throws StoreError `damaged` when the record is missing or is not what was written.
 */
export function openChunk(key: string, record: Uint8Array | undefined): Uint8Array {
  if (record === undefined) throw new StoreError('damaged', `Record ${key} is missing.`);
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength);
  const payload = bytes.subarray(HEADER_LENGTH);
  const whole =
    bytes.length >= HEADER_LENGTH &&
    bytes.subarray(0, MAGIC.length).equals(MAGIC) &&
    bytes.subarray(MAGIC.length, HEADER_LENGTH).equals(checksum(key, payload));
  if (!whole) throw new StoreError('damaged', `Record ${key} is torn: its checksum does not match.`);
  return payload;
}

function checksum(key: string, payload: Uint8Array): Buffer {
  return createHash('sha256').update(`${key}\n`).update(payload).digest().subarray(0, CHECKSUM_LENGTH);
}
