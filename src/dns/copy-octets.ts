/** Octet by octet: `set` would allocate a view of the part. For hot paths; the two parts do not overlap. */
export function copyOctets(
  from: Uint8Array,
  start: number,
  to: Uint8Array,
  at: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) to[at + i] = from[start + i] as number;
}
