import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { LocationFields } from '../../src/geo/location-list.ts';
import { locate, openMap, prefixLengthOf, programOf } from '../../src/geo/map.ts';
import { locateClient, openGeoTable } from '../../src/geo/table.ts';
import { GeoTableBuilder, unknownFields } from '../../src/geo/table-builder.ts';
import { compileMap } from '../../src/steering/compile-map.ts';
import type { Candidate, PolicyNode } from '../../src/steering/policy.ts';
import { heldPrefixes, prefixRulesOf } from '../../src/steering/prefix-rules.ts';
import type { RandomSource } from '../../src/steering/program.ts';
import { createRanking } from '../../src/steering/rank.ts';
import { runProgram } from '../../src/steering/run-program.ts';
import { testMetadata } from '../geo/table-of.ts';
import { order, rule } from '../steering/policy-nodes.ts';

/**
 * Addresses are drawn from few bits, spread over the address, so that ranges, rules and probes meet at their edges.
 * An address is its free bits; where they stand differs by family.
 */
const FREE_BITS = 8;
const freeBits = fc.nat(2 ** FREE_BITS - 1);
const families = {
  4: { octets: 4, positions: [0, 1, 7, 15, 16, 17, 23, 31] },
  6: { octets: 16, positions: [0, 15, 16, 33, 47, 64, 100, 127] },
} as const;

function addressOf(family: 4 | 6, free: number): Uint8Array {
  const octets = new Uint8Array(families[family].octets);
  for (const [at, position] of families[family].positions.entries())
    if ((free >> (FREE_BITS - 1 - at)) & 1)
      octets[position >> 3] = (octets[position >> 3] ?? 0) | (128 >> (position & 7));
  return octets;
}

function numberOf(octets: Uint8Array): bigint {
  return octets.reduce((number, octet) => (number << 8n) | BigInt(octet), 0n);
}

function octetsOf(number: bigint, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, at) =>
    Number((number >> BigInt(8 * (count - 1 - at))) & 255n),
  );
}

function prefixText(family: 4 | 6, free: number, length: number): string {
  const bits = families[family].octets * 8;
  const clear = BigInt(bits - length);
  const octets = octetsOf((numberOf(addressOf(family, free)) >> clear) << clear, bits / 8);
  if (family === 4) return `${octets.join('.')}/${length}`;
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((octets[2 * at] ?? 0) << 8) | (octets[2 * at + 1] ?? 0)).toString(16),
  );
  return `${groups.join(':')}/${length}`;
}

const place = fc.record({
  latitude: fc.integer({ min: -80, max: 80 }),
  longitude: fc.integer({ min: -180, max: 179 }),
});
const ranges = fc.uniqueArray(fc.record({ free: freeBits, at: fc.nat(4) }), {
  selector: (range) => range.free,
  maxLength: 20,
});
const rules = fc.array(
  fc.record({
    family: fc.constantFrom(4 as const, 6 as const),
    free: freeBits,
    length: fc.nat(128),
    to: fc.nat(4),
  }),
  { maxLength: 6 },
);
const scene = fc.record({
  places: fc.array(fc.option(place, { nil: undefined }), { minLength: 5, maxLength: 5 }),
  v4: ranges,
  v6: ranges,
  centers: fc.array(place, { minLength: 5, maxLength: 5 }),
  rules,
});
type Scene = typeof scene extends fc.Arbitrary<infer T> ? T : never;

function compile({ places, v4, v6, centers, rules: given }: Scene) {
  const builder = new GeoTableBuilder();
  const numbers = places.map((at) => builder.locationNumber({ ...unknownFields, ...at } as LocationFields));
  const byStart = (one: { free: number }, other: { free: number }): number => one.free - other.free;
  for (const { free, at } of v4.toSorted(byStart))
    builder.addV4(Number(numberOf(addressOf(4, free))), numbers[at] ?? 0);
  for (const { free, at } of v6.toSorted(byStart)) {
    const number = numberOf(addressOf(6, free));
    const word = (shift: bigint): number => Number((number >> shift) & 0xffffffffn);
    builder.addV6(word(96n), word(64n), word(32n), word(0n), numbers[at] ?? 0);
  }
  const candidates: Candidate[] = centers.map((center, index) => ({ index, name: `dc${index}`, ...center }));
  const policy: PolicyNode = {
    kind: 'geo',
    rules: given.map(({ family, free, length, to }) =>
      rule(
        { prefixes: [prefixText(family, free, Math.min(length, families[family].octets * 8))] },
        order(`dc${to}`),
      ),
    ),
    otherwise: { kind: 'nearest' },
  } as PolicyNode;
  const table = openGeoTable(builder.build(testMetadata));
  return { policy, candidates, table, map: openMap(compileMap({ policy, candidates }, table)) };
}

const noDraws: RandomSource = { nextUint32: () => 0 };

it('gives each address the order that ranking it alone gives', () => {
  fc.assert(
    fc.property(scene, fc.array(freeBits, { minLength: 20, maxLength: 20 }), (given, probes) => {
      const { policy, candidates, table, map } = compile(given);
      const rank = createRanking(policy, candidates);
      const written = new Uint16Array(8);
      for (const family of [4, 6] as const)
        for (const probe of probes) {
          const address = addressOf(family, probe);
          const prefixes = heldPrefixes(prefixRulesOf(policy, family), numberOf(address));
          const program = rank({ ...locateClient(table, family, address), prefixes });
          const want =
            program.kind === 'sequence' ? program.parts.map((part) => Reflect.get(part, 'index')) : [];
          const count = runProgram(map, programOf(locate(map, family, address)), noDraws, written);
          expect(Array.from(written.subarray(0, count))).toEqual(want);
        }
    }),
    { numRuns: 60 },
  );
});

it('gives the widest prefix on which the order is the same', () => {
  fc.assert(
    fc.property(scene, freeBits, freeBits, (given, probe, other) => {
      const { map } = compile(given);
      for (const family of [4, 6] as const) {
        const octets = families[family].octets;
        const address = numberOf(addressOf(family, probe));
        const leaf = locate(map, family, octetsOf(address, octets));
        const free = octets * 8 - prefixLengthOf(leaf);
        const inside = (address >> BigInt(free)) << BigInt(free);
        const last = inside + (1n << BigInt(free)) - 1n;
        const probes = [
          inside,
          last,
          inside + ((1n << BigInt(free)) >> 1n),
          inside | BigInt.asUintN(free, numberOf(addressOf(family, other))),
        ];
        for (const neighbour of probes) expect(locate(map, family, octetsOf(neighbour, octets))).toBe(leaf);
        if (prefixLengthOf(leaf) === 0) continue;
        // Somewhere in the sibling prefix the program differs: its leaves are not all this program.
        expect(programsWithin(map, family, inside ^ (1n << BigInt(free)), free)).not.toEqual(
          new Set([programOf(leaf)]),
        );
      }
    }),
    { numRuns: 60 },
  );
});

/** Programs of all leaves in a prefix with so many free bits, by stepping from leaf to leaf. */
function programsWithin(
  map: ReturnType<typeof openMap>,
  family: 4 | 6,
  start: bigint,
  free: number,
): Set<number> {
  const octets = families[family].octets;
  const programs = new Set<number>();
  for (let address = start; address < start + (1n << BigInt(free)); ) {
    const leaf = locate(map, family, octetsOf(address, octets));
    programs.add(programOf(leaf));
    address += 1n << BigInt(octets * 8 - prefixLengthOf(leaf));
  }
  return programs;
}

it('gives a policy that asks nothing of the client one leaf of length 0 per family', () => {
  fc.assert(
    fc.property(scene, freeBits, (given, probe) => {
      const { candidates, table } = compile(given);
      const policy = { kind: 'order', dataCenters: ['dc1', 'dc0'] } as PolicyNode;
      const map = openMap(compileMap({ policy, candidates }, table));
      for (const family of [4, 6] as const)
        expect(prefixLengthOf(locate(map, family, addressOf(family, probe)))).toBe(0);
    }),
    { numRuns: 20 },
  );
});
