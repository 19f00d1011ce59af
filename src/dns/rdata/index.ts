import { type Parsed, refused } from '../../config/problem.ts';
import { formatType } from '../type.ts';
import { readFields } from '../zone-lexer.ts';
import { aKind } from './a.ts';
import { aaaaKind } from './aaaa.ts';
import { caaKind } from './caa.ts';
import { cnameKind } from './cname.ts';
import type { Field } from './field.ts';
import type { RdataKind } from './kind.ts';
import { mxKind } from './mx.ts';
import { nsKind } from './ns.ts';
import { formatOpaque, isOpaqueForm, opaqueKind, parseOpaque } from './opaque.ts';
import { ptrKind } from './ptr.ts';
import { soaKind } from './soa.ts';
import { srvKind } from './srv.ts';
import { txtKind } from './txt.ts';

export type { Field } from './field.ts';
export type { RdataKind, RdataName } from './kind.ts';
export { soaMinimumSeconds } from './soa.ts';

/** Every record type that has a presentation form of its own; one line each. */
export const rdataKinds: readonly RdataKind[] = [
  aKind,
  aaaaKind,
  nsKind,
  soaKind,
  cnameKind,
  ptrKind,
  mxKind,
  txtKind,
  srvKind,
  caaKind,
];

/** With the opaque kinds that were asked for, which are made once each: there are at most 65,536 types. */
const kindByType = new Map<number, RdataKind>(rdataKinds.map((kind) => [kind.type, kind]));

/** The kind of a type; for a type not in the registry, opaque octets (RFC 3597). */
export function rdataKind(type: number): RdataKind {
  const known = kindByType.get(type);
  if (known !== undefined) return known;
  const kind = opaqueKind(type);
  kindByType.set(type, kind);
  return kind;
}

/** Parses lexed rdata, in the type's own form or as `\# length hex`, which is then checked as the type's octets. */
export function parseRdataFields(
  type: number,
  fields: readonly Field[],
  origin: Uint8Array | undefined,
): Parsed<Uint8Array> {
  const kind = rdataKind(type);
  if (!isOpaqueForm(fields)) return kind.parse(fields, origin);
  const rdata = parseOpaque(fields, kind.mnemonic, type);
  if (!rdata.ok || kind.validate(rdata.value)) return rdata;
  return refused('bad-rdata', '', `The octets after \\# are not well-formed ${formatType(type)} rdata.`);
}

/** Parses one record's rdata in presentation form; names in it are absolute, with or without the final dot. */
export function parseRdata(type: number, text: string): Parsed<Uint8Array> {
  const fields = readFields(text);
  return fields.ok ? parseRdataFields(type, fields.value, undefined) : fields;
}

/** Presentation form; octets that are not well-formed for their type are shown as `\# length hex`. */
export function formatRdata(type: number, rdata: Uint8Array): string {
  const kind = rdataKind(type);
  return kind.validate(rdata) ? kind.format(rdata) : formatOpaque(rdata);
}
