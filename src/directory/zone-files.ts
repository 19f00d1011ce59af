import { createHash } from 'node:crypto';
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, posix } from 'node:path';
import type { DirectoryZone } from '../config/directory-changes.ts';
import type { Problem } from '../config/problem.ts';
import { type ZoneShape, zoneShape } from '../config/zone-shape.ts';
import { formatName, lowercaseName, namesEqual, parseName } from '../dns/name.ts';
import { TYPE_SOA } from '../dns/type.ts';
import { formatZone, type ParsedRRset, parseZoneFile } from '../dns/zone-file.ts';
import {
  decodeText,
  MAX_ZONE_FILE_OCTETS,
  notRegular,
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

/**
 * Parses a zone file. Before any $ORIGIN, the origin is the file's name without `.zone`.
 * $INCLUDE names are relative to the folder of the zone file and must stay inside the configuration directory.
 */
export function readZone(directory: string, file: string, text: string): ZoneFileContents {
  const origin = parseName(posix.basename(file, '.zone'));
  const { rrsets, apex, problems } = parseZoneFile({
    file,
    text,
    origin: origin.ok ? origin.value : undefined,
    include: (name) => readInclude(directory, file, name),
    nameOf: (name) => posix.join(posix.dirname(file), name),
  });
  const apexText = apex === undefined ? undefined : formatName(lowercaseName(apex));
  if (apex === undefined || apexText === undefined || problems.length > 0) {
    return { zone: undefined, apex: apexText ?? expectedApex(file), problems };
  }
  const canonicalText = formatZone(rrsets);
  const zone: DirectoryZone = {
    apex: apexText,
    text: canonicalText,
    blob: createHash('sha256').update(canonicalText, 'utf8').digest('hex'),
    rrsetCount: rrsets.length,
    shape: shapeOfRRsets(apexText, rrsets),
    file,
    line: soaLine(rrsets, apex, file),
  };
  return { zone, apex: apexText, problems: [] };
}

/** The apex that a zone file's name stands for: `example.org.` of `zones/example.org.zone`. */
export function expectedApex(file: string): string | undefined {
  const name = parseName(posix.basename(file, '.zone'));
  return name.ok ? formatName(lowercaseName(name.value)) : undefined;
}

function shapeOfRRsets(apex: string, rrsets: readonly ParsedRRset[]): ZoneShape {
  return zoneShape(
    apex,
    rrsets.map(({ owner, type }) => ({ owner: formatName(lowercaseName(owner)), type })),
  );
}

/** The SOA's line, when it stands in the zone file itself and not in an include. */
function soaLine(rrsets: readonly ParsedRRset[], apex: Uint8Array, file: string): number {
  const soa = rrsets.find(({ type, owner }) => type === TYPE_SOA && namesEqual(owner, apex));
  return soa?.source.file === file ? soa.source.line : 1;
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
