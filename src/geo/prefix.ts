import { normalise, parseAddress, parsePrefix } from '../dns/address.ts';

/** An address prefix; bits past its length are zero. */
export interface Prefix {
  readonly family: 4 | 6;
  /** As an integer of 32 or 128 bits. */
  readonly start: bigint;
  /** 0 to 32 for family 4, 0 to 128 for family 6. */
  readonly length: number;
}

/** Bits before the IPv4 address in `::ffff:0:0/96` (RFC 4291 section 2.5.5.2): such a prefix means the IPv4 one. */
const MAPPED_BITS = 96;

/**
 * Reads `192.0.2.0/24` or `2001:db8::/32`. Undefined for anything else, also for bits set past the length: a rule
 * for 192.0.2.7/24 leaves open which of the two was meant.
 */
export function parseExactPrefix(text: string): Prefix | undefined {
  const prefix = parsePrefix(text);
  const written = parseAddress(text.slice(0, text.indexOf('/')));
  if (prefix === undefined || written === undefined) return undefined;
  const { family, octets, length } = prefix;
  if (!octets.every((octet, i) => octet === written.octets[i])) return undefined;
  const v4 = family === 6 && length >= MAPPED_BITS ? normalise(prefix) : prefix;
  if (v4.family === family) return { family, start: addressNumber(family, octets), length };
  return { family: 4, start: addressNumber(4, v4.octets), length: length - MAPPED_BITS };
}

/** True when the prefix holds the address, given as an integer of the same family. */
export function prefixHolds(prefix: Prefix, address: bigint): boolean {
  const free = BigInt((prefix.family === 4 ? 32 : 128) - prefix.length);
  return address >> free === prefix.start >> free;
}

/** An address of 4 or 16 octets as an integer. */
export function addressNumber(family: 4 | 6, address: Uint8Array): bigint {
  let number = 0n;
  for (const octet of address.subarray(0, family === 4 ? 4 : 16)) number = (number << 8n) | BigInt(octet);
  return number;
}
