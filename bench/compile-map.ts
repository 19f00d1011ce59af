/**
 * How long a map takes to compile, how large it is, and what a look-up costs.
 *
 *     node bench/compile-map.ts [MMDB…]     with the shipped table, and with files of one's own
 *
 * The files of `MERIDIAN_BENCH_MMDB` where none are named.
 */
import { cpus } from 'node:os';
import { type GeoMap, locate, openMap } from '../src/geo/map.ts';
import { type FamilyRanges, type GeoTable, openGeoTable } from '../src/geo/table.ts';
import { loadGeoTable, loadShippedTable } from '../src/geofiles/load-geo.ts';
import { compileMap } from '../src/steering/compile-map.ts';
import { benchCandidates, benchFiles, createShares } from './geo-inputs.ts';

const ROUNDS = 5;
const LOOKUPS = 1_000_000;
/** Distinct addresses of the look-ups; more than the processor's nearest caches hold entries for. */
const ADDRESSES = 65_536;

const share = createShares(11);

console.log(`node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`);
await measure('shipped table', loadShippedTable);
const paths = benchFiles();
if (paths.length > 0) await measure(paths.join(' '), () => loadGeoTable(paths));

async function measure(name: string, load: typeof loadShippedTable): Promise<void> {
  const before = performance.now();
  const loaded = await load();
  if (!loaded.ok) throw new Error(loaded.problems.map((problem) => problem.message).join('\n'));
  const table = openGeoTable(loaded.value);
  const loadedIn = performance.now() - before;
  console.log(`\n${name}: loaded in ${loadedIn.toFixed(0)} ms, ${megabytes(loaded.value)} MB`);
  console.log(`${table.v4.count} IPv4 ranges, ${table.v6.count} IPv6 ranges, ${table.locationCount} places`);
  for (const count of [5, 50]) measureMap(table, count);
}

function measureMap(table: GeoTable, count: number): void {
  const candidates = benchCandidates(count);
  let best = Number.POSITIVE_INFINITY;
  let image = new SharedArrayBuffer(0);
  for (let round = 0; round < ROUNDS; round++) {
    const before = performance.now();
    image = compileMap({ policy: { kind: 'nearest' }, candidates }, table);
    best = Math.min(best, performance.now() - before);
  }
  const map = openMap(image);
  const size = `${megabytes(image)} MB, ${map.programCount} programs`;
  console.log(`nearest of ${count}: ${best.toFixed(0)} ms, ${size}`);
  for (const [name, family, addresses] of [
    ['IPv4, any address', 4, anyAddresses(4)],
    ['IPv6, any address of 2000::/4', 6, anyAddresses(6)],
    ['IPv4, any range', 4, addressesIn(table.v4)],
    ['IPv6, any range', 6, addressesIn(table.v6)],
  ] as const)
    console.log(`  ${lookUp(map, family, addresses).toFixed(1).padStart(6)} ns per look-up: ${name}`);
}

function anyAddresses(family: 4 | 6): readonly Uint8Array[] {
  return Array.from({ length: ADDRESSES }, () => {
    const octets = Uint8Array.from({ length: family === 4 ? 4 : 16 }, () => share() * 256);
    if (family === 6) octets[0] = 0x20 | ((octets[0] ?? 0) & 15);
    return octets;
  });
}

/** The first addresses of ranges: the parts of the address space that are in use, and the deepest parts of a map. */
function addressesIn({ count, starts, addressWords }: FamilyRanges): readonly Uint8Array[] {
  return Array.from({ length: ADDRESSES }, () => {
    const octets = new Uint8Array(addressWords * 4);
    const view = new DataView(octets.buffer);
    const range = Math.floor(share() * count);
    for (let word = 0; word < addressWords; word++)
      view.setUint32(word * 4, starts[range * addressWords + word] ?? 0);
    return octets;
  });
}

function lookUp(map: GeoMap, family: 4 | 6, addresses: readonly Uint8Array[]): number {
  let best = Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const before = performance.now();
    for (let at = 0; at < LOOKUPS; at++) sum += locate(map, family, addresses[at % ADDRESSES] as Uint8Array);
    best = Math.min(best, performance.now() - before);
  }
  // The sum keeps the loop from being optimised away.
  return sum < 0 ? Number.NaN : (best * 1e6) / LOOKUPS;
}

function megabytes(buffer: SharedArrayBuffer): string {
  return (buffer.byteLength / 1e6).toFixed(1);
}
