import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import { type Parsed, type Problem, parsed, reasonOf, refused } from '../config/problem.ts';
import { joinGeoTables } from '../geo/join-tables.ts';
import { compileMmdb } from '../geo/mmdb.ts';
import { decodeShippedTable } from '../geo/shipped-table.ts';
import { openGeoTable } from '../geo/table.ts';
import { openMmdb } from './open-mmdb.ts';

/** Several times the largest city file; a larger one would not fit beside its table in memory. */
const MAX_GEO_FILE_OCTETS = 1024 ** 3;

/** The shipped table is about 20 MB unpacked. */
const MAX_SHIPPED_OCTETS = 256 * 1024 ** 2;

/** Where the shipped table lies, from the sources and from the built program alike. */
export const shippedTablePath = fileURLToPath(new URL('../../geoip/geo-table.bin', import.meta.url));

const unpack = promisify(brotliDecompress);

/**
 * Reads MaxMind-format files into one geo table. Files may hold one family each, or places and AS numbers apart.
 * All problems of all files come back at once; with any of them there is no table.
 */
export async function loadGeoTable(paths: readonly string[]): Promise<Parsed<SharedArrayBuffer>> {
  if (paths.length === 0) return refused('geo-file-missing', '', 'no geo file is named; name at least one');
  const problems: Problem[] = [];
  let table: SharedArrayBuffer | undefined;
  for (const path of paths) {
    const loaded = await loadMmdb(path);
    if (!loaded.ok) problems.push(...loaded.problems);
    else
      table =
        table === undefined ? loaded.value : joinGeoTables(openGeoTable(table), openGeoTable(loaded.value));
  }
  return table === undefined || problems.length > 0 ? { ok: false, problems } : parsed(table);
}

/** Reads the table that comes with the program. */
export async function loadShippedTable(path: string = shippedTablePath): Promise<Parsed<SharedArrayBuffer>> {
  const read = await readWhole(path, 'install the program again, or name MaxMind-format files of your own');
  if (!read.ok) return read;
  const digest = createHash('sha256').update(read.value).digest('hex');
  try {
    return decodeShippedTable(await unpack(read.value, { maxOutputLength: MAX_SHIPPED_OCTETS }), digest);
  } catch (error) {
    const message = `${path} does not unpack (${reasonOf(error)}); install the program again`;
    return refused('geo-table-broken', path, message);
  }
}

async function loadMmdb(path: string): Promise<Parsed<SharedArrayBuffer>> {
  const read = await readWhole(
    path,
    'put a MaxMind-format file there, or name none to use the shipped table',
  );
  if (!read.ok) return read;
  const opened = openMmdb(read.value, path);
  return opened.ok ? compileMmdb(opened.value.file, opened.value.metadata) : opened;
}

async function readWhole(path: string, remedy: string): Promise<Parsed<Buffer>> {
  try {
    const { size } = await stat(path);
    if (size > MAX_GEO_FILE_OCTETS)
      return refused(
        'geo-file-broken',
        path,
        `${path} has ${size} octets; at most ${MAX_GEO_FILE_OCTETS} fit`,
      );
    return parsed(await readFile(path));
  } catch (error) {
    return refused('geo-file-missing', path, `${path} cannot be read (${reasonOf(error)}); ${remedy}`);
  }
}
