import { GrowingWords } from './growing-words.ts';
import { LOCATION_WORDS, type LocationFields, LocationList } from './location-list.ts';
import {
  type AddressWords,
  type GeoTableMetadata,
  TABLE_HEADER_WORDS,
  TABLE_LOCATION_COUNT,
  TABLE_MAGIC,
  TABLE_TEXT_OCTETS,
  TABLE_V4_COUNT,
  TABLE_V6_COUNT,
  type TableText,
} from './table.ts';

export const unknownFields: LocationFields = {
  latitude: Number.NaN,
  longitude: Number.NaN,
  country: '',
  continent: '',
  subdivision: '',
  asn: 0,
};

/** By family. */
export interface MostRanges {
  readonly v4: number;
  readonly v6: number;
}

/** The number of the unknown place in every table. */
export const UNKNOWN_LOCATION = 0;

/** Collects the ranges of one family in ascending order; neighbours of the same location become one. */
class RangeList {
  readonly starts: GrowingWords;
  readonly locations: GrowingWords;
  readonly #addressWords: AddressWords;

  constructor(addressWords: AddressWords, mostRanges: number) {
    this.#addressWords = addressWords;
    this.starts = new GrowingWords(mostRanges * addressWords);
    this.locations = new GrowingWords(mostRanges);
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
  readonly #locations = new LocationList();
  readonly #v4: RangeList;
  readonly #v6: RangeList;

  /** Ranges that there will be at most, as far as is known: lists that need not grow are not copied. */
  constructor(mostRanges: MostRanges = { v4: 0, v6: 0 }) {
    this.#v4 = new RangeList(1, mostRanges.v4);
    this.#v6 = new RangeList(4, mostRanges.v6);
    this.locationNumber(unknownFields);
  }

  /** The number of a location; equal fields give the same number. */
  locationNumber(fields: LocationFields): number {
    return this.#locations.numberOf(fields);
  }

  /** Number of locations so far, the unknown place included. */
  get locationCount(): number {
    return this.#locations.count;
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
    const text: TableText = { metadata, subdivisions: this.#locations.subdivisions };
    const textOctets = new TextEncoder().encode(JSON.stringify(text));
    const columns = [
      this.#v4.starts.view(),
      this.#v4.locations.view(),
      this.#v6.starts.view(),
      this.#v6.locations.view(),
      ...Array.from({ length: LOCATION_WORDS }, (_, word) => this.#locations.column(word)),
    ];
    const columnWords = columns.reduce((sum, column) => sum + column.length, 0);
    const buffer = new SharedArrayBuffer((TABLE_HEADER_WORDS + columnWords) * 4 + textOctets.length);
    const header = new Uint32Array(buffer, 0, TABLE_HEADER_WORDS);
    header[0] = TABLE_MAGIC;
    header[TABLE_V4_COUNT] = this.#v4.count;
    header[TABLE_V6_COUNT] = this.#v6.count;
    header[TABLE_LOCATION_COUNT] = this.#locations.count;
    header[TABLE_TEXT_OCTETS] = textOctets.length;
    let at = TABLE_HEADER_WORDS * 4;
    for (const column of columns) {
      new Uint32Array(buffer, at, column.length).set(column);
      at += column.length * 4;
    }
    new Uint8Array(buffer, at).set(textOctets);
    return buffer;
  }
}
