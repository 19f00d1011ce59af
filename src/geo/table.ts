import type { ClientLocation } from './location.ts';

/**
 * A geo table: address ranges -> locations, both families, in one shared buffer of this machine's byte order.
 *
 *     header of TABLE_HEADER_WORDS words
 *     v4 starts      1 word each, ascending, the first is 0          v4 locations   1 word each
 *     v6 starts      4 words each, ascending, the first is 0         v6 locations   1 word each
 *     locations      columns, by location number; number 0 is the unknown place
 *       latitude     float, degrees north, NaN where unknown         longitude      float, degrees east
 *       region       country << 16 | continent, as two letters in base 32 each; 0 where unknown
 *       subdivision  position in the text's list of subdivisions     asn            0 where unknown
 *     text           JSON in UTF-8: metadata and the list of subdivisions
 *
 * A range reaches to the start of the next one; neighbours differ in location.
 */
export const TABLE_MAGIC = 0x4d44_5431;

export const TABLE_V4_COUNT = 1;
export const TABLE_V6_COUNT = 2;
export const TABLE_LOCATION_COUNT = 3;
export const TABLE_TEXT_OCTETS = 4;
export const TABLE_HEADER_WORDS = 5;

/** Words of an address: IPv4 has one, IPv6 four, most significant first. */
export type AddressWords = 1 | 4;

export interface GeoTableMetadata {
  readonly name: string;
  /** When the source was built: RFC 3339, UTC. */
  readonly builtAt: string;
  /** Must be shown wherever results show; empty where the source asks for none. */
  readonly attribution: string;
  /** Where the attribution links to; empty where there is none. */
  readonly attributionUrl: string;
  /** Hex SHA-256 of the source; equal digests mean equal tables. */
  readonly digest: string;
}

export interface FamilyRanges {
  readonly addressWords: AddressWords;
  readonly count: number;
  readonly starts: Uint32Array;
  /** Location number of each range. */
  readonly locations: Uint32Array;
}

export interface GeoTable {
  readonly metadata: GeoTableMetadata;
  readonly v4: FamilyRanges;
  readonly v6: FamilyRanges;
  readonly locationCount: number;
  readonly latitudes: Float32Array;
  readonly longitudes: Float32Array;
  readonly regions: Uint32Array;
  readonly subdivisions: Uint32Array;
  readonly asns: Uint32Array;
  readonly subdivisionNames: readonly string[];
}

/** The JSON text of a table. */
export interface TableText {
  readonly metadata: GeoTableMetadata;
  readonly subdivisions: readonly string[];
}

/** Opens a buffer that `GeoTableBuilder` made. Throws on anything else. */
export function openGeoTable(buffer: SharedArrayBuffer): GeoTable {
  const header = new Uint32Array(buffer, 0, TABLE_HEADER_WORDS);
  if (header[0] !== TABLE_MAGIC) throw new Error('not a geo table');
  let at = TABLE_HEADER_WORDS * 4;
  const column = (words: number): Uint32Array => {
    const view = new Uint32Array(buffer, at, words);
    at += words * 4;
    return view;
  };
  const floats = (words: number): Float32Array => {
    const view = new Float32Array(buffer, at, words);
    at += words * 4;
    return view;
  };
  const family = (addressWords: AddressWords, count: number): FamilyRanges => ({
    addressWords,
    count,
    starts: column(count * addressWords),
    locations: column(count),
  });
  const v4 = family(1, wordAt(header, TABLE_V4_COUNT));
  const v6 = family(4, wordAt(header, TABLE_V6_COUNT));
  const locationCount = wordAt(header, TABLE_LOCATION_COUNT);
  const columns = {
    latitudes: floats(locationCount),
    longitudes: floats(locationCount),
    regions: column(locationCount),
    subdivisions: column(locationCount),
    asns: column(locationCount),
  };
  // A decoder refuses shared memory, so the text is copied out first.
  const octets = new Uint8Array(buffer, at, wordAt(header, TABLE_TEXT_OCTETS)).slice();
  const text = JSON.parse(new TextDecoder().decode(octets)) as TableText;
  return { metadata: text.metadata, v4, v6, locationCount, ...columns, subdivisionNames: text.subdivisions };
}

/** Where an address is, as far as the table knows; `prefixes` stays empty: only a policy has them. */
export function locateClient(table: GeoTable, family: 4 | 6, address: Uint8Array): ClientLocation {
  const ranges = family === 4 ? table.v4 : table.v6;
  const range = rangeOf(ranges, addressWordsOf(family, address));
  return locationAt(table, wordAt(ranges.locations, range));
}

/** A location by its number; what no table knows, the prefix rules that hold a client, comes from the caller. */
export function locationAt(
  table: GeoTable,
  location: number,
  prefixes: readonly string[] = [],
): ClientLocation {
  const latitude = table.latitudes[location] as number;
  const longitude = table.longitudes[location] as number;
  const region = wordAt(table.regions, location);
  return {
    coordinates: Number.isNaN(latitude) ? undefined : { latitude, longitude },
    country: formatLetters(region >>> 16),
    continent: formatLetters(region & 0xffff),
    subdivision: table.subdivisionNames[wordAt(table.subdivisions, location)] ?? '',
    asn: wordAt(table.asns, location),
    prefixes,
  };
}

/** An address of 4 or 16 octets as words, most significant first. */
function addressWordsOf(family: 4 | 6, address: Uint8Array): Uint32Array {
  const view = new DataView(address.buffer, address.byteOffset, family === 4 ? 4 : 16);
  const words = new Uint32Array(view.byteLength / 4);
  for (let at = 0; at < words.length; at++) words[at] = view.getUint32(at * 4);
  return words;
}

/** The last range that starts at or before the address. */
function rangeOf(ranges: FamilyRanges, address: Uint32Array): number {
  let low = 0;
  let high = ranges.count;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (startsAfter(ranges, middle, address)) high = middle;
    else low = middle;
  }
  return low;
}

function startsAfter(ranges: FamilyRanges, range: number, address: Uint32Array): boolean {
  const base = range * ranges.addressWords;
  for (let at = 0; at < ranges.addressWords; at++) {
    const difference = wordAt(ranges.starts, base + at) - wordAt(address, at);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

/** Two letters A to Z in 10 bits; 0 for anything else. */
export function packLetters(text: string): number {
  if (!/^[A-Z]{2}$/.test(text)) return 0;
  return ((text.charCodeAt(0) - 64) << 5) | (text.charCodeAt(1) - 64);
}

function formatLetters(packed: number): string {
  return packed === 0 ? '' : String.fromCharCode((packed >>> 5) + 64, (packed & 31) + 64);
}

function wordAt(words: Uint32Array, at: number): number {
  return words[at] as number;
}
