import { isMapped } from '../dns/address.ts';
import { type Query, SUBNET_IPV6 } from '../dns/query.ts';
import { SPILL_V4_PREFIX, SPILL_V6_PREFIX } from '../steering/spill.ts';
import type { Decision } from './decision.ts';

/** Who sent the packet; mutable, so that one object serves every packet of a socket. */
export interface SenderAddress {
  family: 4 | 6;
  /** Network order; only the first 4 count for family 4. */
  octets: Uint8Array;
  /** Where it sent from; 0 or absent where that is not known. Only what is logged of a query depends on it. */
  port?: number;
}

/** Octets before the IPv4 address in `::ffff:0:0/96` (RFC 4291 section 2.5.5.2), and their bits. */
const MAPPED_OCTETS = 12;
const MAPPED_BITS = 96;

/**
 * Writes into the decision which address is to be located: the client subnet, else the resolver's own. IPv4-mapped
 * IPv6 addresses count as IPv4.
 *
 * RFC 7871 section 7.1.2: source /0 asks not to be located, so neither the subnet, which is empty, nor the resolver's
 * address may be used. The unspecified address stands for it, which lies nowhere.
 */
export function identifyClient(decision: Decision, query: Query, resolver: SenderAddress): void {
  if (query.hasSubnet) {
    const family = query.subnetFamily === SUBNET_IPV6 ? 6 : 4;
    decision.clientSource = 'client-subnet';
    setClient(decision, family, query.subnetAddress, query.sourcePrefixLength);
  } else {
    decision.clientSource = 'resolver';
    setClient(decision, resolver.family, resolver.octets, resolver.family === 4 ? 32 : 128);
  }
}

/**
 * The scope of an answer that holds for the map's prefix (RFC 7871 section 7.2.1), in the client subnet's own family.
 * `everywhere`: the map gives all clients the same.
 */
export function scopeOf(decision: Decision, query: Query, everywhere: boolean): number {
  if (everywhere || query.sourcePrefixLength === 0) return 0;
  if (decision.clientFamily === 6) return besideMapped(decision.clientAddress, decision.mapPrefixLength);
  return decision.mapPrefixLength + (query.subnetFamily === SUBNET_IPV6 ? MAPPED_BITS : 0);
}

/** The scope of an answer that depends on a client by the prefix that spills go by, likewise. */
export function spillScopeOf(decision: Decision, query: Query): number {
  if (query.sourcePrefixLength === 0) return 0;
  if (decision.clientFamily === 6) return besideMapped(decision.clientAddress, SPILL_V6_PREFIX);
  return SPILL_V4_PREFIX + (query.subnetFamily === SUBNET_IPV6 ? MAPPED_BITS : 0);
}

/**
 * The prefix length, longer if need be, so that the prefix leaves out `::ffff:0:0/96`: whoever is in there is located
 * as IPv4 and may get another answer.
 */
function besideMapped(address: Uint8Array, prefixLength: number): number {
  for (let i = 0; i < MAPPED_OCTETS; i++) {
    const differing = (address[i] as number) ^ (i < MAPPED_OCTETS - 2 ? 0 : 0xff);
    // The first differing bit, counted from 0, is the last that the prefix has to hold.
    if (differing !== 0) return Math.max(prefixLength, i * 8 + Math.clz32(differing) - 24 + 1);
  }
  return prefixLength;
}

/** The scope that was sent, in the family of the located client: an IPv4-mapped client subnet is located as IPv4. */
export function clientScope({ clientFamily, scopePrefixLength }: Decision): number {
  return clientFamily === 4 && scopePrefixLength >= MAPPED_BITS
    ? scopePrefixLength - MAPPED_BITS
    : scopePrefixLength;
}

function setClient(decision: Decision, family: 4 | 6, octets: Uint8Array, sourcePrefixLength: number): void {
  const mapped = family === 6 && sourcePrefixLength >= MAPPED_BITS && isMapped(octets);
  const start = mapped ? MAPPED_OCTETS : 0;
  const length = mapped || family === 4 ? 4 : 16;
  for (let i = 0; i < length; i++) decision.clientAddress[i] = octets[start + i] as number;
  decision.clientFamily = length === 4 ? 4 : 6;
  decision.sourcePrefixLength = mapped ? sourcePrefixLength - MAPPED_BITS : sourcePrefixLength;
}
