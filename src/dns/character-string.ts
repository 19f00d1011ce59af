import { BACKSLASH, BAD_ESCAPE, escapeLength, formatDecimalEscape, readEscape } from './escape.ts';

/** RFC 1035 section 3.3: a character string has one length octet. */
export const MAX_CHARACTER_STRING_LENGTH = 255;

const utf8 = new TextEncoder();

/**
 * The octets of a character string (RFC 1035 section 5.1) whose quotes are already removed; undefined where an
 * escape is bad. Characters outside ASCII become UTF-8, as they stand in the file.
 */
export function parseCharacterString(text: string): Uint8Array | undefined {
  if (!text.includes('\\')) return utf8.encode(text);
  const octets: number[] = [];
  let offset = 0;
  let plainStart = 0;
  const takePlain = (): void => {
    for (const octet of utf8.encode(text.slice(plainStart, offset))) octets.push(octet);
  };
  while (offset < text.length) {
    if (text.charCodeAt(offset) !== BACKSLASH) {
      offset += 1;
      continue;
    }
    takePlain();
    const octet = readEscape(text, offset);
    if (octet === BAD_ESCAPE) return undefined;
    octets.push(octet);
    offset += escapeLength(text, offset);
    plainStart = offset;
  }
  takePlain();
  return Uint8Array.from(octets);
}

/** Quoted presentation form; what is not printable ASCII as decimal escapes. */
export function formatCharacterString(octets: Uint8Array): string {
  let text = '"';
  for (const octet of octets) {
    if (octet === 0x22 || octet === BACKSLASH) text += `\\${String.fromCharCode(octet)}`;
    else text += octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : formatDecimalEscape(octet);
  }
  return `${text}"`;
}
