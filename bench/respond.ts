/*
 * `respond` alone on one thread: queries per second, nanoseconds and octets allocated per query.
 * Run with --expose-gc, so that octets are counted between collections.
 */
import { cpus } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { createAnswerScratch, respond } from '../src/answer/respond.ts';
import type { RandomSource } from '../src/steering/program.ts';
import { benchWorld, packetsOf } from './respond-world.ts';

const ROUNDS = 5;
const QUERIES = 1_000_000;

function xorshift(): RandomSource {
  let state = 0x2545f491;
  return {
    nextUint32: () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state >>> 0;
    },
  };
}

const random = xorshift();
const scratch = createAnswerScratch(random);
const snapshot = benchWorld();
const response = new Uint8Array(65_535);
const client = { family: 4 as const, octets: Uint8Array.of(198, 51, 100, 1) };

const cases = [
  {
    name: 'static A',
    // An odd step: nodes are lines of the cache, and every eighth of them shares a few of its sets.
    packets: packetsOf((i) => ({ name: `host-${((i * 23) % 99_000) + 2}.example.org`, type: 'A' })),
  },
  {
    name: 'steered A, random /24',
    packets: packetsOf(() => ({
      name: 'www.example.org',
      type: 'A',
      subnet: Uint8Array.of(1 + (random.nextUint32() % 223), random.nextUint32(), random.nextUint32(), 0),
    })),
  },
  { name: 'NXDOMAIN', packets: packetsOf((i) => ({ name: `nobody-${i}.example.org`, type: 'A' })) },
  {
    name: 'NXDOMAIN, 30 labels',
    packets: packetsOf((i) => ({ name: `${'x.'.repeat(29)}n${i}.example.org`, type: 'A' })),
  },
  { name: 'CNAME chain of three', packets: packetsOf(() => ({ name: 'a.example.org', type: 'A' })) },
  { name: 'REFUSED', packets: packetsOf((i) => ({ name: `host-${i}.example.com`, type: 'A' })) },
];

/** Answers `count` queries and returns the octets of all answers, so that nothing can be left out as unused. */
function run(packets: readonly Uint8Array[], count: number): number {
  let octets = 0;
  for (let i = 0; i < count; i++) {
    const packet = packets[i & (packets.length - 1)] as Uint8Array;
    octets += respond(scratch, snapshot, packet, packet.length, client, 'udp', response);
  }
  return octets;
}

console.log(`node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`);
for (const { packets } of cases) run(packets, QUERIES / 4);
for (const { name, packets } of cases) {
  let best = Number.POSITIVE_INFINITY;
  let allocated = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    globalThis.gc?.();
    const before = getHeapStatistics().used_heap_size;
    const start = process.hrtime.bigint();
    run(packets, QUERIES);
    best = Math.min(best, Number(process.hrtime.bigint() - start));
    allocated = Math.min(allocated, getHeapStatistics().used_heap_size - before);
  }
  const rate = Math.round(QUERIES / (best / 1e9)).toLocaleString('en');
  const perQuery = `${(best / QUERIES).toFixed(0)} ns, ${(allocated / QUERIES).toFixed(2)} octets`;
  console.log(`${name.padEnd(24)} ${rate.padStart(12)} queries/s ${perQuery.padStart(24)} per query`);
}
