import { GrowingWords } from './growing-words.ts';
import { packLetters } from './table.ts';

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

/** Words of a location, in the order of a table's columns. */
export const LOCATION_WORDS = 5;

/** Places of a new list's hash table: a power of two. */
const INITIAL_PLACES = 2 ** 12;

/**
 * The distinct locations of a table, numbered as they come. A city table has half a million of them, so there is no
 * object for each.
 *
 *     words    [ latitude | longitude | region | subdivision | asn ] ...     by number
 *     places   [ . ][ 4 ][ . ] ...    open addressing, by hash: a location's number plus one, 0 where free
 */
export class LocationList {
  readonly #words = new GrowingWords();
  #places = new Uint32Array(INITIAL_PLACES);
  readonly #subdivisions = new Map<string, number>([['', 0]]);
  /** A location on its way in; the degrees as a table keeps them. */
  readonly #fields = new Uint32Array(LOCATION_WORDS);
  readonly #degrees = new Float32Array(this.#fields.buffer, 0, 2);

  get count(): number {
    return this.#words.length / LOCATION_WORDS;
  }

  /** By position, as the locations name them. */
  get subdivisions(): readonly string[] {
    return [...this.#subdivisions.keys()];
  }

  /** The number of a location; fields that a table keeps alike give the same number. */
  numberOf(fields: LocationFields): number {
    this.#degrees[0] = fields.latitude;
    this.#degrees[1] = fields.longitude;
    this.#fields[2] = (packLetters(fields.country) << 16) | packLetters(fields.continent);
    this.#fields[3] = this.#subdivisionOf(fields.subdivision);
    this.#fields[4] = fields.asn;
    const mask = this.#places.length - 1;
    let place = this.#hash(this.#fields, 0) & mask;
    for (let kept = this.#places[place] as number; kept !== 0; kept = this.#places[place] as number) {
      if (this.#isSame(kept - 1)) return kept - 1;
      place = (place + 1) & mask;
    }
    const number = this.count;
    this.#places[place] = number + 1;
    for (let word = 0; word < LOCATION_WORDS; word++) this.#words.push(this.#fields[word] as number);
    if (this.count * 2 > this.#places.length) this.#widen();
    return number;
  }

  /** One column over all locations, 0 to `LOCATION_WORDS` - 1. */
  column(word: number): Uint32Array {
    const column = new Uint32Array(this.count);
    for (let location = 0; location < column.length; location++)
      column[location] = this.#words.at(location * LOCATION_WORDS + word);
    return column;
  }

  #subdivisionOf(name: string): number {
    const known = this.#subdivisions.get(name);
    if (known !== undefined) return known;
    const position = this.#subdivisions.size;
    this.#subdivisions.set(name, position);
    return position;
  }

  #isSame(location: number): boolean {
    for (let word = 0; word < LOCATION_WORDS; word++)
      if (this.#words.at(location * LOCATION_WORDS + word) !== this.#fields[word]) return false;
    return true;
  }

  #hash(words: Uint32Array, from: number): number {
    let hash = 0;
    for (let word = from; word < from + LOCATION_WORDS; word++) {
      hash = Math.imul(hash ^ (words[word] as number), 0x9e37_79b1);
      hash ^= hash >>> 15;
    }
    return hash;
  }

  #widen(): void {
    const words = this.#words.view();
    const places = new Uint32Array(this.#places.length * 2);
    const mask = places.length - 1;
    for (let location = 0; location < this.count; location++) {
      let place = this.#hash(words, location * LOCATION_WORDS) & mask;
      while (places[place] !== 0) place = (place + 1) & mask;
      places[place] = location + 1;
    }
    this.#places = places;
  }
}
