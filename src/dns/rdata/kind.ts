import { type Parsed, type Problem, parsed } from '../../config/problem.ts';
import type { Field, FieldForm } from './field.ts';

/** RDLENGTH has 16 bits (RFC 1035 section 3.2.1). */
export const MAX_RDATA_LENGTH = 65_535;

/** Octets before a record's rdata: owner as a compression pointer, type, class, TTL, length (RFC 1035 section 4.1.3). */
export const RECORD_HEAD_LENGTH = 12;

/**
 * Most octets of one RRset that is served: what a TCP message of 65,535 octets (RFC 1035 section 4.2.2) holds beside
 * a header, the longest question and an OPT.
 */
export const MAX_RRSET_LENGTH = 64_800;

/** Where an uncompressed wire name stands inside rdata. */
export interface RdataName {
  readonly offset: number;
  readonly length: number;
  /** Only in the types of RFC 1035 may a name be compressed in messages (RFC 3597 section 4). */
  readonly compressible: boolean;
  /** Whether its addresses go into the additional section. */
  readonly additional: boolean;
}

/** The seam of record types: one file per type in this folder and one line in its index. */
export interface RdataKind {
  readonly type: number;
  readonly mnemonic: string;
  /** The fields in order; none where the rdata is opaque. */
  readonly fields: readonly FieldForm[];
  /**
   * Presentation form to octets, names uncompressed and in their own case. Without `origin`, every name is
   * absolute; with one, `parseName` says what it means.
   */
  readonly parse: (fields: readonly Field[], origin: Uint8Array | undefined) => Parsed<Uint8Array>;
  /** Presentation form of rdata that `validate` accepts, which `parse` reads back. */
  readonly format: (rdata: Uint8Array) => string;
  /** Whether these octets are whole and well-formed rdata of the type, names uncompressed. */
  readonly validate: (rdata: Uint8Array) => boolean;
  /** The names in rdata that `validate` accepts. */
  readonly names: (rdata: Uint8Array) => readonly RdataName[];
}

/** What a type with known fields declares; everything else follows from it. */
export interface KindDeclaration {
  readonly type: number;
  readonly mnemonic: string;
  readonly fields: readonly FieldForm[];
  /** The last field stands once or more. */
  readonly repeated?: true;
  /** What holds for every name among the fields. */
  readonly names?: { readonly compressible: boolean; readonly additional: boolean };
}

const NO_NAMES: readonly RdataName[] = [];

/** Makes the kind of a type from its fields. */
export function declareKind(declaration: KindDeclaration): RdataKind {
  const { type, mnemonic, fields, names } = declaration;
  return {
    type,
    mnemonic,
    fields,
    parse: (given, origin) => parseFields(declaration, given, origin),
    format: (rdata) => {
      const parts: string[] = [];
      walk(declaration, rdata, (form, start, end) => parts.push(form.format(rdata.subarray(start, end))));
      return parts.join(' ');
    },
    validate: (rdata) =>
      rdata.length <= MAX_RDATA_LENGTH && walk(declaration, rdata, () => {}) === rdata.length,
    names: (rdata) => {
      if (names === undefined) return NO_NAMES;
      const found: RdataName[] = [];
      walk(declaration, rdata, (form, start, end) => {
        if (form.isName) found.push({ offset: start, length: end - start, ...names });
      });
      return found;
    },
  };
}

/** Visits each field's octets in order; returns where it ended, or -1 at the first field that cannot be. */
function walk(
  { fields, repeated }: KindDeclaration,
  rdata: Uint8Array,
  visit: (form: FieldForm, start: number, end: number) => void,
): number {
  let offset = 0;
  const take = (form: FieldForm): boolean => {
    const length = form.measure(rdata, offset);
    if (length < 0) return false;
    visit(form, offset, offset + length);
    offset += length;
    return true;
  };
  for (const form of fields) if (!take(form)) return -1;
  const last = fields.at(-1);
  while (repeated && last !== undefined && offset < rdata.length) if (!take(last)) return -1;
  return offset;
}

function parseFields(
  declaration: KindDeclaration,
  given: readonly Field[],
  origin: Uint8Array | undefined,
): Parsed<Uint8Array> {
  const { mnemonic, fields, repeated } = declaration;
  if (given.length < fields.length || (given.length > fields.length && !repeated)) {
    return refuseAll([countSentence(declaration, given.length)]);
  }
  const parts: Uint8Array[] = [];
  const sentences: string[] = [];
  for (const [i, field] of given.entries()) {
    const form = fields[Math.min(i, fields.length - 1)];
    if (form === undefined) break;
    const what = `${mnemonic} ${form.label}`;
    const part =
      field.quoted && !form.quotable
        ? `${what} must not be in quotes.`
        : form.parse(field.text, what, origin);
    if (typeof part === 'string') sentences.push(part);
    else parts.push(part);
  }
  return sentences.length > 0 ? refuseAll(sentences) : join(parts, mnemonic);
}

function countSentence({ mnemonic, fields, repeated }: KindDeclaration, given: number): string {
  const labels = fields.map((form) => form.label).join(', ');
  const needs = fields.length === 1 ? `one field (${labels})` : `${fields.length} fields (${labels})`;
  return `${mnemonic} needs ${repeated ? 'at least ' : ''}${needs}, got ${given}.`;
}

function join(parts: readonly Uint8Array[], mnemonic: string): Parsed<Uint8Array> {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return parsed(first);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length > MAX_RDATA_LENGTH) {
    return refuseAll([
      `${mnemonic} rdata is ${length} octets long; at most ${MAX_RDATA_LENGTH} fit a record.`,
    ]);
  }
  const rdata = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    rdata.set(part, offset);
    offset += part.length;
  }
  return parsed(rdata);
}

function refuseAll(sentences: readonly string[]): Parsed<never> {
  const problems: Problem[] = sentences.map((message) => ({ code: 'bad-rdata', path: '', message }));
  return { ok: false, problems };
}
