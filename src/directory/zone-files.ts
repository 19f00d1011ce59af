import { createHash } from 'node:crypto';
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, posix } from 'node:path';
import type { DirectoryZone } from '../config/directory-changes.ts';
import type { Problem, SourceLine } from '../config/problem.ts';
import { zoneShape } from '../config/zone-shape.ts';
import { formatName, lowercaseName, parseName } from '../dns/name.ts';
import { ownerOf, type RRsetColumns, rrsetCount, typeOf } from '../dns/rrset-columns.ts';
import { TYPE_SOA } from '../dns/type.ts';
import { formatColumns, parseZoneColumns } from '../dns/zone-file.ts';
import {
  decodeText,
  MAX_ZONE_FILE_OCTETS,
  notRegular,
  readConfigFile,
  refuseOutside,
  tooLarge,
  unreadable,
} from './config-files.ts';

/** One zone file as read; `zone` is there when there are no problems. */
export interface ZoneFileContents {
  readonly zone: DirectoryZone | undefined;
  /** As far as it could be told; references to a zone that did not parse do not dangle. */
  readonly apex: string | undefined;
  readonly problems: readonly Problem[];
}

/** Reads zone files, which may be large: a node does it on another thread and skips those that it knows. */
export type ZoneFileReader = (directory: string, file: string) => Promise<ZoneFileContents>;

/** A zone file without mistakes, or its mistakes. */
export type ParsedZoneFile =
  | {
      readonly ok: true;
      /** Presentation form, lower case. */
      readonly apex: string;
      /** Wire form, lower case. */
      readonly apexWire: Uint8Array;
      readonly columns: RRsetColumns;
      /** Line of the SOA record. */
      readonly line: number;
    }
  | { readonly ok: false; readonly apex: string | undefined; readonly problems: readonly Problem[] };

/** Reads a zone file here and now. */
export async function readZoneFile(directory: string, file: string): Promise<ZoneFileContents> {
  const text = await readConfigFile(directory, file, MAX_ZONE_FILE_OCTETS);
  if (!text.ok) return { zone: undefined, apex: expectedApex(file), problems: text.problems };
  const parsed = parseZone(directory, file, text.value);
  if (!parsed.ok) return { zone: undefined, apex: parsed.apex, problems: parsed.problems };
  const { apex, columns, line } = parsed;
  const canonicalText = formatColumns(columns);
  const zone: DirectoryZone = {
    apex,
    text: canonicalText,
    blob: createHash('sha256').update(canonicalText).digest('hex'),
    rrsetCount: rrsetCount(columns),
    shape: zoneShape(apex, ownersAndTypes(columns)),
    file,
    line,
  };
  return { zone, apex, problems: [] };
}

/**
 * Parses a zone file. Before any $ORIGIN, the origin is the file's name without `.zone`.
 * $INCLUDE names are relative to the folder of the zone file and must stay inside the configuration directory.
 */
export function parseZone(directory: string, file: string, text: string): ParsedZoneFile {
  const origin = parseName(posix.basename(file, '.zone'));
  const { columns, apex, sourceOf, problems } = parseZoneColumns({
    file,
    text,
    origin: origin.ok ? origin.value : undefined,
    include: (name) => readInclude(directory, file, name),
    nameOf: (name) => posix.join(posix.dirname(file), name),
  });
  const apexWire = apex === undefined ? undefined : lowercaseName(apex);
  const apexText = apexWire === undefined ? undefined : formatName(apexWire);
  if (apexWire === undefined || apexText === undefined || problems.length > 0) {
    return { ok: false, apex: apexText ?? expectedApex(file), problems };
  }
  return { ok: true, apex: apexText, apexWire, columns, line: soaLine(columns, sourceOf, file) };
}

/** The apex that a zone file's name stands for: `example.org.` of `zones/example.org.zone`. */
export function expectedApex(file: string): string | undefined {
  const name = parseName(posix.basename(file, '.zone'));
  return name.ok ? formatName(lowercaseName(name.value)) : undefined;
}

function* ownersAndTypes(columns: RRsetColumns): Generator<{ owner: string; type: number }> {
  for (let rrset = 0; rrset < rrsetCount(columns); rrset += 1) {
    yield { owner: formatName(lowercaseName(ownerOf(columns, rrset))), type: typeOf(columns, rrset) };
  }
}

/** The SOA's line, when it stands in the zone file itself and not in an include. */
function soaLine(columns: RRsetColumns, sourceOf: (rrset: number) => SourceLine, file: string): number {
  for (let rrset = 0; rrset < rrsetCount(columns); rrset += 1) {
    // There is one alone, at the apex.
    if (typeOf(columns, rrset) !== TYPE_SOA) continue;
    const source = sourceOf(rrset);
    return source.file === file ? source.line : 1;
  }
  return 1;
}

/** Synchronous, because the parser asks in the middle of a line; includes are read once per load, at start. */
function readInclude(directory: string, zoneFile: string, name: string): string | Problem {
  const file = posix.join(posix.dirname(zoneFile), name);
  if (isAbsolute(name) || file === '..' || file.startsWith('../')) return outside(name);
  try {
    const path = realpathSync(join(directory, file));
    if (refuseOutside(realpathSync(directory), path, file) !== undefined) return outside(name);
    const found = statSync(path);
    if (!found.isFile() && !found.isDirectory()) return withoutSource(notRegular(file));
    const { size } = found;
    if (size > MAX_ZONE_FILE_OCTETS) return withoutSource(tooLarge(file, size, MAX_ZONE_FILE_OCTETS));
    const text = decodeText(file, readFileSync(path));
    return text.ok ? text.value : (text.problems[0] ?? outside(name));
  } catch (error) {
    const problem = withoutSource(unreadable(file, error));
    const folder = dirname(file);
    const hint = `$INCLUDE looks in the folder of the zone file, ${folder === '.' ? 'the top of the directory' : folder}.`;
    return { ...problem, message: `${problem.message} ${hint}` };
  }
}

function outside(name: string): Problem {
  const message = `$INCLUDE "${name}" leads out of the configuration directory; put the file inside.`;
  return { code: 'outside-directory', path: name, message };
}

/** The parser puts the line of the $INCLUDE. */
function withoutSource({ code, path, message }: Problem): Problem {
  return { code, path, message };
}
