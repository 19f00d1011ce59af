/*
 * What measured latency costs the main thread and the compile threads: taking in measurements, one decision over all
 * groups, keeping them on disk, and a map with as many measured prefixes as there may be.
 */

import { NOWHERE } from '../src/geo/location.ts';
import { openGeoTable } from '../src/geo/table.ts';
import { loadShippedTable } from '../src/geofiles/load-geo.ts';
import { checkBatch, type SentLine } from '../src/latency/check-batch.ts';
import type { GroupFigures } from '../src/latency/decide-group.ts';
import { LatencyLedger } from '../src/latency/ledger.ts';
import { MAX_BATCH_MEASUREMENTS, MAX_MEASURED_PREFIXES } from '../src/latency/limits.ts';
import { DecisionPass } from '../src/latency/pass.ts';
import { formatLedger, parseLedger } from '../src/node/latency/ledger-file.ts';
import { compileMap } from '../src/steering/compile-map.ts';
import { fillMeasured } from '../src/steering/fill-measured.ts';
import type { MeasuredFigures } from '../src/steering/measured.ts';

const GROUPS = 100_000;
const SAMPLES_PER_SKETCH = 24;
const DATA_CENTERS = 3;
const STEP_GROUPS = 100;
const MEASUREMENTS = 10_000;
const NOW_MS = Date.UTC(2026, 0, 1, 12);

const names = Array.from({ length: DATA_CENTERS }, (_, at) => `dc${at}`);
const place = { latitude: 50.11, longitude: 8.68 };
const client = { ...NOWHERE, country: 'DE', asn: 64_500, coordinates: { latitude: 52.5, longitude: 13.4 } };

/** The same numbers in every run. */
let state = 1;
function random(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}

function timed<T>(what: string, run: () => T): T {
  const startMs = performance.now();
  const result = run();
  console.log(`${what}: ${(performance.now() - startMs).toFixed(1)} ms`);
  return result;
}

function prefixOf(number: number): string {
  return `10.${(number >> 8) & 255}.${number & 255}`;
}

function measurement(): SentLine['sent'] {
  const dataCenter = names[Math.floor(random() * DATA_CENTERS)] ?? '';
  const atSeconds = NOW_MS / 1000 - Math.floor(random() * 1800);
  return {
    client: `${prefixOf(Math.floor(random() * 65_536))}.1`,
    dataCenter,
    milliseconds: 5 + 200 * random(),
    atSeconds,
  };
}

function takeIn(ledger: LatencyLedger, lines: readonly SentLine[]): void {
  for (let from = 0; from < lines.length; from += MAX_BATCH_MEASUREMENTS) {
    const batch = checkBatch(lines.slice(from, from + MAX_BATCH_MEASUREMENTS), {
      nowMs: NOW_MS,
      hasDataCenter: (name) => names.includes(name),
      sender: undefined,
    });
    if (!batch.ok) throw new Error(JSON.stringify(batch.problems[0]));
    for (const one of batch.value) ledger.add(one, client, place);
  }
}

const small = new LatencyLedger();
const rounds = Array.from({ length: 5 }, () =>
  Array.from({ length: MEASUREMENTS }, (_, at) => ({ path: `measurements/${at}`, sent: measurement() })),
);
for (const lines of rounds)
  timed(`${MEASUREMENTS} measurements checked and taken in`, () => takeIn(small, lines));

const full = new LatencyLedger();
const heapBefore = process.memoryUsage().heapUsed;
timed(`${GROUPS} groups with ${DATA_CENTERS} data centers filled`, () => {
  for (let group = 0; group < GROUPS; group += 1)
    for (const dataCenter of names) {
      const usual = 10 + 100 * random();
      for (let sample = 0; sample < SAMPLES_PER_SKETCH; sample += 1)
        full.add(
          {
            client: {
              family: 4,
              octets: Uint8Array.of(10 + (group >> 16), (group >> 8) & 255, group & 255, 1),
            },
            dataCenter,
            milliseconds: usual * (0.97 + 0.06 * random()),
            atMs: NOW_MS - (sample % 2) * 300_000,
          },
          NOWHERE,
          place,
        );
    }
});
const { groups, sketches, cells } = full.size;
const heapMb = (process.memoryUsage().heapUsed - heapBefore) / 2 ** 20;
console.log(`${groups} groups, ${sketches} sketches, ${cells} cells, ${heapMb.toFixed(0)} MB of heap`);

function decide(before: ReadonlyMap<string, GroupFigures>): ReturnType<DecisionPass['result']> {
  let longest = 0;
  const pass = new DecisionPass(full, before, NOW_MS);
  for (let more = true; more; ) {
    const startMs = performance.now();
    more = pass.step(STEP_GROUPS);
    longest = Math.max(longest, performance.now() - startMs);
  }
  const startMs = performance.now();
  const result = pass.result();
  console.log(
    `  longest step ${longest.toFixed(1)} ms, figures laid out in ${(performance.now() - startMs).toFixed(1)} ms`,
  );
  return result;
}
const first = timed('the first decision over all of them', () => decide(new Map()));
const second = timed('the next one', () => decide(first.groups));
console.log(`${second.figures.groups.length} groups steer`);
const octets = timed('written for the disk', () => Buffer.concat([...formatLedger(full, second.groups)]));
console.log(`${(octets.length / 2 ** 20).toFixed(1)} MB on disk`);
timed('read again', () => parseLedger(octets, new LatencyLedger()));

const shipped = await loadShippedTable();
if (!shipped.ok) throw new Error('no shipped table');
const table = openGeoTable(shipped.value);
const candidates = names.map((name, index) => ({
  index,
  name,
  latitude: 10 * index - 20,
  longitude: 60 * index - 120,
}));
const countries: MeasuredFigures = {
  dataCenters: names,
  groups: ['DE', 'FR', 'US'],
  milliseconds: Array.from({ length: 3 * DATA_CENTERS }, () => 5 + 50 * random()),
};
const maps = [
  { name: 'nothing measured', measured: { dataCenters: [], groups: [], milliseconds: [] } },
  { name: 'three countries', measured: countries },
  { name: `${MAX_MEASURED_PREFIXES} prefixes`, measured: second.figures },
];
for (const { name, measured } of maps) {
  const policy = fillMeasured({ kind: 'latency' }, measured);
  const image = timed(`a map of the shipped table, ${name}`, () => compileMap({ policy, candidates }, table));
  console.log(`  ${(image.byteLength / 2 ** 20).toFixed(2)} MB`);
  timed('  its source cloned to another thread', () => structuredClone({ policy, candidates }));
}
