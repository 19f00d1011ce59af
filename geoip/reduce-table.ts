import { locationFields } from '../src/geo/join-tables.ts';
import type { LocationFields } from '../src/geo/location-list.ts';
import { type GeoTable, openGeoTable } from '../src/geo/table.ts';
import { GeoTableBuilder } from '../src/geo/table-builder.ts';

/**
 * Reduces a city table to what is shipped: country, subdivision and one-degree cell. A cell's coordinates are those
 * of its place with the most addresses. IPv6 ranges begin at /64 prefixes: the place of a /64 is that of its first
 * address.
 */
export function reduceTable(table: GeoTable): GeoTable {
  const places = representatives(table);
  const builder = new GeoTableBuilder();
  const numbers = Array.from({ length: table.locationCount }, (_, location) => {
    const fields = locationFields(table, location);
    return builder.locationNumber({ ...(places.get(cellOf(fields)) ?? fields), asn: 0 });
  });
  const { v4, v6 } = table;
  for (let range = 0; range < v4.count; range++)
    builder.addV4(v4.starts[range] as number, numbers[v4.locations[range] as number] as number);
  for (let range = 0; range < v6.count; range++) {
    const start = prefix64At(table, range);
    // The last of the ranges that begin in one /64 holds the first address of the next.
    if (start === undefined || (range + 1 < v6.count && prefix64At(table, range + 1) === start)) continue;
    const number = numbers[v6.locations[range] as number] as number;
    builder.addV6(Number(start >> 32n), Number(start & 0xffffffffn), 0, 0, number);
  }
  return openGeoTable(builder.build(table.metadata));
}

/** The first /64 prefix that starts within or after the range's start; undefined past the last one. */
function prefix64At({ v6 }: GeoTable, range: number): bigint | undefined {
  const [word0 = 0, word1 = 0, word2 = 0, word3 = 0] = v6.starts.subarray(range * 4, range * 4 + 4);
  const prefix = ((BigInt(word0) << 32n) | BigInt(word1)) + (word2 === 0 && word3 === 0 ? 0n : 1n);
  return prefix >> 64n === 0n ? prefix : undefined;
}

function cellOf(fields: LocationFields): string {
  const cell = Number.isNaN(fields.latitude)
    ? ''
    : `${Math.floor(fields.latitude)},${Math.floor(fields.longitude)}`;
  return `${fields.country} ${cell} ${fields.subdivision}`;
}

/** The place with the most addresses in each cell; an IPv6 /48 counts as one address. */
function representatives(table: GeoTable): ReadonlyMap<string, LocationFields> {
  const sizes = new Float64Array(table.locationCount);
  for (const [ranges, unit, space] of [
    [table.v4, 1, 2 ** 32],
    [table.v6, 2 ** -16, 2 ** 48],
  ] as const) {
    const startOf = (range: number): number => {
      if (range === ranges.count) return space;
      const first = ranges.starts[range * ranges.addressWords] as number;
      if (ranges.addressWords === 1) return first;
      return first * 2 ** 16 + (ranges.starts[range * 4 + 1] as number) * unit;
    };
    for (let range = 0; range < ranges.count; range++) {
      const location = ranges.locations[range] as number;
      sizes[location] = (sizes[location] as number) + startOf(range + 1) - startOf(range);
    }
  }
  const largest = new Map<string, { readonly size: number; readonly fields: LocationFields }>();
  for (let location = 0; location < table.locationCount; location++) {
    const fields = locationFields(table, location);
    const cell = cellOf(fields);
    const size = sizes[location] as number;
    if (size > (largest.get(cell)?.size ?? -1)) largest.set(cell, { size, fields });
  }
  return new Map(Array.from(largest, ([cell, { fields }]) => [cell, roundPlace(fields)]));
}

/** Hundredths of a degree, as the file keeps them. */
function roundPlace(fields: LocationFields): LocationFields {
  const round = (degrees: number): number => Math.round(degrees * 100) / 100;
  return { ...fields, latitude: round(fields.latitude), longitude: round(fields.longitude) };
}
