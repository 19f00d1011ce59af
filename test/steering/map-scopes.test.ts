import { describe, expect, it } from 'vitest';
import { locate, openMap, prefixLengthOf, programOf } from '../../src/geo/map.ts';
import { openGeoTable } from '../../src/geo/table.ts';
import { GeoTableBuilder, unknownFields } from '../../src/geo/table-builder.ts';
import { compileMap } from '../../src/steering/compile-map.ts';
import type { PolicyNode } from '../../src/steering/policy.ts';
import { runProgram } from '../../src/steering/run-program.ts';
import { testMetadata } from '../geo/table-of.ts';
import { order, rule } from './policy-nodes.ts';

/*
 * Maps of every size of root against a plain list of ranges: the program of each address, and as its scope the widest
 * prefix that lies between the edges of its range.
 */
const COUNTRIES = ['AA', 'BB', 'CC', 'DD'] as const;
const candidates = COUNTRIES.map((_, index) => ({ index, name: `dc${index}`, latitude: 0, longitude: 0 }));
const policy: PolicyNode = {
  kind: 'geo',
  rules: COUNTRIES.map((country, index) => rule({ countries: [country] }, order(`dc${index}`))),
} as PolicyNode;

/** A linear congruential generator: the same ranges in every run. */
function draws(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

interface Range {
  readonly start: bigint;
  /** Position in `COUNTRIES`. */
  readonly country: number;
}

/** Ranges of different countries, whose starts are at even bits of the address and crowd together here and there. */
function rangesOf(count: number, bits: number, seed: number): readonly Range[] {
  const draw = draws(seed);
  const starts = new Set([0n]);
  let near = 0n;
  while (starts.size < count) {
    if (draw(8) === 0) near = (BigInt(draw(2 ** 32)) << BigInt(bits - 32)) | BigInt(draw(2));
    const length = bits === 32 ? 16 + draw(17) : 20 + draw(109);
    const start = near ^ (BigInt(draw(2 ** 12)) << BigInt(bits - length));
    starts.add(BigInt.asUintN(bits, start));
  }
  let country = 0;
  return [...starts]
    .sort((one, other) => (one < other ? -1 : 1))
    .map((start) => {
      country = (country + 1 + draw(3)) % 4;
      return { start, country };
    });
}

function octetsOf(address: bigint, bits: number): Uint8Array {
  return Uint8Array.from({ length: bits / 8 }, (_, at) =>
    Number((address >> BigInt(bits - 8 - 8 * at)) & 255n),
  );
}

/** The widest prefix around the address that ends before `end` and does not begin before `start`. */
function scopeOf(address: bigint, start: bigint, end: bigint, bits: number): number {
  let length = bits;
  while (length > 0) {
    const size = 1n << BigInt(bits - length + 1);
    const first = address - (address % size);
    if (first < start || first + size > end) break;
    length -= 1;
  }
  return length;
}

const cases: readonly { name: string; family: 4 | 6; count: number; rootShift: number }[] = [
  { name: 'IPv4, a root of 64 entries', family: 4, count: 4, rootShift: 12 },
  { name: 'IPv4, a root of 2^12 entries', family: 4, count: 300, rootShift: 6 },
  { name: 'IPv4, a root of 2^18 entries', family: 4, count: 20_000, rootShift: 0 },
  { name: 'IPv6, a root of 64 entries', family: 6, count: 4, rootShift: 12 },
  { name: 'IPv6, a root of 2^12 entries', family: 6, count: 300, rootShift: 6 },
  { name: 'IPv6, a root of 2^18 entries', family: 6, count: 20_000, rootShift: 0 },
];

describe('every edge of every range', () => {
  it.each(cases)('$name', ({ family, count, rootShift }) => {
    const bits = family === 4 ? 32 : 128;
    const ranges = rangesOf(count, bits, count + family);
    const builder = new GeoTableBuilder();
    const word = (start: bigint, shift: number): number => Number((start >> BigInt(shift)) & 0xffffffffn);
    for (const { start, country } of ranges) {
      const location = builder.locationNumber({ ...unknownFields, country: COUNTRIES[country] ?? '' });
      if (family === 4) builder.addV4(word(start, 0), location);
      else builder.addV6(word(start, 96), word(start, 64), word(start, 32), word(start, 0), location);
    }
    const map = openMap(compileMap({ policy, candidates }, openGeoTable(builder.build(testMetadata))));
    expect(family === 4 ? map.v4RootShift : map.v6RootShift).toBe(rootShift);
    const written = new Uint16Array(1);
    const wrong: string[] = [];
    for (const [at, { start, country }] of ranges.entries()) {
      const end = ranges[at + 1]?.start ?? 1n << BigInt(bits);
      for (const address of [start, (start + end) >> 1n, end - 1n]) {
        const leaf = locate(map, family, octetsOf(address, bits));
        runProgram(map, programOf(leaf), { nextUint32: () => 0 }, written);
        const told = `dc${written[0]}/${prefixLengthOf(leaf)}`;
        const want = `dc${country}/${scopeOf(address, start, end, bits)}`;
        if (told !== want) wrong.push(`${address.toString(16)}: ${told}, not ${want}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});
