/*
 * Hashes of names, from the root outwards, so that one pass over a name gives the hash of every suffix of it:
 *
 *     H(.) -> H(org.) -> H(example.org.) -> H(www.example.org.)
 *
 * FNV-1a over each label's length and octets, then a mix, because tables use the low bits and FNV alone leaves
 * short labels close together. It is no defence against names chosen to collide: readers compare the names.
 */

/** The hash of the root: FNV-1a's 32-bit offset basis. */
export const HASH_SEED = 0x811c9dc5;

const FNV_PRIME = 0x01000193;
/** An odd constant with evenly spread bits, as multiplicative mixing needs. */
const MIX_MULTIPLIER = 0x9e3779b1;

/**
 * The hash of `label . rest`, as an unsigned 32-bit number.
 * `labelOffset` is where the label's length octet stands; its octets must be in lower case.
 */
export function hashLabel(restHash: number, name: Uint8Array, labelOffset: number): number {
  const length = octetAt(name, labelOffset);
  let hash = Math.imul(restHash ^ length, FNV_PRIME);
  const end = labelOffset + length;
  for (let i = labelOffset + 1; i <= end; i += 1) hash = Math.imul(hash ^ octetAt(name, i), FNV_PRIME);
  hash = Math.imul(hash ^ (hash >>> 15), MIX_MULTIPLIER);
  return (hash ^ (hash >>> 13)) >>> 0;
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
