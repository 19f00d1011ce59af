import type { SenderAddress } from '../answer/respond.ts';
import { isMapped } from '../dns/address.ts';

const ZERO = 0x30;
const NINE = 0x39;
const DOT = 0x2e;
const COLON = 0x3a;
const IPV6_OCTETS = 16;
const MAX_GROUP_DIGITS = 4;

/** An address to be overwritten by every `readSenderAddress`. */
export function createSenderAddress(): SenderAddress {
  return { family: 4, octets: new Uint8Array(IPV6_OCTETS), port: 0 };
}

/**
 * Reads the text in which Node gives a peer's address, a zone index (`%eth0`) left out and an IPv4-mapped address
 * made IPv4. False where it is no address. Allocates nothing: this runs for every packet.
 */
export function readSenderAddress(text: string, into: SenderAddress): boolean {
  // The first colon of an IPv6 address comes after four digits at most.
  const end = Math.min(text.length, MAX_GROUP_DIGITS + 1);
  for (let at = 0; at < end; at++) if (text.charCodeAt(at) === COLON) return readIpv6(text, into);
  if (!readIpv4(text, 0, text.length, into.octets, 0)) return false;
  into.family = 4;
  return true;
}

function readIpv4(text: string, start: number, end: number, octets: Uint8Array, offset: number): boolean {
  let at = start;
  for (let index = 0; index < 4; index++) {
    let value = 0;
    const first = at;
    while (at < end && text.charCodeAt(at) >= ZERO && text.charCodeAt(at) <= NINE) {
      value = value * 10 + text.charCodeAt(at) - ZERO;
      at++;
    }
    if (at === first || at - first > 3 || value > 255) return false;
    octets[offset + index] = value;
    if (index < 3 && (at >= end || text.charCodeAt(at++) !== DOT)) return false;
  }
  return at === end;
}

/** RFC 4291 section 2.2. Groups after `::` are written from the left and moved to the end at last. */
function readIpv6(text: string, into: SenderAddress): boolean {
  const octets = into.octets;
  const zone = text.indexOf('%');
  const end = zone < 0 ? text.length : zone;
  let at = 0;
  let written = 0;
  let gap = -1;
  if (text.startsWith('::')) {
    gap = 0;
    at = 2;
  }
  while (at < end) {
    if (written === IPV6_OCTETS) return false;
    const groupEnd = endOfGroup(text, at, end);
    if (groupEnd < end && text.charCodeAt(groupEnd) === DOT) {
      if (written > IPV6_OCTETS - 4 || !readIpv4(text, at, end, octets, written)) return false;
      written += 4;
      break;
    }
    const group = readGroup(text, at, groupEnd);
    if (group < 0) return false;
    octets[written++] = group >> 8;
    octets[written++] = group & 0xff;
    at = groupEnd + 1;
    if (groupEnd < end && at === end) return false;
    if (at < end && text.charCodeAt(at) === COLON) {
      if (gap >= 0) return false;
      gap = written;
      at++;
    }
  }
  return finishIpv6(into, written, gap);
}

function finishIpv6(into: SenderAddress, written: number, gap: number): boolean {
  const octets = into.octets;
  if (gap < 0 ? written !== IPV6_OCTETS : written === IPV6_OCTETS) return false;
  if (gap >= 0) {
    const tail = IPV6_OCTETS - (written - gap);
    octets.copyWithin(tail, gap, written);
    octets.fill(0, gap, tail);
  }
  into.family = isMapped(octets) ? 4 : 6;
  if (into.family === 4) octets.copyWithin(0, 12, IPV6_OCTETS);
  return true;
}

function endOfGroup(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && text.charCodeAt(at) !== COLON && text.charCodeAt(at) !== DOT) at++;
  return at;
}

/** One to four hexadecimal digits as a number; -1 for anything else. */
function readGroup(text: string, start: number, end: number): number {
  if (end === start || end - start > MAX_GROUP_DIGITS) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = hexDigit(text.charCodeAt(at));
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

function hexDigit(code: number): number {
  if (code >= ZERO && code <= NINE) return code - ZERO;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}
