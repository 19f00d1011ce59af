import { rrsetKey } from '../config/model.ts';
import { type Parsed, parsed, refused } from '../config/problem.ts';
import { formatName, lowercaseName, parseName } from '../dns/name.ts';
import { formatType, parseType } from '../dns/type.ts';
import type { Identity } from './collection.ts';
import type { Params } from './route.ts';

/** Identity of a resource with a plain name in `field`; the schema of the body checks how names look. */
export function plainIdentity(field: string): (fields: Params) => Parsed<Identity> {
  return (fields) => {
    const key = fields[field] ?? '';
    return parsed({ key, fields: { [field]: key } });
  };
}

/** Identity of a resource named by a domain name, with or without the final dot, in any case. */
export function domainIdentity(fields: Params): Parsed<Identity> {
  const name = canonicalName(fields.name ?? '');
  return name.ok ? parsed({ key: name.value, fields: { name: name.value } }) : name;
}

/** Identity of an RRset within its zone: owner name and type. */
export function rrsetIdentity(fields: Params): Parsed<Identity> {
  const name = canonicalName(fields.name ?? '');
  const type = canonicalType(fields.type ?? '');
  if (name.ok && type.ok) {
    const identity = { name: name.value, type: type.value };
    return parsed({ key: rrsetKey(name.value, type.value), fields: identity });
  }
  return { ok: false, problems: [name, type].flatMap((part) => (part.ok ? [] : part.problems)) };
}

/** The key form of a domain name: absolute, lower case, with the final dot and the fewest escapes. */
export function canonicalName(text: string): Parsed<string> {
  const wire = parseName(text);
  if (wire.ok) return parsed(formatName(lowercaseName(wire.value)));
  return { ok: false, problems: wire.problems.map((problem) => ({ ...problem, path: 'name' })) };
}

/** The key form of a record type: the mnemonic where it has one. */
export function canonicalType(text: string): Parsed<string> {
  const type = parseType(text);
  if (type !== undefined) return parsed(formatType(type));
  return refused(
    'unknown-type',
    'type',
    `${JSON.stringify(text.slice(0, 40))} is not a record type; write A or TYPE65400.`,
  );
}
