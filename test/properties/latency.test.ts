import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type ClientLocation, NOWHERE } from '../../src/geo/location.ts';
import { decideGroup, type GroupFigures, HOLD_MS } from '../../src/latency/decide-group.ts';
import { LatencyLedger } from '../../src/latency/ledger.ts';
import { type Measurement, sortedMeasurements } from '../../src/latency/measurement.ts';
import { DecisionPass } from '../../src/latency/pass.ts';
import { addSample, type Sketch, SLOT_MS, slotOf } from '../../src/latency/sketch.ts';
import { figuresOfGroups, type MeasuredFigures } from '../../src/steering/measured.ts';
import type { LatencyNode } from '../../src/steering/policies/latency.ts';
import { createRanking } from '../../src/steering/rank.ts';
import { places } from '../geo/table-of.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
const fra = { latitude: 50.11, longitude: 8.68 };
const location: ClientLocation = { ...NOWHERE, ...places.paris, coordinates: places.paris, asn: 64_500 };

const measurement: fc.Arbitrary<Measurement> = fc.record({
  client: fc
    .tuple(fc.nat(3), fc.nat(255))
    .map(([third, last]) => ({ family: 4 as const, octets: Uint8Array.of(192, 0, third, last) })),
  dataCenter: fc.constantFrom('ams', 'fra', 'lon'),
  milliseconds: fc.double({ min: 0.1, max: 10_000, noNaN: true }),
  atMs: fc.integer({ min: NOW - 86_000_000, max: NOW }),
});

function decided(measurements: readonly Measurement[], before: ReadonlyMap<string, GroupFigures>): unknown {
  const ledger = new LatencyLedger();
  for (const one of sortedMeasurements(measurements)) ledger.add(one, location, fra);
  const pass = new DecisionPass(ledger, before, NOW);
  while (pass.step(2));
  return pass.result();
}

it('what is decided does not depend on the order in which measurements come', () => {
  const shuffled = fc
    .array(measurement, { maxLength: 120 })
    .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })));
  const before = new Map([['192.0.1.0/24', { milliseconds: new Map([['fra', 20]]), sinceMs: 0 }]]);
  fc.assert(
    fc.property(shuffled, ([one, other]) => {
      expect(decided(one, before)).toEqual(decided(other, before));
    }),
    { numRuns: 100 },
  );
});

/** Medians of two data centers, alike on average, with noise of some milliseconds; how often the order turns. */
function turns(noise: readonly (readonly [number, number])[]): number {
  const sketches = new Map<string, Sketch>([
    ['ams', []],
    ['fra', []],
  ]);
  let before: GroupFigures | undefined;
  let count = 0;
  for (const [at, [ams, fraMs]] of noise.entries()) {
    const nowMs = NOW + at * SLOT_MS;
    for (let sample = 0; sample < 10; sample += 1) {
      addSample(sketches.get('ams') ?? [], slotOf(nowMs), 30 + ams);
      addSample(sketches.get('fra') ?? [], slotOf(nowMs), 30 + fraMs);
    }
    const { outcome } = decideGroup('192.0.2.0/24', sketches, before, nowMs);
    const after = outcome.kind === 'measured' ? outcome.figures : undefined;
    if (before !== undefined && after !== undefined && isTurned(before, after)) count += 1;
    before = after;
  }
  return count;
}

function isTurned(before: GroupFigures, after: GroupFigures): boolean {
  const ahead = ({ milliseconds }: GroupFigures): boolean =>
    (milliseconds.get('ams') ?? 0) < (milliseconds.get('fra') ?? 0);
  return ahead(before) !== ahead(after);
}

it('noise below the threshold never turns an order, and a change is never taken back within the hold', () => {
  const noise = fc.double({ min: -1, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.array(fc.tuple(noise, noise), { minLength: 50, maxLength: 100 }), (rows) => {
      expect(turns(rows)).toBe(0);
    }),
    { numRuns: 50 },
  );
  // The same with noise that counts: it does turn, so that the first half of this test can fail.
  const wild = Array.from({ length: 100 }, (_, at): [number, number] => [at % 50 < 25 ? 40 : 0, 20]);
  expect(turns(wild)).toBeGreaterThan(1);
  expect(turns(wild)).toBeLessThan((100 * SLOT_MS) / HOLD_MS);
});

const candidate = (
  name: string,
  index: number,
  latitude: number,
): Parameters<typeof createRanking>[1][number] => ({
  index,
  name,
  latitude,
  longitude: index * 10,
});
const candidates = [
  candidate('ams', 4, 52),
  candidate('fra', 2, 50),
  candidate('lon', 7, 51),
  candidate('sin', 0, 1),
];

const groups = ['192.0.2.0/24', 'AS64500', 'FR'];
const figures: fc.Arbitrary<MeasuredFigures> = fc
  .array(fc.oneof(fc.constant(0), fc.double({ min: 0.1, max: 10_000, noNaN: true })), {
    minLength: 9,
    maxLength: 9,
  })
  .map((milliseconds) => ({ dataCenters: ['fra', 'gone', 'sin'], groups, milliseconds }));

const client: fc.Arbitrary<ClientLocation> = fc.record({
  coordinates: fc.constantFrom(undefined, places.paris, places.tokyo),
  country: fc.constantFrom('', 'FR', 'JP'),
  subdivision: fc.constant(''),
  continent: fc.constant(''),
  asn: fc.constantFrom(0, 64_500, 64_501),
  prefixes: fc.constantFrom([], ['192.0.2.0/24'], ['203.0.113.0/24']),
});

it('any measurements give a permutation of the candidates, and rows of other groups change nothing', () => {
  fc.assert(
    fc.property(figures, client, (measured, who) => {
      const node: LatencyNode = { kind: 'latency', measured };
      const program = createRanking(node, candidates)(who);
      const parts = program.kind === 'sequence' ? program.parts : [];
      const order = parts.flatMap((part) => (part.kind === 'data-center' ? [part.index] : []));
      expect(order.toSorted((one, other) => one - other)).toEqual([0, 2, 4, 7]);
      const own = [...who.prefixes, `AS${who.asn}`, who.country];
      const restricted: LatencyNode = { kind: 'latency', measured: figuresOfGroups(measured, own) };
      expect(createRanking(restricted, candidates)(who)).toEqual(program);
    }),
  );
});
