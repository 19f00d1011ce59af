import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeTable } from '../../geoip/encode-table.ts';
import { reduceTable } from '../../geoip/reduce-table.ts';
import { decodeShippedTable } from '../../src/geo/shipped-table.ts';
import { type GeoTable, locationAt, openGeoTable } from '../../src/geo/table.ts';
import { GeoTableBuilder, unknownFields } from '../../src/geo/table-builder.ts';
import { testMetadata } from '../geo/table-of.ts';

const word = fc.oneof(fc.nat(2 ** 32 - 1), fc.constantFrom(0, 1, 2 ** 16, 2 ** 31, 2 ** 32 - 1));
const place = fc.record({
  latitude: fc.integer({ min: -9000, max: 9000 }).map((hundredths) => hundredths / 100),
  longitude: fc.integer({ min: -18000, max: 18000 }).map((hundredths) => hundredths / 100),
  country: fc.constantFrom('FR', 'JP', 'US'),
  subdivision: fc.constantFrom('', 'CA', 'Île-de-France'),
});
const tables = fc
  .record({
    places: fc.array(fc.option(place, { nil: undefined }), { minLength: 1, maxLength: 12 }),
    v4: fc.uniqueArray(word, { maxLength: 40 }),
    v6: fc.uniqueArray(fc.tuple(word, word, fc.constantFrom(0, 1), word), {
      maxLength: 40,
      selector: String,
    }),
    at: fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
  })
  .map(({ places, v4, v6, at }) => {
    const builder = new GeoTableBuilder();
    const numbers = places.map((fields) => builder.locationNumber({ ...unknownFields, ...fields }));
    const numberAt = (range: number): number => numbers[(at[range] ?? 0) % numbers.length] ?? 0;
    for (const [range, start] of v4.toSorted((one, other) => one - other).entries())
      builder.addV4(start, numberAt(range));
    const byWords = (one: readonly number[], other: readonly number[]): number =>
      one.reduce((order, number, index) => order || number - (other[index] ?? 0), 0);
    for (const [range, [word0, word1, word2, word3]] of v6.toSorted(byWords).entries())
      builder.addV6(word0, word1, word2, word3, numberAt(range));
    return openGeoTable(builder.build(testMetadata));
  });

/** All ranges in words, to compare tables whose locations are numbered differently. */
function told(table: GeoTable): readonly string[] {
  return [table.v4, table.v6].flatMap((ranges) =>
    Array.from(ranges.locations, (location, range) => {
      const start = ranges.starts.subarray(range * ranges.addressWords, (range + 1) * ranges.addressWords);
      const { coordinates, country, subdivision } = locationAt(table, location);
      return `${start.join(':')} ${coordinates?.latitude},${coordinates?.longitude} ${country} ${subdivision}`;
    }),
  );
}

it('decodes what was encoded', () => {
  fc.assert(
    fc.property(tables, (table) => {
      const reduced = reduceTable(table);
      const decoded = decodeShippedTable(encodeTable(reduced, testMetadata), 'f00d');
      expect(decoded.ok && told(openGeoTable(decoded.value))).toEqual(told(reduced));
      expect(decoded.ok && openGeoTable(decoded.value).metadata).toEqual({ ...testMetadata, digest: 'f00d' });
    }),
  );
});

it('gives a table or a problem for whatever was cut or changed', () => {
  fc.assert(
    fc.property(tables, fc.nat(), fc.nat(255), (table, at, octet) => {
      const bytes = encodeTable(reduceTable(table), testMetadata);
      const cut = decodeShippedTable(bytes.subarray(0, at % bytes.length), '');
      expect(cut.ok).toBe(false);
      const changed = bytes.slice();
      changed[at % bytes.length] = octet;
      expect(() => decodeShippedTable(changed, '')).not.toThrow();
    }),
  );
});

it('reduces IPv4 exactly, and each /64 to the place of its first address', () => {
  fc.assert(
    fc.property(tables, (table) => {
      const reduced = reduceTable(table);
      const countries = (of: GeoTable, family: 'v4' | 'v6'): readonly (readonly [bigint, string])[] =>
        Array.from(of[family].locations, (location, range) => {
          const words = of[family].starts.subarray(
            range * of[family].addressWords,
            (range + 1) * of[family].addressWords,
          );
          const start = words.reduce((number, part) => (number << 32n) | BigInt(part), 0n);
          return [start, locationAt(of, location).country] as const;
        });
      const countryAt = (of: GeoTable, family: 'v4' | 'v6', address: bigint): string =>
        countries(of, family).findLast(([start]) => start <= address)?.[1] ?? '';
      for (const [start] of countries(table, 'v4'))
        expect(countryAt(reduced, 'v4', start)).toBe(countryAt(table, 'v4', start));
      for (const [start] of countries(table, 'v6')) {
        const first = (start >> 64n) << 64n;
        expect(countryAt(reduced, 'v6', start)).toBe(countryAt(table, 'v6', first));
      }
    }),
  );
});
