import { type Parsed, parsed, reasonOf, refused } from '../config/problem.ts';
import { continentOf } from './continents.ts';
import type { LocationFields } from './location-list.ts';
import { MmdbRecordDecoder } from './mmdb-record.ts';
import { MmdbTree } from './mmdb-tree.ts';
import { subdivisionCode } from './subdivisions.ts';
import type { GeoTableMetadata } from './table.ts';
import { GeoTableBuilder, UNKNOWN_LOCATION } from './table-builder.ts';
import { WordMap } from './word-map.ts';

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
}

/** Octets between the tree and the data section; they are zero. */
const SEPARATOR_OCTETS = 16;

/** More than twice the largest city file known (8.4 million): bounds the walk over a broken or hostile tree. */
const MAX_MMDB_NODES = 32_000_000;

const MAX_ADDRESS_BITS = 128;

/** Distinct records of one file; a city file of one family has up to 420,000. */
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
  // Each node adds at most one range to those of its tree.
  const mostRanges = {
    v4: file.ipVersion === 4 ? file.nodeCount : 0,
    v6: file.ipVersion === 6 ? file.nodeCount : 0,
  };
  const builder = new GeoTableBuilder(mostRanges);
  try {
    new TreeWalk(file, metadataAt - treeOctets - SEPARATOR_OCTETS, builder).run();
  } catch (error) {
    return problem(reasonOf(error));
  }
  if (builder.locationCount === 1) return problem('no record has coordinates, a country or an AS number');
  return parsed(builder.build(metadata));
}

/** One walk over the whole tree, left before right, so that ranges come in ascending order. */
class TreeWalk {
  readonly #tree: MmdbTree;
  readonly #ipVersion: number;
  readonly #decoder: MmdbRecordDecoder;
  readonly #dataOctets: number;
  readonly #builder: GeoTableBuilder;
  /** Location number by the record's offset in the data section: each record is decoded once. */
  readonly #locations = new WordMap();
  readonly #address = new Uint32Array(4);
  /** Right sides still to be walked: what the record is, and the depth of what it leads to. */
  readonly #waiting = new Uint32Array(MAX_ADDRESS_BITS);
  readonly #waitingDepths = new Uint8Array(MAX_ADDRESS_BITS);
  #visited = 0;

  constructor(file: MmdbFile, dataOctets: number, builder: GeoTableBuilder) {
    const { bytes, nodeCount, recordSize } = file;
    const dataStart = (nodeCount * recordSize) / 4 + SEPARATOR_OCTETS;
    this.#tree = new MmdbTree(bytes, nodeCount, recordSize);
    this.#ipVersion = file.ipVersion;
    this.#decoder = new MmdbRecordDecoder(bytes, dataStart, dataStart + dataOctets, wantedKeys);
    this.#dataOctets = dataOctets;
    this.#builder = builder;
  }

  run(): void {
    const { nodeCount } = this.#tree;
    if (this.#ipVersion === 4) {
      this.#walk(4, 0, nodeCount);
      return;
    }
    const v4Root = this.#findV4Root();
    if (v4Root < nodeCount) this.#walk(4, v4Root, nodeCount);
    this.#walk(6, 0, v4Root);
  }

  /** The node of ::/96; the number of nodes when the file holds no IPv4. */
  #findV4Root(): number {
    let node = 0;
    for (let depth = 0; depth < 96; depth++) {
      node = this.#tree.left(node);
      if (node >= this.#tree.nodeCount) return this.#tree.nodeCount;
    }
    return node;
  }

  /** Below the root, what `alias` leads to says nothing of this family. */
  #walk(family: 4 | 6, root: number, alias: number): void {
    const { nodeCount } = this.#tree;
    const bits = family === 4 ? 32 : 128;
    let waiting = 0;
    let record = root;
    let depth = 0;
    this.#address.fill(0);
    for (;;) {
      while (record < nodeCount && (record !== alias || depth === 0)) {
        if (depth === bits) throw new Error('its tree is deeper than an address is long');
        this.#visited += 1;
        // A sound tree is visited once; a loop or much sharing would be visited without end.
        if (this.#visited > nodeCount) throw new Error('its tree runs in circles');
        depth += 1;
        this.#waiting[waiting] = this.#tree.right(record);
        this.#waitingDepths[waiting] = depth;
        waiting += 1;
        record = this.#tree.left(record);
      }
      this.#emit(family, record < nodeCount ? UNKNOWN_LOCATION : this.#locationOf(record));
      if (waiting === 0) return;
      waiting -= 1;
      record = wordAt(this.#waiting, waiting);
      depth = this.#waitingDepths[waiting] as number;
      this.#turnRight(depth);
    }
  }

  /** From the addresses of a left side to those of the right one, which the bit before `depth` tells apart. */
  #turnRight(depth: number): void {
    const word = (depth - 1) >>> 5;
    const bit = 0x8000_0000 >>> ((depth - 1) & 31);
    this.#address[word] = (wordAt(this.#address, word) | bit) & -bit;
    for (let after = word + 1; after < 4; after++) this.#address[after] = 0;
  }

  #emit(family: 4 | 6, location: number): void {
    const address = this.#address;
    const first = wordAt(address, 0);
    if (family === 4) this.#builder.addV4(first, location);
    else this.#builder.addV6(first, wordAt(address, 1), wordAt(address, 2), wordAt(address, 3), location);
  }

  #locationOf(record: number): number {
    if (record === this.#tree.nodeCount) return UNKNOWN_LOCATION;
    const offset = record - this.#tree.nodeCount - SEPARATOR_OCTETS;
    if (offset < 0 || offset >= this.#dataOctets) throw new Error('its tree points outside its data');
    const known = this.#locations.get(offset);
    if (known !== -1) return known;
    if (this.#locations.size === MAX_MMDB_RECORDS) throw new Error(`it has over ${MAX_MMDB_RECORDS} records`);
    const location = this.#builder.locationNumber(fieldsOf(this.#decoder.decode(offset)));
    this.#locations.add(offset, location);
    return location;
  }
}

/** What `fieldsOf` looks at, of maps at any level. */
const wantedKeys: ReadonlySet<string> = new Set([
  'location',
  'latitude',
  'longitude',
  'country',
  'registered_country',
  'iso_code',
  'country_code',
  'continent',
  'code',
  'continent_code',
  'subdivisions',
  'state1',
  'autonomous_system_number',
  'asn',
]);

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

function wordAt(words: Uint32Array, at: number): number {
  return words[at] as number;
}
