import { formatAddress, parseAddress } from '../address.ts';
import {
  formatCharacterString,
  MAX_CHARACTER_STRING_LENGTH,
  parseCharacterString,
} from '../character-string.ts';
import { BAD_ESCAPE_SENTENCE } from '../escape.ts';
import { excerpt } from '../excerpt.ts';
import { formatName, parseName, wireNameLength } from '../name.ts';
import { MAX_TTL_SECONDS, parseTtl, TTL_SENTENCE } from '../ttl.ts';

/** One lexed piece of a record: its text with escapes as written and, where it was quoted, without the quotes. */
export interface Field {
  readonly text: string;
  readonly quoted: boolean;
}

/** How one field of a record's rdata is written as text and as octets. */
export interface FieldForm {
  /** As the RFC calls it: `preference`. */
  readonly label: string;
  readonly isName: boolean;
  /** Whether quotes may stand around it. */
  readonly quotable: boolean;
  /** The field's octets, or a sentence that begins with `what` and says what is wrong. */
  readonly parse: (text: string, what: string, origin: Uint8Array | undefined) => Uint8Array | string;
  /** How many octets from `offset` on are this field; -1 where they cannot be. */
  readonly measure: (rdata: Uint8Array, offset: number) => number;
  /** Text of exactly this field's octets, which `measure` has accepted. */
  readonly format: (octets: Uint8Array) => string;
}

/** A domain name. */
export function nameField(label: string): FieldForm {
  return {
    label,
    isName: true,
    quotable: false,
    parse: (text, what, origin) => {
      const name = parseName(text, origin);
      return name.ok ? name.value : `${what}: ${name.problems[0]?.message ?? 'is not a name.'}`;
    },
    measure: wireNameLength,
    format: formatName,
  };
}

/** An unsigned integer of one, two or four octets, in decimal. */
export function integerField(label: string, octetCount: 1 | 2 | 4): FieldForm {
  const largest = 2 ** (8 * octetCount) - 1;
  return {
    label,
    isName: false,
    quotable: false,
    parse: (text, what) => {
      const value = /^\d{1,10}$/.test(text) ? Number(text) : -1;
      if (value >= 0 && value <= largest) return encodeInteger(value, octetCount);
      return `${what} must be 0 to ${largest}, got ${excerpt(text)}.`;
    },
    measure: (rdata, offset) => (offset + octetCount <= rdata.length ? octetCount : -1),
    format: (octets) => String(decodeInteger(octets)),
  };
}

/** A time in seconds, four octets, with the bounds of a TTL; units may be written. */
export function secondsField(label: string): FieldForm {
  return {
    label,
    isName: false,
    quotable: false,
    parse: (text, what) => {
      const seconds = parseTtl(text);
      return seconds === undefined
        ? `${what} ${TTL_SENTENCE}, got ${excerpt(text)}.`
        : encodeInteger(seconds, 4);
    },
    measure: (rdata, offset) =>
      offset + 4 <= rdata.length && decodeInteger(rdata.subarray(offset, offset + 4)) <= MAX_TTL_SECONDS
        ? 4
        : -1,
    format: (octets) => String(decodeInteger(octets)),
  };
}

/** An address of one family. */
export function addressField(label: string, family: 4 | 6): FieldForm {
  const octetCount = family === 4 ? 4 : 16;
  return {
    label,
    isName: false,
    quotable: false,
    parse: (text, what) => {
      const address = parseAddress(text);
      if (address?.family === family) return address.octets;
      return `${what} must be an IPv${family} address, got ${excerpt(text)}.`;
    },
    measure: (rdata, offset) => (offset + octetCount <= rdata.length ? octetCount : -1),
    format: formatAddress,
  };
}

/** A character string with its length octet (RFC 1035 section 3.3). */
export function characterStringField(label: string): FieldForm {
  return {
    label,
    isName: false,
    quotable: true,
    parse: (text, what) => {
      const octets = parseCharacterString(text);
      if (octets === undefined) return `${what} ${BAD_ESCAPE_SENTENCE}, got ${excerpt(text)}.`;
      if (octets.length > MAX_CHARACTER_STRING_LENGTH) {
        return `${what} is ${octets.length} octets long; split it into quoted strings of at most 255 octets each.`;
      }
      return withLengthOctet(octets);
    },
    measure: (rdata, offset) => {
      const length = rdata[offset];
      return length !== undefined && offset + 1 + length <= rdata.length ? 1 + length : -1;
    },
    format: (octets) => formatCharacterString(octets.subarray(1)),
  };
}

/** One or more ASCII letters and digits after a length octet (the tag of RFC 8659 section 4.1). */
export function tagField(label: string): FieldForm {
  return {
    label,
    isName: false,
    quotable: false,
    parse: (text, what) => {
      if (!/^[A-Za-z0-9]{1,255}$/.test(text)) {
        return `${what} must be 1 to 255 letters and digits, got ${excerpt(text)}.`;
      }
      return withLengthOctet(Uint8Array.from(text, (character) => character.charCodeAt(0)));
    },
    measure: (rdata, offset) => {
      const length = rdata[offset] ?? 0;
      const end = offset + 1 + length;
      if (length === 0 || end > rdata.length) return -1;
      return rdata.subarray(offset + 1, end).every(isLetterOrDigit) ? 1 + length : -1;
    },
    format: (octets) => String.fromCharCode(...octets.subarray(1)),
  };
}

/** All the octets that are left, as one string without a length octet; it ends the rdata. */
export function remainderField(label: string): FieldForm {
  return {
    label,
    isName: false,
    quotable: true,
    parse: (text, what) =>
      parseCharacterString(text) ?? `${what} ${BAD_ESCAPE_SENTENCE}, got ${excerpt(text)}.`,
    measure: (rdata, offset) => rdata.length - offset,
    format: formatCharacterString,
  };
}

function encodeInteger(value: number, octetCount: 1 | 2 | 4): Uint8Array {
  const octets = new Uint8Array(octetCount);
  for (let i = octetCount - 1, rest = value; i >= 0; i -= 1, rest = Math.floor(rest / 256))
    octets[i] = rest & 0xff;
  return octets;
}

function decodeInteger(octets: Uint8Array): number {
  let value = 0;
  for (const octet of octets) value = value * 256 + octet;
  return value;
}

function withLengthOctet(octets: Uint8Array): Uint8Array {
  const counted = new Uint8Array(octets.length + 1);
  counted[0] = octets.length;
  counted.set(octets, 1);
  return counted;
}

function isLetterOrDigit(octet: number): boolean {
  const lower = octet | 0x20;
  return (octet >= 0x30 && octet <= 0x39) || (lower >= 0x61 && lower <= 0x7a);
}
