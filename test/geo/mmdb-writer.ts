/** Writes small MaxMind-format files: enough of the format for tests, by its specification. */

type MmdbValue =
  | string
  | number
  | { readonly double: number }
  | { readonly pointerTo: number }
  | readonly MmdbValue[]
  | { readonly [key: string]: MmdbValue };

export interface MmdbRecord {
  /** The prefix's bits, most significant first, as a text of 0 and 1. */
  readonly bits: string;
  readonly value: MmdbValue;
}

export interface MmdbOptions {
  readonly ipVersion?: 4 | 6;
  readonly recordSize?: 24 | 28 | 32;
  readonly databaseType?: string;
  /** Bits that lead to the same node as other bits, as the aliases of IPv4 do. */
  readonly aliases?: readonly { readonly bits: string; readonly of: string }[];
}

/** The build epoch of every file that is written here: 2026-01-02T03:04:05Z. */
export const BUILD_EPOCH = 1_767_323_045;

type Node = [Slot, Slot];
type Slot = Node | { readonly data: number } | undefined;

/** The octets of a file that holds the records; later ones replace what they cover. */
export function writeMmdb(records: readonly MmdbRecord[], options: MmdbOptions = {}): Buffer {
  const { ipVersion = 4, recordSize = 28, databaseType = 'Test-City', aliases = [] } = options;
  const root: Node = [undefined, undefined];
  const data: number[] = [];
  for (const { bits, value } of records) {
    place(root, bits, { data: data.length });
    data.push(...encode(value));
  }
  for (const { bits, of } of aliases) place(root, bits, find(root, of));
  const nodes = number(root);
  const tree = [...nodes.keys()].flatMap((node) => {
    const [left, right] = node.map((slot) => recordOf(slot, nodes));
    return writeNode(left ?? 0, right ?? 0, recordSize);
  });
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: BUILD_EPOCH,
    database_type: databaseType,
    description: {},
    ip_version: ipVersion,
    languages: [],
    node_count: nodes.size,
    record_size: recordSize,
  });
  const marker = [0xab, 0xcd, 0xef, ...Buffer.from('MaxMind.com')];
  return Buffer.from([...tree, ...new Array<number>(16).fill(0), ...data, ...marker, ...metadata]);
}

/** The bits of a prefix such as `192.0.2.0/24` or `2001:db8::/32`. */
export function prefixBits(text: string): string {
  const [address = '', length = ''] = text.split('/');
  return addressBits(address).slice(0, Number(length));
}

/** The bits of an address. */
function addressBits(address: string): string {
  return Array.from(addressOctets(address), (octet) => octet.toString(2).padStart(8, '0')).join('');
}

/** The octets of an address in plain or `::` form. */
export function addressOctets(address: string): Uint8Array {
  if (!address.includes(':')) return Uint8Array.from(address.split('.'), Number);
  const [head = '', tail = ''] = address.split('::');
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const missing = 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...new Array<number>(missing).fill(0), ...groups(tail)];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 255]));
}

function place(root: Node, bits: string, slot: Slot): void {
  let node = root;
  for (const bit of bits.slice(0, -1)) {
    const side = bit === '1' ? 1 : 0;
    const next = node[side];
    const child: Node = Array.isArray(next) ? next : [next, next];
    node[side] = child;
    node = child;
  }
  node[bits.endsWith('1') ? 1 : 0] = slot;
}

function find(root: Node, bits: string): Slot {
  let slot: Slot = root;
  for (const bit of bits) slot = Array.isArray(slot) ? slot[bit === '1' ? 1 : 0] : slot;
  return slot;
}

function number(root: Node): Map<Node, number> {
  const nodes = new Map<Node, number>();
  const visit = (slot: Slot): void => {
    if (!Array.isArray(slot) || nodes.has(slot)) return;
    nodes.set(slot, nodes.size);
    visit(slot[0]);
    visit(slot[1]);
  };
  visit(root);
  return nodes;
}

function recordOf(slot: Slot, nodes: ReadonlyMap<Node, number>): number {
  if (slot === undefined) return nodes.size;
  return Array.isArray(slot) ? (nodes.get(slot) ?? 0) : nodes.size + 16 + slot.data;
}

function writeNode(left: number, right: number, recordSize: 24 | 28 | 32): number[] {
  if (recordSize === 28)
    return [
      ...octets(left & 0xffffff, 3),
      ((left >>> 24) << 4) | (right >>> 24),
      ...octets(right & 0xffffff, 3),
    ];
  return [...octets(left, recordSize / 8), ...octets(right, recordSize / 8)];
}

function octets(value: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => Math.floor(value / 256 ** (count - 1 - at)) % 256);
}

function encode(value: MmdbValue): number[] {
  if (typeof value === 'string') {
    const text = Buffer.from(value);
    return [...control(2, text.length), ...text];
  }
  if (typeof value === 'number') return [...control(6, 4), ...octets(value, 4)];
  if (isList(value)) return [...control(11, value.length), ...value.flatMap(encode)];
  if ('double' in value) {
    const double = Buffer.alloc(8);
    double.writeDoubleBE(Number(value.double));
    return [...control(3, 8), ...double];
  }
  if ('pointerTo' in value) return [0b0011_1000, ...octets(Number(value.pointerTo), 4)];
  const entries = Object.entries(value as Record<string, MmdbValue>);
  return [
    ...control(7, entries.length),
    ...entries.flatMap(([key, entry]) => [...encode(key), ...encode(entry)]),
  ];
}

function isList(value: MmdbValue): value is readonly MmdbValue[] {
  return Array.isArray(value);
}

/** Sizes up to 284, which tests do not exceed. */
function control(type: number, size: number): number[] {
  const first = type > 7 ? 0 : type << 5;
  const extended = type > 7 ? [type - 7] : [];
  return size < 29 ? [first | size, ...extended] : [first | 29, ...extended, size - 29];
}
