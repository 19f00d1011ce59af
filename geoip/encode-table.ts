import {
  HUNDREDTHS,
  NEW_LOCATION,
  RECENT_LOCATIONS,
  SHIPPED_MAGIC,
  type ShippedText,
} from '../src/geo/shipped-table.ts';
import { type FamilyRanges, type GeoTable, type GeoTableMetadata, locationAt } from '../src/geo/table.ts';

/** Encodes a table in the form of `src/geo/shipped-table.ts`. IPv6 ranges must start at /64 prefixes. */
export function encodeTable(table: GeoTable, metadata: Omit<GeoTableMetadata, 'digest'>): Uint8Array {
  const numbers = numbersByUse(table);
  const text = new TextEncoder().encode(JSON.stringify(textOf(table, numbers, metadata)));
  const out = new NumberWriter();
  out.word(SHIPPED_MAGIC);
  for (const number of [text.length, table.v4.count, table.v6.count]) out.number(number);
  out.octets(text);
  writeV4Steps(out, table.v4);
  writeLocations(out, table.v4, numbers);
  writeV6Steps(out, table.v6);
  writeLocations(out, table.v6, numbers);
  return out.bytes();
}

/** New numbers by location number: the most used first, so that most are short. */
function numbersByUse(table: GeoTable): Uint32Array {
  const uses = new Float64Array(table.locationCount);
  for (const { locations } of [table.v4, table.v6])
    for (const location of locations) uses[location] = (uses[location] as number) + 1;
  const byUse = Array.from(uses.keys()).sort(
    (one, other) => Number(uses[other]) - Number(uses[one]) || one - other,
  );
  const numbers = new Uint32Array(table.locationCount);
  for (const [number, location] of byUse.entries()) numbers[location] = number;
  return numbers;
}

function textOf(table: GeoTable, numbers: Uint32Array, metadata: ShippedText['metadata']): ShippedText {
  const locations = new Array<ReturnType<typeof locationAt>>(table.locationCount);
  for (const [location, number] of numbers.entries()) locations[number] = locationAt(table, location);
  const subdivisions = [
    '',
    ...new Set(locations.map((location) => location.subdivision).filter((name) => name !== '')),
  ];
  const positions = new Map(subdivisions.map((name, position) => [name, position]));
  const hundredths = (degrees: number | undefined): number | null =>
    degrees === undefined ? null : Math.round(degrees * HUNDREDTHS);
  return {
    metadata,
    subdivisions,
    countries: locations.map((location) => location.country),
    subdivisionOf: locations.map((location) => positions.get(location.subdivision) ?? 0),
    latitudes: locations.map((location) => hundredths(location.coordinates?.latitude)),
    longitudes: locations.map((location) => hundredths(location.coordinates?.longitude)),
  };
}

function writeV4Steps(out: NumberWriter, ranges: FamilyRanges): void {
  let before = 0;
  for (const start of ranges.starts) {
    out.number(start - before);
    before = start;
  }
}

function writeV6Steps(out: NumberWriter, ranges: FamilyRanges): void {
  let before = 0n;
  for (let range = 0; range < ranges.count; range++) {
    const [word0 = 0, word1 = 0, word2 = 0, word3 = 0] = ranges.starts.subarray(range * 4, range * 4 + 4);
    if (word2 !== 0 || word3 !== 0) throw new Error('an IPv6 range starts within a /64 prefix');
    const start = (BigInt(word0) << 32n) | BigInt(word1);
    const step = start - before;
    const rest = Number(step & 0xffffn);
    out.number(Number(step >> 16n) * 2 + (rest === 0 ? 0 : 1));
    if (rest !== 0) out.number(rest);
    before = start;
  }
}

function writeLocations(out: NumberWriter, ranges: FamilyRanges, numbers: Uint32Array): void {
  const recent: number[] = new Array<number>(RECENT_LOCATIONS).fill(-1);
  const news: number[] = [];
  for (const location of ranges.locations) {
    const number = numbers[location] as number;
    const at = recent.indexOf(number);
    out.octet(at === -1 ? NEW_LOCATION : at);
    if (at === -1) news.push(number);
    recent.copyWithin(1, 0, at === -1 ? RECENT_LOCATIONS - 1 : at);
    recent[0] = number;
  }
  for (const number of news) out.number(number);
}

class NumberWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;

  octet(octet: number): void {
    if (this.#length === this.#bytes.length) {
      const wider = new Uint8Array(this.#bytes.length * 2);
      wider.set(this.#bytes);
      this.#bytes = wider;
    }
    this.#bytes[this.#length] = octet;
    this.#length += 1;
  }

  octets(octets: Uint8Array): void {
    for (const octet of octets) this.octet(octet);
  }

  word(word: number): void {
    for (const shift of [24, 16, 8, 0]) this.octet((word >>> shift) & 255);
  }

  number(number: number): void {
    let rest = number;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.octet((rest % 128) | 128);
    this.octet(rest);
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}
