import { type Parsed, parsed, reasonOf, refused } from '../config/problem.ts';
import { continentOf } from './continents.ts';
import type { GeoTableMetadata } from './table.ts';
import { GeoTableBuilder } from './table-builder.ts';

/**
 * The shipped table, once decompressed: a text, then four columns of variable-length numbers.
 *
 *     SHIPPED_MAGIC (4 octets)
 *     number of octets of the text, number of IPv4 ranges, number of IPv6 ranges
 *     text        JSON in UTF-8: metadata, subdivisions, locations as parallel lists
 *     IPv4 steps  from the start of one range to the start of the next
 *     IPv4 codes  one octet per range: its place in a list of locations used of late, or NEW_LOCATION
 *     IPv4 news   location numbers for NEW_LOCATION
 *     IPv6 steps, codes and news alike; a step counts /64 prefixes
 *
 *     number      7 bits per octet, lowest first; the top bit says that more follow
 *     IPv6 step   a number n: n / 2 prefixes of /48, and if n is odd a further number of /64 prefixes
 *
 * The columns are apart and mostly small numbers, because that is what a general compressor does well with.
 */
export const SHIPPED_MAGIC = 0x4d47_5331;

/** Code of a location that is not in the list of those used of late. */
export const NEW_LOCATION = 255;

/** Length of the list of locations used of late; below `NEW_LOCATION`, and short because it is searched in order. */
export const RECENT_LOCATIONS = 200;

/** Degrees are kept as whole hundredths: about 1 km. */
export const HUNDREDTHS = 100;

/** More than any table that could be shipped; bounds what a broken header can ask for. */
const MAX_SHIPPED_RANGES = 16_000_000;

export interface ShippedText {
  readonly metadata: Omit<GeoTableMetadata, 'digest'>;
  readonly subdivisions: readonly string[];
  /** By location number. */
  readonly countries: readonly string[];
  /** Positions in `subdivisions`. */
  readonly subdivisionOf: readonly number[];
  /** Hundredths of a degree; null where unknown. */
  readonly latitudes: readonly (number | null)[];
  readonly longitudes: readonly (number | null)[];
}

/** Decodes the decompressed file; `digest` is the file's own. Never throws. */
export function decodeShippedTable(bytes: Uint8Array, digest: string): Parsed<SharedArrayBuffer> {
  try {
    return parsed(decode(bytes, digest));
  } catch (error) {
    const reason = reasonOf(error);
    return refused(
      'geo-table-broken',
      'geoip',
      `The shipped geo table is broken (${reason}); install it again.`,
    );
  }
}

function decode(bytes: Uint8Array, digest: string): SharedArrayBuffer {
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 4 || header.getUint32(0) !== SHIPPED_MAGIC) throw new Error('it is no such table');
  const reader = new NumberReader(bytes, 4);
  const textOctets = reader.number();
  const v4Count = reader.number();
  const v6Count = reader.number();
  if (v4Count > MAX_SHIPPED_RANGES || v6Count > MAX_SHIPPED_RANGES) throw new Error('it has too many ranges');
  const text = JSON.parse(new TextDecoder().decode(reader.octets(textOctets))) as ShippedText;
  const builder = new GeoTableBuilder();
  const numbers = addLocations(builder, text);
  const v4Steps = new Float64Array(v4Count);
  for (let range = 0; range < v4Count; range++) v4Steps[range] = reader.number();
  const v4Locations = readLocations(reader, v4Count, numbers);
  let v4Start = 0;
  for (let range = 0; range < v4Count; range++) {
    v4Start += v4Steps[range] as number;
    builder.addV4(v4Start, v4Locations[range] as number);
  }
  addV6(builder, reader, v6Count, numbers);
  if (!reader.atEnd()) throw new Error('it has octets to spare');
  return builder.build({ ...text.metadata, digest });
}

function addLocations(builder: GeoTableBuilder, text: ShippedText): Uint32Array {
  const degrees = (hundredths: number | null | undefined): number =>
    hundredths === null || hundredths === undefined ? Number.NaN : hundredths / HUNDREDTHS;
  return Uint32Array.from(text.countries, (country, at) =>
    builder.locationNumber({
      latitude: degrees(text.latitudes[at]),
      longitude: degrees(text.longitudes[at]),
      country,
      continent: continentOf(country),
      subdivision: text.subdivisions[text.subdivisionOf[at] ?? 0] ?? '',
      asn: 0,
    }),
  );
}

function addV6(builder: GeoTableBuilder, reader: NumberReader, count: number, numbers: Uint32Array): void {
  // A /64 prefix as two words: 2^64 is more than a double counts.
  const highs = new Uint32Array(count);
  const lows = new Uint32Array(count);
  let high = 0;
  let low = 0;
  for (let range = 0; range < count; range++) {
    const step = reader.number();
    const wide = Math.floor(step / 2);
    low += (wide % 2 ** 16) * 2 ** 16 + (step % 2 === 1 ? reader.number() : 0);
    high += Math.floor(wide / 2 ** 16) + Math.floor(low / 2 ** 32);
    low %= 2 ** 32;
    highs[range] = high;
    lows[range] = low;
  }
  const locations = readLocations(reader, count, numbers);
  for (let range = 0; range < count; range++)
    builder.addV6(highs[range] as number, lows[range] as number, 0, 0, locations[range] as number);
}

/** Undoes the move-to-front coding: a used location moves to the front of the list. */
function readLocations(reader: NumberReader, count: number, numbers: Uint32Array): Uint32Array {
  const codes = reader.octets(count);
  const recent = new Uint32Array(RECENT_LOCATIONS);
  const locations = new Uint32Array(count);
  for (let range = 0; range < count; range++) {
    const code = codes[range] as number;
    if (code !== NEW_LOCATION && code >= RECENT_LOCATIONS) throw new Error('it has an unknown code');
    const last = code === NEW_LOCATION ? RECENT_LOCATIONS - 1 : code;
    const location = code === NEW_LOCATION ? numbers[reader.number()] : recent[code];
    if (location === undefined) throw new Error('it names a location that it does not have');
    for (let at = last; at > 0; at--) recent[at] = recent[at - 1] as number;
    recent[0] = location;
    locations[range] = location;
  }
  return locations;
}

class NumberReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  number(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      const octet = this.#bytes[this.#at];
      if (octet === undefined) throw new Error('it is cut short');
      this.#at += 1;
      value += (octet & 127) * scale;
      if (octet < 128) return value;
    }
    throw new Error('it has a number that is too long');
  }

  octets(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw new Error('it is cut short');
    this.#at += length;
    return this.#bytes.slice(this.#at - length, this.#at);
  }

  atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }
}
