import { type Parsed, parsed, refused } from '../config/problem.ts';
import {
  BACKSLASH,
  BAD_ESCAPE,
  BAD_ESCAPE_SENTENCE,
  escapeLength,
  formatDecimalEscape,
  readEscape,
} from './escape.ts';
import { excerpt } from './excerpt.ts';

/*
 * A name in wire form, uncompressed (RFC 1035 section 3.1): labels, each after its length octet, ended by the root.
 *
 *     www.example.org.    3 w w w 7 e x a m p l e 3 o r g 0
 *     .                   0
 *
 * A label holds any octets, also dots and zeros (RFC 2181 section 11); upper and lower case ASCII letters are equal,
 * and no other octets are (RFC 4343).
 */

/** RFC 1035 section 2.3.4. */
export const MAX_LABEL_LENGTH = 63;
/** RFC 1035 section 2.3.4; octets, with length octets and root. */
export const MAX_NAME_LENGTH = 255;
/** 127 labels of one octet and the root fill a name. */
export const MAX_LABELS = 127;

/** The root, `.`. */
const ROOT: Uint8Array = Uint8Array.of(0);

/** As `origin` of `parseName`: there is none yet, so relative names are refused. */
export const NO_ORIGIN: Uint8Array = new Uint8Array(0);

const DOT = 0x2e;

/**
 * Where `parseName` builds a name before it copies what it needs; a fresh array for each name of a large zone
 * costs more than the parsing. Room for the longest text part and an origin behind it. Nothing lives here between calls.
 */
const scratch = new Uint8Array(2 * MAX_NAME_LENGTH);

/**
 * Parses presentation form (RFC 1035 section 5.1), keeping upper and lower case.
 *
 * Without `origin`, the name is absolute with or without its final dot, as people write it outside zone files.
 * With `origin`, a name without a final dot is relative to it, and `@` is the origin itself.
 */
export function parseName(text: string, origin?: Uint8Array): Parsed<Uint8Array> {
  if (origin !== undefined && text === '@') {
    return origin.length === 0 ? refusedName(text, 'needs an $ORIGIN, and none is set') : parsed(origin);
  }
  if (text === '.') return parsed(ROOT);
  if (text === '') return refusedName(text, 'is empty; write . for the root');

  const octets = scratch;
  let labelStart = 0;
  let end = 1;
  let offset = 0;
  while (offset < text.length) {
    const code = text.charCodeAt(offset);
    if (code === DOT) {
      const length = end - labelStart - 1;
      if (length === 0) return refusedName(text, 'has an empty label');
      octets[labelStart] = length;
      labelStart = end;
      end += 1;
      offset += 1;
      continue;
    }
    let octet = code;
    if (code === BACKSLASH) {
      octet = readEscape(text, offset);
      if (octet === BAD_ESCAPE) return refusedName(text, BAD_ESCAPE_SENTENCE);
      offset += escapeLength(text, offset);
    } else {
      if (code <= 0x20 || code >= 0x7f) return refusedName(text, unescapedSentence(code));
      offset += 1;
    }
    if (end - labelStart > MAX_LABEL_LENGTH) return refusedName(text, 'has a label of more than 63 octets');
    if (end >= MAX_NAME_LENGTH) return refusedName(text, 'is longer than 255 octets');
    octets[end] = octet;
    end += 1;
  }
  return finishName(text, octets, labelStart, end, origin);
}

/** Ends the last label, then the name: by the root where the text ended in a dot or no origin is used. */
function finishName(
  text: string,
  octets: Uint8Array,
  labelStart: number,
  end: number,
  origin: Uint8Array | undefined,
): Parsed<Uint8Array> {
  const lastLabelLength = end - labelStart - 1;
  // A final dot has already opened the next label, whose place is the root's.
  if (lastLabelLength === 0) return finished(text, octets, labelStart);
  octets[labelStart] = lastLabelLength;
  if (origin === undefined) return finished(text, octets, end);
  if (origin.length === 0) {
    return refusedName(
      text,
      'is relative, and no $ORIGIN is set; end it with a dot or set $ORIGIN before it',
    );
  }
  if (end + origin.length > MAX_NAME_LENGTH) {
    return refusedName(text, `with the origin ${formatName(origin)} is longer than 255 octets`);
  }
  octets.set(origin, end);
  return parsed(octets.slice(0, end + origin.length));
}

/** Puts the root at `rootOffset` and copies the name out. */
function finished(text: string, octets: Uint8Array, rootOffset: number): Parsed<Uint8Array> {
  if (rootOffset >= MAX_NAME_LENGTH) return refusedName(text, 'is longer than 255 octets');
  octets[rootOffset] = 0;
  return parsed(octets.slice(0, rootOffset + 1));
}

function unescapedSentence(code: number): string {
  if (code > 0x7f) {
    return 'has characters outside ASCII; write internationalised labels in their A-label form (xn--...)';
  }
  return `has a blank or control character; write it as ${formatDecimalEscape(code)}`;
}

function refusedName(text: string, sentence: string): Parsed<never> {
  return refused('bad-name', '', `The name ${excerpt(text)} ${sentence}.`);
}

/**
 * Presentation form of a wire name: absolute, with the final dot, in the name's own case.
 * Escapes what has a meaning in zone files and what is not printable ASCII, so that `parseName` reads it back.
 */
export function formatName(wire: Uint8Array): string {
  if (wire.length <= 1) return '.';
  const characters: number[] = [];
  let offset = 0;
  for (;;) {
    const length = octetAt(wire, offset);
    if (length === 0) return String.fromCharCode(...characters);
    for (let i = offset + 1; i <= offset + length; i += 1) putLabelOctet(characters, octetAt(wire, i));
    characters.push(DOT);
    offset += length + 1;
  }
}

function putLabelOctet(characters: number[], octet: number): void {
  switch (octet) {
    case 0x22: // "
    case 0x24: // $
    case 0x28: // (
    case 0x29: // )
    case DOT:
    case 0x3b: // ;
    case 0x40: // @
    case BACKSLASH:
      characters.push(BACKSLASH, octet);
      return;
    default:
      if (octet > 0x20 && octet < 0x7f) characters.push(octet);
      else for (const character of formatDecimalEscape(octet)) characters.push(character.charCodeAt(0));
  }
}

/** A copy with ASCII letters in lower case; length octets are below 64 and so never letters. */
export function lowercaseName(wire: Uint8Array): Uint8Array {
  const lower = new Uint8Array(wire.length);
  for (let i = 0; i < wire.length; i += 1) lower[i] = lowercaseOctet(octetAt(wire, i));
  return lower;
}

/** ASCII only (RFC 4343 section 3). */
export function lowercaseOctet(octet: number): number {
  // Both differences are negative for A to Z alone. Without a branch: resolvers mix the case at random (0x20).
  return octet | ((((0x40 - octet) & (octet - 0x5b)) >>> 26) & 0x20);
}

/** Whether two names are the same, whatever their case. */
export function namesEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && tailsEqual(a, 0, b);
}

/** Whether `name` is `apex` or below it, whatever their case. */
export function isSubdomain(name: Uint8Array, apex: Uint8Array): boolean {
  const start = name.length - apex.length;
  if (start < 0) return false;
  // Equal octets are not enough: the apex must begin where a label of the name begins.
  let offset = 0;
  while (offset < start) offset += octetAt(name, offset) + 1;
  return offset === start && tailsEqual(name, start, apex);
}

/** Labels without the root: 3 for `www.example.org.`, 0 for `.`. */
export function labelCount(wire: Uint8Array): number {
  let count = 0;
  let offset = 0;
  for (;;) {
    const length = octetAt(wire, offset);
    if (length === 0) return count;
    count += 1;
    offset += length + 1;
  }
}

/**
 * Octets of the uncompressed name that starts at `offset`, root included; -1 where there is none: past the end,
 * too long, or with a compression pointer or any other label type.
 */
export function wireNameLength(octets: Uint8Array, offset: number): number {
  let end = offset;
  while (end < octets.length) {
    const length = octetAt(octets, end);
    if (length > MAX_LABEL_LENGTH) return -1;
    end += length + 1;
    if (end - offset > MAX_NAME_LENGTH || end > octets.length) return -1;
    if (length === 0) return end - offset;
  }
  return -1;
}

function tailsEqual(name: Uint8Array, start: number, tail: Uint8Array): boolean {
  for (let i = 0; i < tail.length; i += 1) {
    if (lowercaseOctet(octetAt(name, start + i)) !== lowercaseOctet(octetAt(tail, i))) return false;
  }
  return true;
}

function octetAt(octets: Uint8Array, offset: number): number {
  return octets[offset] ?? 0;
}
