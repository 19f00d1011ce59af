/** An address as octets in network order: 4 of them for family 4, 16 for family 6. */
export interface Address {
  readonly family: 4 | 6;
  readonly octets: Uint8Array;
}

/** The addresses whose first `length` bits are those of `octets`; all bits past them are zero. */
export interface AddressPrefix extends Address {
  /** 0 to 32, or 0 to 128. */
  readonly length: number;
}

/** Longest text of an address: eight groups with an IPv4 tail. Anything longer is refused unread. */
const MAX_ADDRESS_TEXT_LENGTH = 45;

const IPV4_OCTETS = 4;
const IPV6_OCTETS = 16;
const IPV6_GROUPS = 8;
/** Octets before the IPv4 address in an IPv4-mapped IPv6 address, `::ffff:0:0/96` (RFC 4291 section 2.5.5.2). */
const MAPPED_PREFIX_OCTETS = 12;

/**
 * Parses an address: IPv4 as four decimal numbers without leading zeros, IPv6 as RFC 4291 section 2.2 writes it,
 * without a zone index. Undefined where the text is none.
 */
export function parseAddress(text: string): Address | undefined {
  if (text.length > MAX_ADDRESS_TEXT_LENGTH) return undefined;
  if (text.includes(':')) {
    const octets = parseIpv6(text);
    return octets === undefined ? undefined : { family: 6, octets };
  }
  const octets = parseIpv4(text);
  return octets === undefined ? undefined : { family: 4, octets };
}

/** Canonical text (RFC 5952): lower case, the longest run of zero groups as `::`, IPv4-mapped with a dotted tail. */
export function formatAddress(octets: Uint8Array): string {
  if (octets.length === IPV4_OCTETS) return octets.join('.');
  if (isMapped(octets)) return `::ffff:${octets.subarray(MAPPED_PREFIX_OCTETS).join('.')}`;

  const groups: number[] = [];
  for (let i = 0; i < IPV6_OCTETS; i += 2) groups.push(((octets[i] ?? 0) << 8) | (octets[i + 1] ?? 0));
  const zeros = longestZeroRun(groups);
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  // RFC 5952 section 4.2.2: a single zero group is not shortened.
  if (zeros.length < 2) return hex(groups);
  return `${hex(groups.slice(0, zeros.start))}::${hex(groups.slice(zeros.start + zeros.length))}`;
}

/** Parses `address/length`; bits past the length are cleared. Undefined where the text is no prefix. */
export function parsePrefix(text: string): AddressPrefix | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const address = parseAddress(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (address === undefined || !/^(0|[1-9]\d{0,2})$/.test(digits)) return undefined;
  const length = Number(digits);
  if (length > address.octets.length * 8) return undefined;
  return { family: address.family, octets: clearPast(address.octets, length), length };
}

/** Text of a prefix: `192.0.2.0/24`. */
export function formatPrefix(octets: Uint8Array, length: number): string {
  return `${formatAddress(octets)}/${length}`;
}

/** An IPv4-mapped IPv6 address as the IPv4 address it stands for; any other address as it is. */
export function normalise(address: Address): Address {
  if (address.family === 4 || !isMapped(address.octets)) return address;
  return { family: 4, octets: address.octets.slice(MAPPED_PREFIX_OCTETS) };
}

/** A copy in which only the first `length` bits are kept. */
export function clearPast(octets: Uint8Array, length: number): Uint8Array {
  const kept = octets.slice();
  const whole = length >> 3;
  if (whole < kept.length) {
    kept[whole] = (kept[whole] ?? 0) & (0xff00 >> (length & 7));
    kept.fill(0, whole + 1);
  }
  return kept;
}

/** Whether an address lies in `::ffff:0:0/96` (RFC 4291 section 2.5.5.2) and so stands for an IPv4 one: its last 4 octets. */
export function isMapped(octets: Uint8Array): boolean {
  if (octets.length !== IPV6_OCTETS || octets[10] !== 0xff || octets[11] !== 0xff) return false;
  for (let i = 0; i < 10; i += 1) if (octets[i] !== 0) return false;
  return true;
}

function parseIpv4(text: string): Uint8Array | undefined {
  const octets = new Uint8Array(IPV4_OCTETS);
  let offset = 0;
  for (let i = 0; i < IPV4_OCTETS; i += 1) {
    if (i > 0) {
      if (text.charCodeAt(offset) !== 0x2e) return undefined;
      offset += 1;
    }
    const start = offset;
    let value = 0;
    while (offset - start < 3 && isDigit(text.charCodeAt(offset))) {
      value = value * 10 + text.charCodeAt(offset) - 0x30;
      offset += 1;
    }
    const digits = offset - start;
    // A leading zero means octal to some readers and decimal to others: refused.
    if (digits === 0 || value > 255 || (digits > 1 && text.charCodeAt(start) === 0x30)) return undefined;
    octets[i] = value;
  }
  return offset === text.length ? octets : undefined;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const gap = text.indexOf('::');
  if (gap < 0) {
    const groups = parseGroups(text, true);
    return groups?.length === IPV6_GROUPS ? octetsOf(groups, []) : undefined;
  }
  const head = parseGroups(text.slice(0, gap), false);
  const tail = parseGroups(text.slice(gap + 2), true);
  if (head === undefined || tail === undefined) return undefined;
  // "::" stands for at least one group.
  return head.length + tail.length < IPV6_GROUPS ? octetsOf(head, tail) : undefined;
}

/** Colon-separated groups; an IPv4 address may end them where it would end the whole address. */
function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: number[] = [];
  for (const [i, part] of parts.entries()) {
    if (last && i === parts.length - 1 && part.includes('.')) {
      const tail = parseIpv4(part);
      if (tail === undefined) return undefined;
      const [a = 0, b = 0, c = 0, d = 0] = tail;
      groups.push((a << 8) | b, (c << 8) | d);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

function octetsOf(head: readonly number[], tail: readonly number[]): Uint8Array {
  const octets = new Uint8Array(IPV6_OCTETS);
  const put = (groups: readonly number[], start: number): void => {
    for (const [i, group] of groups.entries()) {
      octets[start + 2 * i] = group >> 8;
      octets[start + 2 * i + 1] = group & 0xff;
    }
  };
  put(head, 0);
  put(tail, IPV6_OCTETS - 2 * tail.length);
  return octets;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  for (const [i, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    // Only a longer run replaces: of equal runs the first is shortened (RFC 5952 section 4.2.3).
    if (length > best.length) best = { start: i - length + 1, length };
  }
  return best;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
