import { GrowingWords } from './growing-words.ts';
import {
  type AddressWords,
  type GeoTableMetadata,
  packLetters,
  TABLE_HEADER_WORDS,
  TABLE_LOCATION_COUNT,
  TABLE_MAGIC,
  TABLE_TEXT_OCTETS,
  TABLE_V4_COUNT,
  TABLE_V6_COUNT,
  type TableText,
} from './table.ts';

/** What a source knows about a place; the empty text and 0 stand for unknown. */
export interface LocationFields {
  /** Degrees; NaN for both where unknown. */
  readonly latitude: number;
  readonly longitude: number;
  readonly country: string;
  readonly continent: string;
  readonly subdivision: string;
  readonly asn: number;
}

export const unknownFields: LocationFields = {
  latitude: Number.NaN,
  longitude: Number.NaN,
  country: '',
  continent: '',
  subdivision: '',
  asn: 0,
};

/** The number of the unknown place in every table. */
export const UNKNOWN_LOCATION = 0;

/** Collects the ranges of one family in ascending order; neighbours of the same location become one. */
class RangeList {
  readonly starts = new GrowingWords();
  readonly locations = new GrowingWords();
  readonly #addressWords: AddressWords;

  constructor(addressWords: AddressWords) {
    this.#addressWords = addressWords;
    for (let at = 0; at < addressWords; at++) this.starts.push(0);
    this.locations.push(UNKNOWN_LOCATION);
  }

  /** False when the new location only repeats the last one; true when the caller now pushes the start. */
  opens(location: number, startIsZero: boolean): boolean {
    if (startIsZero) {
      this.locations.drop(this.locations.length);
      this.starts.drop(this.starts.length);
    } else if (this.locations.at(this.locations.length - 1) === location) return false;
    this.locations.push(location);
    return true;
  }

  get count(): number {
    return this.starts.length / this.#addressWords;
  }
}

/** Assembles a table from any source. Ranges come in ascending order; what no range covers is the unknown place. */
export class GeoTableBuilder {
  readonly #numbers = new Map<string, number>();
  readonly #locations: LocationFields[] = [];
  readonly #v4 = new RangeList(1);
  readonly #v6 = new RangeList(4);

  constructor() {
    this.locationNumber(unknownFields);
  }

  /** The number of a location; equal fields give the same number. */
  locationNumber(fields: LocationFields): number {
    const { latitude, longitude, country, continent, subdivision, asn } = fields;
    const key = `${latitude},${longitude},${country},${continent},${asn},${subdivision}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#locations.length;
    this.#numbers.set(key, number);
    this.#locations.push(fields);
    return number;
  }

  /** Number of locations so far, the unknown place included. */
  get locationCount(): number {
    return this.#locations.length;
  }

  /** From `start` on, IPv4 addresses are at `location`. */
  addV4(start: number, location: number): void {
    if (this.#v4.opens(location, start === 0)) this.#v4.starts.push(start);
  }

  /** From the address of four words on, IPv6 addresses are at `location`. */
  addV6(word0: number, word1: number, word2: number, word3: number, location: number): void {
    if (!this.#v6.opens(location, word0 === 0 && word1 === 0 && word2 === 0 && word3 === 0)) return;
    this.#v6.starts.push(word0);
    this.#v6.starts.push(word1);
    this.#v6.starts.push(word2);
    this.#v6.starts.push(word3);
  }

  build(metadata: GeoTableMetadata): SharedArrayBuffer {
    const subdivisions = [...new Set(['', ...this.#locations.map((fields) => fields.subdivision)])];
    const text: TableText = { metadata, subdivisions };
    const textOctets = new TextEncoder().encode(JSON.stringify(text));
    const columns = [
      this.#v4.starts.view(),
      this.#v4.locations.view(),
      this.#v6.starts.view(),
      this.#v6.locations.view(),
      ...this.#locationColumns(subdivisions),
    ];
    const columnWords = columns.reduce((sum, column) => sum + column.length, 0);
    const buffer = new SharedArrayBuffer((TABLE_HEADER_WORDS + columnWords) * 4 + textOctets.length);
    const header = new Uint32Array(buffer, 0, TABLE_HEADER_WORDS);
    header[0] = TABLE_MAGIC;
    header[TABLE_V4_COUNT] = this.#v4.count;
    header[TABLE_V6_COUNT] = this.#v6.count;
    header[TABLE_LOCATION_COUNT] = this.#locations.length;
    header[TABLE_TEXT_OCTETS] = textOctets.length;
    let at = TABLE_HEADER_WORDS * 4;
    for (const column of columns) {
      new Uint32Array(buffer, at, column.length).set(column);
      at += column.length * 4;
    }
    new Uint8Array(buffer, at).set(textOctets);
    return buffer;
  }

  #locationColumns(subdivisions: readonly string[]): Uint32Array[] {
    const positions = new Map(subdivisions.map((name, position) => [name, position]));
    const floats = (pick: (fields: LocationFields) => number): Uint32Array =>
      new Uint32Array(Float32Array.from(this.#locations, pick).buffer);
    const words = (pick: (fields: LocationFields) => number): Uint32Array =>
      Uint32Array.from(this.#locations, pick);
    return [
      floats((fields) => fields.latitude),
      floats((fields) => fields.longitude),
      words((fields) => (packLetters(fields.country) << 16) | packLetters(fields.continent)),
      words((fields) => positions.get(fields.subdivision) ?? 0),
      words((fields) => fields.asn),
    ];
  }
}
