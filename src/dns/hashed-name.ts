import { lowercaseOctet, MAX_LABEL_LENGTH, MAX_LABELS, MAX_NAME_LENGTH } from './name.ts';
import { addToLabelHash, beginLabelHash, HASH_SEED, joinHashes } from './name-hash.ts';

/**
 * A name in lower case with the hash of each of its suffixes, in fixed arrays that are written anew for every name,
 * so that zones, owner names and closest enclosers are all found from one pass over the name.
 *
 *     octets         3 w w w 7 e x a m p l e 3 o r g 0
 *                    |       |               |       |
 *     labelOffsets   0       4               12      16      one per label, and the root's
 *     suffixHashes   H(www…) H(example.org.) H(org.) HASH_SEED
 */
export interface HashedName {
  readonly octets: Uint8Array;
  /** Octets of the whole name with its root; 0 for no name. */
  length: number;
  /** Without the root. */
  labelCount: number;
  readonly labelOffsets: Uint8Array;
  /** Signed, because a number of 32 bits without sign may cost an allocation where it leaves an array. */
  readonly suffixHashes: Int32Array;
}

/** No name yet. */
export function createHashedName(): HashedName {
  return {
    octets: new Uint8Array(MAX_NAME_LENGTH + 1),
    length: 0,
    labelCount: 0,
    labelOffsets: new Uint8Array(MAX_LABELS + 1),
    suffixHashes: new Int32Array(MAX_LABELS + 1),
  };
}

/** What the readers return for octets that are no name. */
export const BAD_NAME = -1;

/** Octets of a compression pointer (RFC 1035 section 4.1.4). */
const POINTER_LENGTH = 2;

/**
 * Reads the uncompressed name at `offset`, not reading at or past `end`. Returns the offset after it, or `BAD_NAME`
 * where it has a compression pointer, another label type, or more than 255 octets.
 */
export function readPlainName(name: HashedName, bytes: Uint8Array, offset: number, end: number): number {
  name.length = 0;
  let at = offset;
  let length = 0;
  let labels = 0;
  for (;;) {
    if (at >= end) return BAD_NAME;
    const labelLength = bytes[at] as number;
    const next = at + labelLength + 1;
    if (labelLength > MAX_LABEL_LENGTH || next > end || length + labelLength + 1 > MAX_NAME_LENGTH)
      return BAD_NAME;
    copyLabel(name, labels, length, bytes, at);
    length += labelLength + 1;
    at = next;
    if (labelLength === 0) break;
    labels++;
  }
  finishName(name, length, labels);
  return at;
}

/**
 * Reads a name that may be compressed, as our own answers have them. Every pointer must lead to an earlier octet
 * than the last one did, and a name ends after 255 octets, so hostile pointers end too. False for no name.
 */
export function readCompressedName(
  name: HashedName,
  bytes: Uint8Array,
  offset: number,
  end: number,
): boolean {
  name.length = 0;
  let at = offset;
  let earliest = offset;
  let length = 0;
  let labels = 0;
  for (;;) {
    if (at >= end) return false;
    const labelLength = bytes[at] as number;
    if (labelLength >= 0xc0) {
      if (at + POINTER_LENGTH > end) return false;
      at = ((labelLength & 0x3f) << 8) | (bytes[at + 1] as number);
      if (at >= earliest) return false;
      earliest = at;
      continue;
    }
    const next = at + labelLength + 1;
    if (labelLength > MAX_LABEL_LENGTH || next > end || length + labelLength + 1 > MAX_NAME_LENGTH)
      return false;
    copyLabel(name, labels, length, bytes, at);
    length += labelLength + 1;
    at = next;
    if (labelLength === 0) break;
    labels++;
  }
  finishName(name, length, labels);
  return true;
}

/** Skips a name without reading it, compressed or not. Returns the offset after it, or `BAD_NAME`. */
export function skipName(bytes: Uint8Array, offset: number, end: number): number {
  let at = offset;
  while (at < end) {
    const labelLength = bytes[at] as number;
    if (labelLength === 0) return at + 1;
    if (labelLength >= 0xc0) return at + POINTER_LENGTH <= end ? at + POINTER_LENGTH : BAD_NAME;
    if (labelLength > MAX_LABEL_LENGTH) return BAD_NAME;
    at += labelLength + 1;
    if (at - offset >= MAX_NAME_LENGTH) return BAD_NAME;
  }
  return BAD_NAME;
}

/**
 * Copies the label at `at` with its length, in lower case, to `to`. Its hash goes where that of the suffix is to be;
 * the root's is written over at the end.
 */
function copyLabel(name: HashedName, label: number, to: number, bytes: Uint8Array, at: number): void {
  const { labelOffsets, octets, suffixHashes } = name;
  const labelLength = bytes[at] as number;
  labelOffsets[label] = to;
  octets[to] = labelLength;
  let hash = beginLabelHash(labelLength);
  for (let i = 1; i <= labelLength; i++) {
    const octet = lowercaseOctet(bytes[at + i] as number);
    octets[to + i] = octet;
    hash = addToLabelHash(hash, octet);
  }
  suffixHashes[label] = hash;
}

/** Joins the hashes of the labels, which stand where those of the suffixes are to be. */
function finishName(name: HashedName, length: number, labels: number): void {
  const { suffixHashes } = name;
  name.length = length;
  name.labelCount = labels;
  let hash = HASH_SEED | 0;
  suffixHashes[labels] = hash;
  for (let label = labels - 1; label >= 0; label--) {
    hash = joinHashes(hash, suffixHashes[label] as number);
    suffixHashes[label] = hash;
  }
}
