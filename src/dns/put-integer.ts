/** Writes 16 bits in network order (RFC 1035 section 2.3.2); higher bits of the value are left out. */
export function putUint16(octets: Uint8Array, at: number, value: number): void {
  octets[at] = value >> 8;
  octets[at + 1] = value;
}

/** Writes 32 bits in network order. */
export function putUint32(octets: Uint8Array, at: number, value: number): void {
  octets[at] = value >>> 24;
  octets[at + 1] = value >>> 16;
  octets[at + 2] = value >>> 8;
  octets[at + 3] = value;
}
