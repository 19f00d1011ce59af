/** An address prefix; bits past its length are zero. */
export interface Prefix {
  readonly family: 4 | 6;
  /** As an integer of 32 or 128 bits. */
  readonly start: bigint;
  /** 0 to 32 for family 4, 0 to 128 for family 6. */
  readonly length: number;
}

/** ::ffff:0:0/96 (RFC 4291 section 2.5.5.2): such an IPv6 prefix means the IPv4 one. */
const MAPPED_V4 = 0xffffn;

/**
 * Reads `192.0.2.0/24` or `2001:db8::/32`. Undefined for anything else, also for bits set past the length: a rule
 * for 192.0.2.7/24 leaves open which of the two was meant.
 */
export function parsePrefix(text: string): Prefix | undefined {
  const [addressText = '', lengthText = '', ...rest] = text.split('/');
  if (rest.length > 0 || !/^\d{1,3}$/.test(lengthText)) return undefined;
  const v4 = parseV4(addressText);
  const family = v4 === undefined ? 6 : 4;
  const start = v4 ?? parseV6(addressText);
  const length = Number(lengthText);
  const bits = family === 4 ? 32 : 128;
  if (start === undefined || length > bits || BigInt.asUintN(bits - length, start) !== 0n) return undefined;
  if (family === 6 && start >> 32n === MAPPED_V4 && length >= 96)
    return { family: 4, start: BigInt.asUintN(32, start), length: length - 96 };
  return { family, start, length };
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

function parseV4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let number = 0n;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    number = (number << 8n) | BigInt(part);
  }
  return number;
}

function parseV6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const groups = halves.map(parseGroups);
  const [head, tail] = groups;
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...head, ...new Array<number>(missing).fill(0), ...(tail ?? [])];
  return all.reduce((number, group) => (number << 16n) | BigInt(group), 0n);
}

/** Sixteen-bit groups; the last may be an IPv4 address, which is two. */
function parseGroups(text: string): readonly number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [at, part] of parts.entries()) {
    const v4 = at === parts.length - 1 ? parseV4(part) : undefined;
    if (v4 !== undefined) groups.push(Number(v4 >> 16n), Number(v4 & 0xffffn));
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}
