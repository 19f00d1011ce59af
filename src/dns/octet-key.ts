/** Octets that one call may take as arguments: far below any engine's bound. */
const MAX_SPREAD_LENGTH = 1024;

/** A map key of any octets: one character each. */
export function octetKey(octets: Uint8Array): string {
  if (octets.length <= MAX_SPREAD_LENGTH) return charactersOf(octets);
  let key = '';
  for (let start = 0; start < octets.length; start += MAX_SPREAD_LENGTH) {
    key += charactersOf(octets.subarray(start, start + MAX_SPREAD_LENGTH));
  }
  return key;
}

function charactersOf(octets: Uint8Array): string {
  // The spread operator would walk an iterator, at several times the cost.
  return Reflect.apply(String.fromCharCode, undefined, octets);
}
