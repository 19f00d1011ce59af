import { formatPrefix } from '../../dns/address.ts';

/**
 * A prefix as one number, exact below 2^50, so that counting by prefix makes no text:
 *
 *     IPv6    1 p p p ... p         a leading one, then the bits of the prefix: at most 48 of them
 *     IPv4    the same of at most 24 bits, plus 2^49
 */
const IPV4 = 2 ** 49;

/** Longest prefixes that are told apart: what networks announce, and coarse enough to name no person. */
const MAX_IPV4_LENGTH = 24;
const MAX_IPV6_LENGTH = 48;

/** The key of the network that an address lies in, of which `knownBits` are known. `octets`: 4 or 16. */
export function prefixKey(octets: Uint8Array, knownBits: number): number {
  const ipv4 = octets.length === 4;
  const length = Math.min(knownBits, ipv4 ? MAX_IPV4_LENGTH : MAX_IPV6_LENGTH);
  let key = 1;
  for (let bit = 0; bit < length; bit += 8) {
    const bits = Math.min(8, length - bit);
    key = key * 2 ** bits + ((octets[bit >> 3] as number) >> (8 - bits));
  }
  return ipv4 ? key + IPV4 : key;
}

/** `192.0.2.0/24` */
export function formatPrefixKey(key: number): string {
  const ipv4 = key > IPV4;
  let bits = ipv4 ? key - IPV4 : key;
  const length = Math.floor(Math.log2(bits));
  bits = (bits - 2 ** length) * 2 ** ((ipv4 ? MAX_IPV4_LENGTH : MAX_IPV6_LENGTH) - length);
  const octets = new Uint8Array(ipv4 ? 4 : 16);
  for (let at = (ipv4 ? MAX_IPV4_LENGTH : MAX_IPV6_LENGTH) / 8 - 1; at >= 0; at--) {
    octets[at] = bits % 256;
    bits = Math.floor(bits / 256);
  }
  return formatPrefix(octets, length);
}
