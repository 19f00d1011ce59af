/**
 * How long a map takes to compile, how large it is, and what a look-up costs.
 *
 *     node bench/compile-map.ts [MMDB…]     with the shipped table, and with files of one's own
 */
import { cpus } from 'node:os';
import { type GeoMap, locate, openMap } from '../src/geo/map.ts';
import { type GeoTable, openGeoTable } from '../src/geo/table.ts';
import { loadGeoTable, loadShippedTable } from '../src/geofiles/load-geo.ts';
import { compileMap } from '../src/steering/compile-map.ts';
import type { Candidate } from '../src/steering/policy.ts';

const ROUNDS = 5;
const LOOKUPS = 1_000_000;
/** Distinct addresses of the look-ups; more than the processor's nearest caches hold entries for. */
const ADDRESSES = 65_536;

/** A linear congruential generator: the same data centers and addresses in every run. */
let state = 7;
function share(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

console.log(`node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`);
await measure('shipped table', loadShippedTable);
const paths = process.argv.slice(2);
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
  const candidates = Array.from({ length: count }, (_, index): Candidate => {
    const latitude = share() * 110 - 50;
    return { index, name: `dc${index}`, latitude, longitude: share() * 360 - 180 };
  });
  let best = Number.POSITIVE_INFINITY;
  let image = new SharedArrayBuffer(0);
  for (let round = 0; round < ROUNDS; round++) {
    const before = performance.now();
    image = compileMap({ policy: { kind: 'nearest' }, candidates }, table);
    best = Math.min(best, performance.now() - before);
  }
  const map = openMap(image);
  const size = `${megabytes(image)} MB, ${map.programCount} programs`;
  console.log(
    `nearest of ${count}: ${best.toFixed(0)} ms, ${size}, ${lookUp(map).toFixed(1)} ns per IPv4 look-up`,
  );
}

function lookUp(map: GeoMap): number {
  const octets = Uint8Array.from({ length: ADDRESSES * 4 }, () => share() * 256);
  const addresses = Array.from({ length: ADDRESSES }, (_, at) => octets.subarray(at * 4, at * 4 + 4));
  let best = Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const before = performance.now();
    for (let at = 0; at < LOOKUPS; at++) sum += locate(map, 4, addresses[at % ADDRESSES] as Uint8Array);
    best = Math.min(best, performance.now() - before);
  }
  // The sum keeps the loop from being optimised away.
  return sum < 0 ? Number.NaN : (best * 1e6) / LOOKUPS;
}

function megabytes(buffer: SharedArrayBuffer): string {
  return (buffer.byteLength / 1e6).toFixed(1);
}
