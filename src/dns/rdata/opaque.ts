import { type Parsed, parsed, refused } from '../../config/problem.ts';
import { excerpt } from '../excerpt.ts';
import { formatType } from '../type.ts';
import type { Field } from './field.ts';
import { MAX_RDATA_LENGTH, type RdataKind } from './kind.ts';

/** The first field of rdata in the form of RFC 3597 section 5: `\# length hex`. */
const OPAQUE_MARK = '\\#';

/** A type whose rdata is octets to us (RFC 3597): all of them are well-formed, and no names are looked for in them. */
export function opaqueKind(type: number): RdataKind {
  const mnemonic = formatType(type);
  return {
    type,
    mnemonic,
    fields: [],
    parse: (fields) => parseOpaque(fields, mnemonic, type),
    format: formatOpaque,
    validate: (rdata) => rdata.length <= MAX_RDATA_LENGTH,
    names: () => [],
  };
}

/** Whether rdata is written in the form that every type may use. */
export function isOpaqueForm(fields: readonly Field[]): boolean {
  const [mark] = fields;
  return mark !== undefined && !mark.quoted && mark.text === OPAQUE_MARK;
}

/** Parses `\# length hex`; the digits may be split over several fields. */
export function parseOpaque(fields: readonly Field[], mnemonic: string, type: number): Parsed<Uint8Array> {
  const bad = (sentence: string): Parsed<never> => refused('bad-rdata', '', sentence);
  if (!isOpaqueForm(fields)) {
    return bad(
      `${mnemonic} rdata is not known by its fields yet; write it as TYPE${type} \\# LENGTH HEX (RFC 3597).`,
    );
  }
  const [, lengthField, ...digitFields] = fields;
  const lengthText = lengthField?.text ?? '';
  const length = /^\d{1,5}$/.test(lengthText) ? Number(lengthText) : -1;
  if (length < 0 || length > MAX_RDATA_LENGTH) {
    return bad(
      `${mnemonic} rdata: the length after \\# must be 0 to ${MAX_RDATA_LENGTH}, got ${excerpt(lengthText)}.`,
    );
  }
  const digits = digitFields.map((field) => field.text).join('');
  if (!/^[0-9a-fA-F]*$/.test(digits) || digits.length % 2 !== 0) {
    return bad(`${mnemonic} rdata: ${excerpt(digits)} must be pairs of hexadecimal digits.`);
  }
  if (digits.length !== 2 * length) {
    return bad(`${mnemonic} rdata: ${digits.length / 2} octets follow \\#, and its length says ${length}.`);
  }
  return parsed(octetsOf(digits));
}

/** `\# 4 c0000201`, which is valid for every type. */
export function formatOpaque(rdata: Uint8Array): string {
  if (rdata.length === 0) return '\\# 0';
  let digits = '';
  for (const octet of rdata) digits += octet.toString(16).padStart(2, '0');
  return `\\# ${rdata.length} ${digits}`;
}

function octetsOf(digits: string): Uint8Array {
  const octets = new Uint8Array(digits.length / 2);
  for (let i = 0; i < octets.length; i += 1) octets[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return octets;
}
