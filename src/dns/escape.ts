/**
 * Escapes of presentation form (RFC 1035 section 5.1): `\DDD` is the octet with that decimal value, `\X` is the
 * character X without its special meaning.
 */
export const BACKSLASH = 0x5c;

/** What `readEscape` returns for a backslash that starts no escape. */
export const BAD_ESCAPE = -1;

/** Said of every name and string with an escape that is none. */
export const BAD_ESCAPE_SENTENCE =
  'has a bad escape; write \\DDD with a decimal value of 000 to 255, or \\X for a single character X';

/** The octet that the escape at `offset` (its backslash) stands for, or `BAD_ESCAPE`. */
export function readEscape(text: string, offset: number): number {
  const first = text.charCodeAt(offset + 1);
  if (!isDigit(first)) return first >= 0x20 && first < 0x7f ? first : BAD_ESCAPE;
  const second = text.charCodeAt(offset + 2);
  const third = text.charCodeAt(offset + 3);
  if (!isDigit(second) || !isDigit(third)) return BAD_ESCAPE;
  const value = (first - 0x30) * 100 + (second - 0x30) * 10 + (third - 0x30);
  return value <= 255 ? value : BAD_ESCAPE;
}

/** Characters of the escape at `offset`, which `readEscape` has accepted. */
export function escapeLength(text: string, offset: number): number {
  return isDigit(text.charCodeAt(offset + 1)) ? 4 : 2;
}

/** `\DDD` for any octet. */
export function formatDecimalEscape(octet: number): string {
  return `\\${String(octet).padStart(3, '0')}`;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
