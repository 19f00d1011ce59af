/** Reads 32 bits in network order (RFC 1035 section 2.3.2), as a signed number; `>>> 0` makes it unsigned. */
export function getInt32(octets: Uint8Array, at: number): number {
  return (
    ((octets[at] as number) << 24) |
    ((octets[at + 1] as number) << 16) |
    ((octets[at + 2] as number) << 8) |
    (octets[at + 3] as number)
  );
}
