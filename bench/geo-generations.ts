/**
 * What a new geo table costs a node that runs: how long the main thread stands still, how long it takes until every
 * worker answers from it, and what memory stays, over several generations.
 *
 *     node bench/geo-generations.ts [MMDB…]     the files of `MERIDIAN_BENCH_MMDB` where none are named
 *
 * Every second generation has all files, those between only the first, and nothing is read from disk images. Without
 * files it is the shipped table each time.
 */
import { readdirSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openGeoTable } from '../src/geo/table.ts';
import { Compiler } from '../src/node/compile/compiler.ts';
import { serveDns } from '../src/server/serve-dns.ts';
import type { SnapshotMessage } from '../src/snapshot/snapshot.ts';
import { createVerdictTable } from '../src/snapshot/verdict-table.ts';
import { benchCandidates, benchFiles } from './geo-inputs.ts';
import { temporaryDirectory } from './ground/temporary.ts';

const GENERATIONS = 6;
const DATA_CENTERS = 50;
/** Longer than the geo thread waits for more work before it ends and gives its memory back. */
const SETTLE_MS = 7000;
/** The longest that the main thread may stand still, ms; on a machine with other work it also waits for its turn. */
const BOUND_MS = 20;

const files = benchFiles();
const directory = temporaryDirectory('geo-generations');
const compiler = new Compiler(directory);
const source = { policy: { kind: 'nearest' }, candidates: benchCandidates(DATA_CENTERS) };
const verdicts = createVerdictTable();
const delay = monitorEventLoopDelay({ resolution: 1 });

console.log(`node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`);
console.log(files.length === 0 ? 'the shipped table' : files.join(' '));
const server = await serveDns({
  addresses: [{ address: '127.0.0.1', port: 0 }],
  snapshot: snapshotOf(0, undefined),
  log: console,
});
try {
  for (let generation = 1; generation <= GENERATIONS; generation++) await change(generation);
} finally {
  await server.close();
  await compiler.close();
}

async function change(generation: number): Promise<void> {
  for (const name of readdirSync(directory)) rmSync(join(directory, name));
  const paths = generation % 2 === 0 ? files : files.slice(0, 1);
  delay.reset();
  delay.enable();
  const bursts = watchBursts();
  const before = performance.now();
  const loaded = await compiler.run<'geo-table'>({ kind: 'geo-table', paths });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join('\n'));
  const tableMs = performance.now() - before;
  const table = openGeoTable(loaded.value);
  const map = await compiler.run<'map'>({ kind: 'map', source, geoTable: loaded.value });
  await server.publish(snapshotOf(generation, map));
  const allMs = performance.now() - before;
  delay.disable();
  const burstMs = bursts.end();
  const peakMs = delay.max / 1e6;
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const ranges = ((table.v4.count + table.v6.count) / 1e6).toFixed(1);
  console.log(
    `generation ${generation}: ${ranges} million ranges, table ${tableMs.toFixed(0)} ms, in use after ${allMs.toFixed(0)} ms, ` +
      `main thread still for ${peakMs.toFixed(1)} ms${peakMs > BOUND_MS ? ' (too long)' : ''}, ` +
      `its longest piece of work ${burstMs.toFixed(1)} ms, ` +
      `${megabytes(process.memoryUsage.rss())} MB resident (peak so far ${megabytes(process.resourceUsage().maxRSS * 1024)} MB), ` +
      `table ${megabytes(loaded.value.byteLength)} MB, map ${megabytes(map.byteLength)} MB`,
  );
}

/** The most processor time that the main thread takes between two turns of its event loop, ms. */
function watchBursts(): { readonly end: () => number } {
  let longest = 0;
  let last = cpuMs();
  const look = (): void => {
    const now = cpuMs();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(look, 1);
  return {
    end: () => {
      clearInterval(timer);
      return longest;
    },
  };
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function snapshotOf(generation: number, map: SharedArrayBuffer | undefined): SnapshotMessage {
  return { generation, zones: [], maps: [map], verdicts, serverId: new Uint8Array() };
}

function megabytes(octets: number): string {
  return (octets / 1e6).toFixed(0);
}
