import type { LocationFields } from './location-list.ts';
import { type FamilyRanges, type GeoTable, type GeoTableMetadata, locationAt } from './table.ts';
import { GeoTableBuilder, UNKNOWN_LOCATION } from './table-builder.ts';

/**
 * Joins tables into one: a file per family, or cities and AS numbers. For each address the place comes from the
 * first table that has coordinates for it, else from the first that has a country; the AS number from the first
 * that has one.
 */
export function joinGeoTables(one: GeoTable, other: GeoTable): SharedArrayBuffer {
  const builder = new GeoTableBuilder({
    v4: one.v4.count + other.v4.count,
    v6: one.v6.count + other.v6.count,
  });
  const join = joiner(one, other, builder);
  walkTogether(one.v4, other.v4, join, (starts, at, location) => builder.addV4(wordAt(starts, at), location));
  walkTogether(one.v6, other.v6, join, (starts, at, location) =>
    builder.addV6(
      wordAt(starts, at),
      wordAt(starts, at + 1),
      wordAt(starts, at + 2),
      wordAt(starts, at + 3),
      location,
    ),
  );
  return builder.build(joinMetadata(one.metadata, other.metadata));
}

/**
 * The number of two locations joined. Files that hold a family each know nothing of the other's addresses: for
 * either side the pairs with the unknown place have a list of their own, and the rest a map.
 */
function joiner(
  one: GeoTable,
  other: GeoTable,
  builder: GeoTableBuilder,
): (location: number, otherLocation: number) => number {
  const alone = new Int32Array(one.locationCount).fill(NOT_JOINED);
  const otherAlone = new Int32Array(other.locationCount).fill(NOT_JOINED);
  const pairs = new Map<number, number>();
  const numberOf = (location: number, otherLocation: number): number =>
    builder.locationNumber(joinFields(locationFields(one, location), locationFields(other, otherLocation)));
  return (location, otherLocation) => {
    if (otherLocation === UNKNOWN_LOCATION) {
      if (alone[location] === NOT_JOINED) alone[location] = numberOf(location, otherLocation);
      return alone[location] as number;
    }
    if (location === UNKNOWN_LOCATION) {
      if (otherAlone[otherLocation] === NOT_JOINED)
        otherAlone[otherLocation] = numberOf(location, otherLocation);
      return otherAlone[otherLocation] as number;
    }
    const pair = location * other.locationCount + otherLocation;
    const number = pairs.get(pair) ?? numberOf(location, otherLocation);
    pairs.set(pair, number);
    return number;
  };
}

const NOT_JOINED = -1;

/** A location of a table in the builder's terms. */
export function locationFields(table: GeoTable, location: number): LocationFields {
  const { coordinates, country, continent, subdivision, asn } = locationAt(table, location);
  const latitude = coordinates?.latitude ?? Number.NaN;
  const longitude = coordinates?.longitude ?? Number.NaN;
  return { latitude, longitude, country, continent, subdivision, asn };
}

function joinFields(one: LocationFields, other: LocationFields): LocationFields {
  const knowsMore = (fields: LocationFields, than: LocationFields): boolean =>
    Number.isNaN(than.latitude) &&
    (!Number.isNaN(fields.latitude) || (fields.country !== '' && than.country === ''));
  const place = knowsMore(other, one) ? other : one;
  const asn = one.asn === 0 ? other.asn : one.asn;
  return place.asn === asn ? place : { ...place, asn };
}

function walkTogether(
  one: FamilyRanges,
  other: FamilyRanges,
  join: (location: number, otherLocation: number) => number,
  add: (starts: Uint32Array, at: number, location: number) => void,
): void {
  let at = 0;
  let otherAt = 0;
  let from = one;
  for (;;) {
    const start = (from === one ? at : otherAt) * from.addressWords;
    add(from.starts, start, join(wordAt(one.locations, at), wordAt(other.locations, otherAt)));
    const order = compareStarts(one, at + 1, other, otherAt + 1);
    if (order === undefined) return;
    if (order <= 0) at += 1;
    if (order >= 0) otherAt += 1;
    from = order > 0 ? other : one;
  }
}

/** Which range starts first; undefined when both lists are at their end. */
function compareStarts(
  one: FamilyRanges,
  at: number,
  other: FamilyRanges,
  otherAt: number,
): number | undefined {
  if (at >= one.count) return otherAt < other.count ? 1 : undefined;
  if (otherAt >= other.count) return -1;
  for (let word = 0; word < one.addressWords; word++) {
    const difference =
      wordAt(one.starts, at * one.addressWords + word) -
      wordAt(other.starts, otherAt * one.addressWords + word);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** As old as the older one; shows the attribution of both. */
function joinMetadata(one: GeoTableMetadata, other: GeoTableMetadata): GeoTableMetadata {
  const both = (first: string, second: string, between: string): string =>
    first === second || second === '' ? first : first === '' ? second : `${first}${between}${second}`;
  const older = one.builtAt < other.builtAt ? one : other;
  return {
    name: both(one.name, other.name, ' + '),
    builtAt: older.builtAt,
    attribution: both(one.attribution, other.attribution, '; '),
    attributionUrl: one.attributionUrl === '' ? other.attributionUrl : one.attributionUrl,
    digest: both(one.digest, other.digest, '+'),
  };
}

function wordAt(words: Uint32Array, at: number): number {
  return words[at] as number;
}
