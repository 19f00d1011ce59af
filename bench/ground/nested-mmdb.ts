/*
 * Joins MaxMind-format files of any schema into one file in the nested schema that other servers read
 * (`location.latitude`, `country.iso_code`), so that all of them look into the same geography.
 *
 * The search trees are copied node by node, never rebuilt, and every distinct record is written once:
 *
 *     [ nodes of the IPv6 file | the way down to ::/96 | nodes of the IPv4 file ] 16 zeros [ records ] [ metadata ]
 *            0 ..                                        ^ hangs there
 */
import { openSync, readFileSync, writeSync } from 'node:fs';
import { Reader } from 'maxmind';
import type { LocationFields } from '../../src/geo/location-list.ts';
import { fieldsOf } from '../../src/geo/mmdb.ts';
import { decodeMmdbValue, encodeMmdbValue } from './mmdb-values.ts';

const SEPARATOR_OCTETS = 16;
const V4_PREFIX_BITS = 96;
/** In the tree that is being written: nothing is known, or a record by its number. */
const EMPTY = -1;
const METADATA_MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');

interface SourceTree {
  readonly nodeCount: number;
  readonly ipVersion: number;
  readonly buildEpochSeconds: number;
  /** The record of one side of a node, as the file has it. */
  readonly read: (node: number, side: 0 | 1) => number;
  readonly valueAt: (record: number) => unknown;
}

/** What stands at the end of a branch: a child (0 or more), `EMPTY`, or `-2 - record number`. */
export interface JoinedTree {
  readonly nodes: Int32Array;
  readonly nodeCount: number;
  readonly v4Root: number;
  readonly records: readonly LocationFields[];
}

/** Reads and joins the files; a later file's IPv4 (or IPv6) takes the place of an earlier one's. */
export function joinMmdbFiles(paths: readonly string[]): JoinedTree & { readonly buildEpochSeconds: number } {
  const trees = paths.map((path) => openTree(readFileSync(path)));
  const total = trees.reduce((sum, tree) => sum + tree.nodeCount, 0) + V4_PREFIX_BITS + 1;
  const joined = new Joining(total);
  for (const tree of trees.toSorted((one, other) => other.ipVersion - one.ipVersion)) joined.add(tree);
  return { ...joined.tree(), buildEpochSeconds: Math.max(...trees.map((tree) => tree.buildEpochSeconds)) };
}

class Joining {
  readonly #nodes: Int32Array;
  readonly #records: LocationFields[] = [];
  readonly #recordByText = new Map<string, number>();
  #count = 0;
  #v4Root = EMPTY;

  constructor(mostNodes: number) {
    this.#nodes = new Int32Array(mostNodes * 2).fill(EMPTY);
  }

  add(tree: SourceTree): void {
    if (this.#count === 0 && tree.ipVersion === 4) this.#count = 1;
    const base = this.#count;
    this.#count += tree.nodeCount;
    const numbers = new Map<number, number>();
    for (let node = 0; node < tree.nodeCount; node++)
      for (const side of [0, 1] as const)
        this.#nodes[(base + node) * 2 + side] = this.#branch(tree, numbers, base, tree.read(node, side));
    if (tree.ipVersion === 4) this.#hangV4(base);
  }

  tree(): JoinedTree {
    const v4Root = this.#v4Root === EMPTY ? this.#walkDown() : this.#v4Root;
    return { nodes: this.#nodes, nodeCount: this.#count, v4Root, records: this.#records };
  }

  #branch(tree: SourceTree, numbers: Map<number, number>, base: number, record: number): number {
    if (record < tree.nodeCount) return base + record;
    if (record === tree.nodeCount) return EMPTY;
    const known = numbers.get(record);
    if (known !== undefined) return known;
    const fields = fieldsOf(tree.valueAt(record));
    const text = JSON.stringify(fields);
    let number = this.#recordByText.get(text);
    if (number === undefined) {
      number = this.#records.push(fields) - 1;
      this.#recordByText.set(text, number);
    }
    numbers.set(record, -2 - number);
    return -2 - number;
  }

  /** The tree's root takes the place of ::/96. */
  #hangV4(root: number): void {
    let node = 0;
    for (let depth = 0; depth < V4_PREFIX_BITS - 1; depth++) {
      const next = this.#nodes[node * 2] ?? EMPTY;
      if (next >= 0 && next !== node) {
        node = next;
        continue;
      }
      const created = this.#count++;
      this.#nodes[created * 2] = next;
      this.#nodes[created * 2 + 1] = next;
      this.#nodes[node * 2] = created;
      node = created;
    }
    this.#nodes[node * 2] = root;
    this.#v4Root = root;
  }

  #walkDown(): number {
    let node = 0;
    for (let depth = 0; depth < V4_PREFIX_BITS && node >= 0; depth++) node = this.#nodes[node * 2] ?? EMPTY;
    return node;
  }
}

/** Writes the tree, with 32-bit records; `databaseType` has "City" in it, which gdnsd asks for. */
export function writeNestedMmdb(path: string, tree: JoinedTree, buildEpochSeconds: number): void {
  const offsets = new Uint32Array(tree.records.length);
  const values: Buffer[] = [];
  let dataOctets = 0;
  for (const [number, fields] of tree.records.entries()) {
    offsets[number] = dataOctets;
    const value = encodeMmdbValue(nestedRecord(fields));
    values.push(value);
    dataOctets += value.length;
  }
  const octets = Buffer.allocUnsafe(tree.nodeCount * 8);
  for (let at = 0; at < tree.nodeCount * 2; at++) {
    const branch = tree.nodes[at] ?? EMPTY;
    const record =
      branch >= 0
        ? branch
        : branch === EMPTY
          ? tree.nodeCount
          : tree.nodeCount + SEPARATOR_OCTETS + (offsets[-2 - branch] ?? 0);
    octets.writeUInt32BE(record, at * 4);
  }
  const file = openSync(path, 'w');
  const metadata = encodeMmdbValue(metadataOf(tree.nodeCount, buildEpochSeconds));
  for (const part of [
    octets,
    Buffer.alloc(SEPARATOR_OCTETS),
    Buffer.concat(values),
    METADATA_MARKER,
    metadata,
  ])
    writeSync(file, part);
}

function metadataOf(nodeCount: number, buildEpochSeconds: number): Readonly<Record<string, unknown>> {
  return {
    binary_format_major_version: { uint16: 2 },
    binary_format_minor_version: { uint16: 0 },
    build_epoch: { uint64: buildEpochSeconds },
    database_type: 'DBIP-City-Lite',
    description: { en: 'joined for benchmarks' },
    ip_version: { uint16: 6 },
    languages: ['en'],
    node_count: nodeCount,
    record_size: { uint16: 32 },
  };
}

function nestedRecord(fields: LocationFields): Readonly<Record<string, unknown>> {
  const { latitude, longitude, country, continent, subdivision } = fields;
  return {
    ...(continent === '' ? {} : { continent: { code: continent } }),
    ...(country === '' ? {} : { country: { iso_code: country } }),
    ...(Number.isNaN(latitude) || Number.isNaN(longitude)
      ? {}
      : { location: { latitude: { double: latitude }, longitude: { double: longitude } } }),
    ...(subdivision === '' ? {} : { subdivisions: [{ iso_code: subdivision }] }),
  };
}

function openTree(bytes: Buffer): SourceTree {
  const { nodeCount, recordSize, ipVersion, buildEpoch } = new Reader<never>(bytes).metadata;
  const nodeOctets = recordSize / 4;
  const data = bytes.subarray(nodeCount * nodeOctets + SEPARATOR_OCTETS);
  const read = (node: number, side: 0 | 1): number => {
    const at = node * nodeOctets;
    if (recordSize === 24) return bytes.readUIntBE(at + side * 3, 3);
    if (recordSize === 32) return bytes.readUInt32BE(at + side * 4);
    const high = bytes[at + 3] ?? 0;
    const [top, low] = side === 0 ? [high >>> 4, at] : [high & 15, at + 4];
    return top * 2 ** 24 + bytes.readUIntBE(low, 3);
  };
  return {
    nodeCount,
    ipVersion,
    buildEpochSeconds: Math.floor(buildEpoch.getTime() / 1000),
    read,
    valueAt: (record) => decodeMmdbValue(data, record - nodeCount - SEPARATOR_OCTETS),
  };
}
