import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import type { Parsed, Problem } from '../config/problem.ts';

/** A directory of more files than this is not a configuration directory. */
export const MAX_CONFIG_FILES = 2000;

/** YAML is read into memory several times over; more than this belongs into zone files. */
export const MAX_YAML_FILE_OCTETS = 8 * 1024 * 1024;

/** Above the longest zone text that parses (`MAX_ZONE_TEXT_LENGTH`), all of it ASCII. */
export const MAX_ZONE_FILE_OCTETS = 256 * 1024 * 1024;

/** The folder of zone files. */
export const ZONES_FOLDER = 'zones';

/** The files of a configuration directory, relative to it with `/`, sorted. */
export interface ConfigFiles {
  readonly yaml: readonly string[];
  readonly zones: readonly string[];
}

/**
 * Finds `*.yaml`, `*.yml` and `*.zone` at the top, and `zones/*.zone`. Hidden files are left out.
 * YAML in `zones/` is a problem, for it would be overlooked.
 */
export async function findConfigFiles(directory: string): Promise<Parsed<ConfigFiles>> {
  const problems: Problem[] = [];
  const yaml: string[] = [];
  const zones: string[] = [];
  const top = await namesIn(directory, '', problems);
  for (const name of top) {
    if (/\.ya?ml$/.test(name)) yaml.push(name);
    else if (name.endsWith('.zone')) zones.push(name);
  }
  for (const name of top.includes(ZONES_FOLDER) ? await namesIn(directory, ZONES_FOLDER, problems) : []) {
    const file = `${ZONES_FOLDER}/${name}`;
    if (name.endsWith('.zone')) zones.push(file);
    if (!/\.ya?ml$/.test(name)) continue;
    const message = `${file} is not read: YAML files belong beside the folder ${ZONES_FOLDER}, not into it.`;
    problems.push({ code: 'misplaced-file', path: file, message, source: { file, line: 1 } });
  }
  if (problems.length === 0 && yaml.length + zones.length === 0) {
    // A path that is mistaken or a volume that is not mounted would else take everything away.
    const message = `${directory} has no *.yaml and no *.zone file; check the path, or give --config none.`;
    problems.push({ code: 'empty-directory', path: '', message });
  }
  if (yaml.length + zones.length > MAX_CONFIG_FILES) {
    const message = `The directory has ${yaml.length + zones.length} files; at most ${MAX_CONFIG_FILES} are read.`;
    problems.push({ code: 'too-many-files', path: basename(directory), message });
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: { yaml, zones } };
}

/** A file's text, or why it cannot be had. `file` is relative to the directory and must not lead out of it. */
export async function readConfigFile(
  directory: string,
  file: string,
  maxOctets: number,
): Promise<Parsed<string>> {
  const octets = await readConfigOctets(directory, file, maxOctets);
  return octets.ok ? decodeText(file, octets.value) : octets;
}

/** The same in octets. */
export async function readConfigOctets(
  directory: string,
  file: string,
  maxOctets: number,
): Promise<Parsed<Uint8Array>> {
  try {
    const path = await realpath(join(directory, file));
    const outside = refuseOutside(await realpath(directory), path, file);
    if (outside !== undefined) return { ok: false, problems: [outside] };
    const found = await stat(path);
    // A pipe or a device would keep its reader waiting, and every write of the API behind it.
    if (!found.isFile() && !found.isDirectory()) return { ok: false, problems: [notRegular(file)] };
    const { size } = found;
    if (size > maxOctets) return { ok: false, problems: [tooLarge(file, size, maxOctets)] };
    return { ok: true, value: await readFile(path) };
  } catch (error) {
    return { ok: false, problems: [unreadable(file, error)] };
  }
}

/** UTF-8 without its byte order mark; anything else is a problem. */
export function decodeText(file: string, octets: Uint8Array): Parsed<string> {
  try {
    return { ok: true, value: new TextDecoder('utf-8', { fatal: true }).decode(octets) };
  } catch {
    const message = `${file} is not UTF-8 text; save it as UTF-8.`;
    return { ok: false, problems: [{ code: 'not-utf-8', path: file, message, source: { file, line: 1 } }] };
  }
}

/** A problem where a real path is not below the directory's own. */
export function refuseOutside(realDirectory: string, realFile: string, file: string): Problem | undefined {
  const way = relative(realDirectory, realFile);
  if (way !== '..' && !way.startsWith(`..${sep}`) && !way.startsWith(sep)) return undefined;
  const message = `${file} lies outside the configuration directory; put it, or a copy, inside.`;
  return { code: 'outside-directory', path: file, message, source: { file, line: 1 } };
}

export function tooLarge(file: string, octets: number, maxOctets: number): Problem {
  const message = `${file} has ${octets} octets; at most ${maxOctets} are read.`;
  return { code: 'file-too-large', path: file, message, source: { file, line: 1 } };
}

export function notRegular(file: string): Problem {
  const message = `${file} is a pipe, socket or device; put a regular file there.`;
  return { code: 'not-a-file', path: file, message, source: { file, line: 1 } };
}

/** Says in words what the operating system's code means for the operator. */
export function unreadable(file: string, error: unknown): Problem {
  const code = errorCode(error);
  const hint = hints[code] ?? `the system says ${code === '' ? String(error) : code}`;
  const message = `${file} cannot be read: ${hint}.`;
  return { code: 'unreadable-file', path: file, message, source: { file, line: 1 } };
}

const hints: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist; check the path',
  EACCES: 'permission is denied; make it readable for the user that runs the node',
  EPERM: 'permission is denied; make it readable for the user that runs the node',
  EISDIR: 'it is a directory, and a file is expected',
  ENOTDIR: 'it is not a directory, or something above it is not one',
  ELOOP: 'its symbolic links go in circles',
};

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

async function namesIn(directory: string, folder: string, problems: Problem[]): Promise<readonly string[]> {
  try {
    const names = await readdir(join(directory, folder));
    return names.filter((name) => !name.startsWith('.')).sort();
  } catch (error) {
    const { source: _, ...problem } = unreadable(folder === '' ? directory : folder, error);
    problems.push(problem);
    return [];
  }
}
