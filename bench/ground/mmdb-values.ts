/* The data section of the MaxMind DB format: every value is a control octet (type and size) and its octets. */

const TYPE_POINTER = 1;
const TYPE_STRING = 2;
const TYPE_DOUBLE = 3;
const TYPE_BYTES = 4;
const TYPE_UINT16 = 5;
const TYPE_UINT32 = 6;
const TYPE_MAP = 7;
const TYPE_INT32 = 8;
const TYPE_UINT64 = 9;
const TYPE_UINT128 = 10;
const TYPE_ARRAY = 11;
const TYPE_BOOLEAN = 14;
const TYPE_FLOAT = 15;
/** Octets that each pointer size adds to, by the format. */
const POINTER_BASES = [0, 2048, 526_336, 0] as const;

/** Decodes the value at `at`; throws where the data end before it does. */
export function decodeMmdbValue(data: Buffer, at: number): unknown {
  return new ValueReader(data, at).read();
}

class ValueReader {
  readonly #data: Buffer;
  #at: number;

  constructor(data: Buffer, at: number) {
    this.#data = data;
    this.#at = at;
  }

  read(): unknown {
    const control = this.#data.readUInt8(this.#at++);
    let type = control >>> 5;
    if (type === TYPE_POINTER) return this.#followPointer(control);
    if (type === 0) type = 7 + this.#data.readUInt8(this.#at++);
    return this.#readValue(type, this.#readSize(control & 31));
  }

  #followPointer(control: number): unknown {
    const size = (control >>> 3) & 3;
    const high = size === 3 ? 0 : control & 7;
    const low = this.#data.readUIntBE(this.#at, size + 1);
    this.#at += size + 1;
    const target = high * 2 ** (8 * (size + 1)) + low + (POINTER_BASES[size] ?? 0);
    return decodeMmdbValue(this.#data, target);
  }

  #readSize(size: number): number {
    if (size < 29) return size;
    const octets = size - 28;
    const more = this.#data.readUIntBE(this.#at, octets);
    this.#at += octets;
    return more + ([29, 285, 65_821][octets - 1] ?? 0);
  }

  #readValue(type: number, size: number): unknown {
    if (type === TYPE_MAP) {
      const entries: [string, unknown][] = [];
      for (let i = 0; i < size; i++) entries.push([String(this.read()), this.read()]);
      return Object.fromEntries(entries);
    }
    if (type === TYPE_ARRAY) return Array.from({ length: size }, () => this.read());
    if (type === TYPE_BOOLEAN) return size === 1;
    const from = this.#at;
    this.#at += size;
    switch (type) {
      case TYPE_STRING:
        return this.#data.toString('utf8', from, from + size);
      case TYPE_DOUBLE:
        return this.#data.readDoubleBE(from);
      case TYPE_FLOAT:
        return this.#data.readFloatBE(from);
      case TYPE_INT32:
      case TYPE_UINT16:
      case TYPE_UINT32:
      case TYPE_UINT64:
        return this.#data.subarray(from, from + size).reduce((sum, octet) => sum * 256 + octet, 0);
      case TYPE_BYTES:
      case TYPE_UINT128:
        return this.#data.subarray(from, from + size);
      default:
        throw new Error(`a value of type ${type}, which the format does not have`);
    }
  }
}

/** Numbers become uint32, `{ double }`, `{ uint16 }` and `{ uint64 }` what they say; objects become maps. */
export function encodeMmdbValue(value: unknown): Buffer {
  if (typeof value === 'string') {
    const text = Buffer.from(value);
    return Buffer.concat([control(TYPE_STRING, text.length), text]);
  }
  if (typeof value === 'number') return encodeInteger(TYPE_UINT32, 4, value);
  if (Array.isArray(value))
    return Buffer.concat([control(TYPE_ARRAY, value.length), ...value.map(encodeMmdbValue)]);
  const entries = Object.entries(value as Readonly<Record<string, unknown>>);
  const [key, only] = entries[0] ?? ['', undefined];
  if (entries.length === 1 && typeof only === 'number') {
    if (key === 'uint16') return encodeInteger(TYPE_UINT16, 2, only);
    if (key === 'uint64') return encodeInteger(TYPE_UINT64, 8, only);
    if (key === 'double') {
      const octets = Buffer.alloc(8);
      octets.writeDoubleBE(only);
      return Buffer.concat([control(TYPE_DOUBLE, 8), octets]);
    }
  }
  const parts = entries.flatMap(([name, entry]) => [encodeMmdbValue(name), encodeMmdbValue(entry)]);
  return Buffer.concat([control(TYPE_MAP, entries.length), ...parts]);
}

function encodeInteger(type: number, size: number, value: number): Buffer {
  const octets = Buffer.alloc(size);
  octets.writeUIntBE(value, Math.max(0, size - 6), Math.min(size, 6));
  return Buffer.concat([control(type, size), octets]);
}

/** Sizes up to 284: what is written here has no longer text and no larger map. */
function control(type: number, size: number): Buffer {
  if (size > 284) throw new Error(`a size of ${size}; at most 284 are written here`);
  const [short, extra] = size < 29 ? [size, []] : [29, [size - 29]];
  return type > 7 ? Buffer.of(short, type - 7, ...extra) : Buffer.of((type << 5) | short, ...extra);
}
