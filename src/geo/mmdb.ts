import { type Parsed, parsed, refused } from '../config/problem.ts';
import { continentOf } from './continents.ts';
import { subdivisionCode } from './subdivisions.ts';
import type { GeoTableMetadata } from './table.ts';
import { GeoTableBuilder, type LocationFields, UNKNOWN_LOCATION } from './table-builder.ts';

/**
 * A MaxMind-format file: a binary search tree over address bits, then a data section, then metadata.
 *
 *     node n       [ left record | right record ]   records of 24, 28 or 32 bits
 *     record < N   the next node         N = number of nodes
 *     record = N   nothing is known
 *     record > N   data, at record - N - 16 in the data section
 *
 * An IPv6 tree keeps IPv4 under ::/96, and may point to that same subtree from 2002::/16, 2001::/32 and
 * ::ffff:0:0/96; those aliases say nothing about IPv6 addresses and are left out.
 */
export interface MmdbFile {
  /** For problems. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly nodeCount: number;
  readonly recordSize: number;
  readonly ipVersion: number;
  /** Decodes the record of an address in text form. May throw on broken data. */
  readonly get: (address: string) => unknown;
}

/** Octets between the tree and the data section; they are zero. */
const SEPARATOR_OCTETS = 16;

/** More than twice the largest city file known (8.4 million): bounds the walk over a broken or hostile tree. */
const MAX_MMDB_NODES = 32_000_000;

/** Distinct records of one file; a city file has about 200,000. */
const MAX_MMDB_RECORDS = 4_000_000;

/** The start of the metadata (MaxMind DB specification, "Database Metadata"). */
const METADATA_MARKER = Uint8Array.of(0xab, 0xcd, 0xef, ...new TextEncoder().encode('MaxMind.com'));
/** The metadata section is at most 128 KiB, its marker included. */
const MAX_METADATA_OCTETS = 128 * 1024;

/** Where the metadata starts, its marker included; -1 in a file that is cut short or is no such file. */
export function findMetadata(bytes: Uint8Array): number {
  const earliest = Math.max(0, bytes.length - MAX_METADATA_OCTETS);
  for (let at = bytes.length - METADATA_MARKER.length; at >= earliest; at--) {
    if (METADATA_MARKER.every((octet, offset) => bytes[at + offset] === octet)) return at;
  }
  return -1;
}

/** Compiles a file into a geo table. What the operator can mend comes back as problems; never throws. */
export function compileMmdb(file: MmdbFile, metadata: GeoTableMetadata): Parsed<SharedArrayBuffer> {
  const problem = (message: string): Parsed<never> =>
    refused('geo-file-broken', file.path, `${file.path}: ${message}; fetch the file again`);
  if (![24, 28, 32].includes(file.recordSize))
    return problem(`records of ${file.recordSize} bits are unknown`);
  if (![4, 6].includes(file.ipVersion)) return problem(`IP version ${file.ipVersion} is unknown`);
  if (file.nodeCount < 1 || file.nodeCount > MAX_MMDB_NODES)
    return problem(`it has ${file.nodeCount} nodes; 1 to ${MAX_MMDB_NODES} are possible`);
  const treeOctets = (file.nodeCount * file.recordSize) / 4;
  const metadataAt = findMetadata(file.bytes);
  if (metadataAt < treeOctets + SEPARATOR_OCTETS) return problem('it is cut short');
  const builder = new GeoTableBuilder();
  try {
    new TreeWalk(file, metadataAt - treeOctets - SEPARATOR_OCTETS, builder).run();
  } catch (error) {
    return problem(error instanceof Error ? error.message : String(error));
  }
  if (builder.locationCount === 1) return problem('no record has coordinates, a country or an AS number');
  return parsed(builder.build(metadata));
}

/** One walk over the whole tree, left before right, so that ranges come in ascending order. */
class TreeWalk {
  readonly #file: MmdbFile;
  readonly #dataOctets: number;
  readonly #builder: GeoTableBuilder;
  readonly #readRecord: (node: number, side: 0 | 1) => number;
  readonly #address = new Uint32Array(4);
  /** Location number by record. */
  readonly #locations = new Map<number, number>();
  readonly #depthLimit: number;
  #family: 4 | 6 = 4;
  #v4Root = 0;
  #visited = 0;

  constructor(file: MmdbFile, dataOctets: number, builder: GeoTableBuilder) {
    this.#file = file;
    this.#dataOctets = dataOctets;
    this.#builder = builder;
    this.#readRecord = recordReader(file.bytes, file.recordSize);
    this.#depthLimit = file.ipVersion === 4 ? 32 : 128;
  }

  run(): void {
    if (this.#file.ipVersion === 4) {
      this.#walk(0, 0, 32);
      return;
    }
    this.#v4Root = this.#findV4Root();
    if (this.#v4Root < this.#file.nodeCount) this.#walk(this.#v4Root, 0, 32);
    this.#family = 6;
    this.#walk(0, 0, this.#depthLimit);
  }

  /** The node of ::/96; the number of nodes when the file holds no IPv4. */
  #findV4Root(): number {
    let node = 0;
    for (let depth = 0; depth < 96; depth++) {
      node = this.#readRecord(node, 0);
      if (node >= this.#file.nodeCount) return this.#file.nodeCount;
    }
    return node;
  }

  #walk(record: number, depth: number, depthLimit: number): void {
    if (record >= this.#file.nodeCount) {
      this.#emit(this.#locationOf(record));
      return;
    }
    if (this.#family === 6 && depth > 0 && record === this.#v4Root) {
      this.#emit(UNKNOWN_LOCATION);
      return;
    }
    if (depth === depthLimit) throw new Error('its tree is deeper than an address is long');
    this.#visited += 1;
    // A sound tree is visited once; a loop or much sharing would be visited without end.
    if (this.#visited > this.#file.nodeCount) throw new Error('its tree runs in circles');
    this.#walk(this.#readRecord(record, 0), depth + 1, depthLimit);
    const word = depth >>> 5;
    const bit = 1 << (31 - (depth & 31));
    this.#address[word] = wordAt(this.#address, word) | bit;
    this.#walk(this.#readRecord(record, 1), depth + 1, depthLimit);
    this.#address[word] = wordAt(this.#address, word) & ~bit;
  }

  #emit(location: number): void {
    const [word0, word1, word2, word3] = this.#address as unknown as readonly [
      number,
      number,
      number,
      number,
    ];
    if (this.#family === 4) this.#builder.addV4(word0, location);
    else this.#builder.addV6(word0, word1, word2, word3, location);
  }

  #locationOf(record: number): number {
    if (record === this.#file.nodeCount) return UNKNOWN_LOCATION;
    const known = this.#locations.get(record);
    if (known !== undefined) return known;
    const offset = record - this.#file.nodeCount - SEPARATOR_OCTETS;
    if (offset < 0 || offset >= this.#dataOctets) throw new Error('its tree points outside its data');
    if (this.#locations.size === MAX_MMDB_RECORDS) throw new Error(`it has over ${MAX_MMDB_RECORDS} records`);
    const value = this.#file.get(formatWords(this.#family, this.#address));
    const location = this.#builder.locationNumber(fieldsOf(value));
    this.#locations.set(record, location);
    return location;
  }
}

function recordReader(bytes: Uint8Array, recordSize: number): (node: number, side: 0 | 1) => number {
  const octet = (at: number): number => bytes[at] as number;
  const three = (at: number): number => (octet(at) << 16) | (octet(at + 1) << 8) | octet(at + 2);
  if (recordSize === 24) return (node, side) => three(node * 6 + side * 3);
  if (recordSize === 32)
    return (node, side) => octet(node * 8 + side * 4) * 2 ** 24 + three(node * 8 + side * 4 + 1);
  // 28 bits: the middle octet holds the four highest bits of both records, the left one's first.
  return (node, side) =>
    side === 0
      ? ((octet(node * 7 + 3) & 0xf0) << 20) | three(node * 7)
      : ((octet(node * 7 + 3) & 0x0f) << 24) | three(node * 7 + 4);
}

/** Reads both schemas: nested as MaxMind ships it, flat as ip-location-db does. */
export function fieldsOf(value: unknown): LocationFields {
  const record = mapOf(value);
  const location = mapOf(record.location);
  const country = mapOf(record.country);
  const registered = mapOf(record.registered_country);
  const region = mapOf(Array.isArray(record.subdivisions) ? record.subdivisions[0] : undefined);
  const latitude = numberOf(location.latitude, record.latitude);
  const longitude = numberOf(location.longitude, record.longitude);
  const placed = Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
  const countryCode = textOf(country.iso_code, record.country_code, registered.iso_code).toUpperCase();
  const asn = numberOf(record.autonomous_system_number, record.asn);
  return {
    latitude: placed ? latitude : Number.NaN,
    longitude: placed ? longitude : Number.NaN,
    country: countryCode,
    continent: textOf(mapOf(record.continent).code, record.continent_code, continentOf(countryCode)),
    subdivision: textOf(region.iso_code, subdivisionCode(countryCode, textOf(record.state1))),
    asn: asn >= 0 && asn < 2 ** 32 ? Math.trunc(asn) : 0,
  };
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function textOf(...values: readonly unknown[]): string {
  return values.find((value): value is string => typeof value === 'string' && value !== '') ?? '';
}

function numberOf(...values: readonly unknown[]): number {
  return values.find((value) => typeof value === 'number') ?? Number.NaN;
}

function formatWords(family: 4 | 6, words: Uint32Array): string {
  if (family === 4) {
    const word = wordAt(words, 0);
    return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
  }
  return Array.from(words, (word) => `${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`).join(
    ':',
  );
}

function wordAt(words: Uint32Array, at: number): number {
  return words[at] as number;
}
