/*
 * Hashes of names, so that one pass over a name gives the hash of every suffix of it:
 *
 *     labels on the way      L(www)             L(example)      L(org)
 *     then from the root     H(www.example.org) H(example.org)  H(org)  <- HASH_SEED
 *
 * L is FNV-1a over a label's length and octets. H joins it to the hash of the rest and mixes, because tables use the
 * low bits and FNV alone leaves short labels close together. It is no defence against names chosen to collide:
 * readers compare the names.
 */

/** The hash of the root: FNV-1a's 32-bit offset basis. */
export const HASH_SEED = 0x811c9dc5;

const FNV_PRIME = 0x01000193;
/** Odd constants with evenly spread bits, as multiplicative mixing needs. */
const JOIN_MULTIPLIER = 0x85ebca6b;
const MIX_MULTIPLIER = 0x9e3779b1;

/** The hash of a label with none of its octets yet, as a signed number. */
export function beginLabelHash(length: number): number {
  return Math.imul(HASH_SEED ^ length, FNV_PRIME);
}

/** The same with one more octet, in lower case. */
export function addToLabelHash(hash: number, octet: number): number {
  return Math.imul(hash ^ octet, FNV_PRIME);
}

/** The hash of `label . rest` from those of the label and of the rest, as a signed number. */
export function joinHashes(restHash: number, labelHash: number): number {
  let hash = Math.imul(restHash, JOIN_MULTIPLIER) ^ labelHash;
  hash = Math.imul(hash ^ (hash >>> 15), MIX_MULTIPLIER);
  return hash ^ (hash >>> 13);
}

/**
 * The hash of `label . rest`, as an unsigned 32-bit number.
 * `labelOffset` is where the label's length octet stands; its octets must be in lower case.
 */
export function hashLabel(restHash: number, name: Uint8Array, labelOffset: number): number {
  const length = octetAt(name, labelOffset);
  let hash = beginLabelHash(length);
  const end = labelOffset + length;
  for (let i = labelOffset + 1; i <= end; i += 1) hash = addToLabelHash(hash, octetAt(name, i));
  return joinHashes(restHash, hash) >>> 0;
}

/** The hash of a whole wire name in lower case, as an unsigned 32-bit number. */
export function hashName(lowercaseWire: Uint8Array): number {
  return hashFrom(lowercaseWire, 0);
}

// A name has at most 127 labels, which bounds the recursion.
function hashFrom(name: Uint8Array, offset: number): number {
  const length = octetAt(name, offset);
  if (length === 0) return HASH_SEED;
  return hashLabel(hashFrom(name, offset + length + 1), name, offset);
}

function octetAt(octets: Uint8Array, offset: number): number {
  return octets[offset] ?? 0;
}
