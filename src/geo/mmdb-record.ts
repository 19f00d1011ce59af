/**
 * The data section of a MaxMind-format file: values, each led by a control octet.
 *
 *     control   [ type: 3 bits | size: 5 bits ]   type 0: the next octet plus 7; sizes 29 to 31: more octets follow
 *     pointer   [ 1 | octets less one: 2 bits | highest bits: 3 ] and its other octets; from the section's start
 *     map       size times key and value; a key is text or a pointer to it
 *
 * A city file has a million records of a dozen values, of which a geo table asks for a few: only those are decoded,
 * and texts that pointers lead to, such as keys and regions, only once.
 */
const TYPE_POINTER = 1;
const TYPE_TEXT = 2;
const TYPE_DOUBLE = 3;
const TYPE_UINT16 = 5;
const TYPE_UINT32 = 6;
const TYPE_MAP = 7;
const TYPE_INT32 = 8;
const TYPE_UINT64 = 9;
const TYPE_ARRAY = 11;
const TYPE_BOOLEAN = 14;
const TYPE_FLOAT = 15;

/** Values within values: a city record has four levels. */
const MAX_RECORD_DEPTH = 16;

/** Values that one record may make the decoder look at; the largest known have a few hundred. */
const MAX_RECORD_VALUES = 20_000;

/** Octets of one text; the longest names of known files are below 200. */
const MAX_TEXT_OCTETS = 4096;

export class MmdbRecordDecoder {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #start: number;
  readonly #end: number;
  readonly #wanted: ReadonlySet<string>;
  /** Texts that pointers lead to, by offset. */
  readonly #texts = new Map<number, string>();
  readonly #decoder = new TextDecoder();
  /** Where the next value begins, type and size of the one whose control was read last. */
  #at = 0;
  #type = 0;
  #size = 0;
  #valuesLeft = 0;

  /** The section reaches from `start` to before `end`; of all maps, only the wanted keys are decoded. */
  constructor(bytes: Uint8Array, start: number, end: number, wanted: ReadonlySet<string>) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#start = start;
    this.#end = end;
    this.#wanted = wanted;
  }

  /**
   * Decodes the value at an offset into the section: maps as objects of the wanted keys, arrays as their first
   * element alone, texts and numbers; undefined stands for any other value. Throws an Error on broken data.
   */
  decode(offset: number): unknown {
    this.#at = this.#start + offset;
    this.#valuesLeft = MAX_RECORD_VALUES;
    return this.#value(MAX_RECORD_DEPTH);
  }

  #value(depth: number): unknown {
    if (depth === 0) throw new Error('its data is nested too deep');
    this.#readControl();
    if (this.#type !== TYPE_POINTER) return this.#valueOf(depth);
    const target = this.#size;
    const after = this.#at;
    const known = this.#texts.get(target);
    if (known !== undefined) return known;
    this.#at = this.#start + target;
    this.#readControl();
    if (this.#type === TYPE_POINTER) throw new Error('its data has a pointer to a pointer');
    const value = this.#valueOf(depth);
    if (typeof value === 'string') this.#texts.set(target, value);
    this.#at = after;
    return value;
  }

  #valueOf(depth: number): unknown {
    const size = this.#size;
    switch (this.#type) {
      case TYPE_MAP:
        return this.#map(size, depth);
      case TYPE_ARRAY:
        return this.#array(size, depth);
      case TYPE_TEXT:
        return this.#text(size);
      case TYPE_DOUBLE:
      case TYPE_FLOAT: {
        const at = this.#take(size);
        if (size === 8) return this.#view.getFloat64(at);
        return size === 4 ? this.#view.getFloat32(at) : undefined;
      }
      case TYPE_UINT16:
      case TYPE_UINT32:
      case TYPE_UINT64:
        return this.#unsigned(size);
      case TYPE_INT32:
        // Fewer than four octets are the lowest ones of a number that is not negative.
        return size === 4 ? this.#unsigned(size) | 0 : this.#unsigned(size);
      case TYPE_BOOLEAN:
        return undefined;
      default:
        this.#take(size);
        return undefined;
    }
  }

  #map(size: number, depth: number): Readonly<Record<string, unknown>> {
    const fields: Record<string, unknown> = {};
    for (let entry = 0; entry < size; entry++) {
      const key = this.#value(depth - 1);
      if (typeof key !== 'string') throw new Error('its data has a map with a key that is no text');
      if (this.#wanted.has(key)) fields[key] = this.#value(depth - 1);
      else this.#skip(depth - 1);
    }
    return fields;
  }

  #array(size: number, depth: number): readonly unknown[] {
    const first: unknown[] = [];
    for (let element = 0; element < size; element++) {
      if (element === 0) first.push(this.#value(depth - 1));
      else this.#skip(depth - 1);
    }
    return first;
  }

  /** Steps over a value; what a pointer leads to is not looked at. */
  #skip(depth: number): void {
    if (depth === 0) throw new Error('its data is nested too deep');
    this.#readControl();
    const size = this.#size;
    if (this.#type === TYPE_MAP) for (let part = 0; part < 2 * size; part++) this.#skip(depth - 1);
    else if (this.#type === TYPE_ARRAY) for (let part = 0; part < size; part++) this.#skip(depth - 1);
    else if (this.#type !== TYPE_POINTER && this.#type !== TYPE_BOOLEAN) this.#take(size);
  }

  #text(size: number): string {
    if (size > MAX_TEXT_OCTETS) throw new Error(`its data has a text of ${size} octets`);
    const at = this.#take(size);
    return this.#decoder.decode(this.#bytes.subarray(at, at + size));
  }

  #unsigned(size: number): number {
    const at = this.#take(size);
    let value = 0;
    for (let octet = at; octet < at + size; octet++) value = value * 256 + (this.#bytes[octet] as number);
    return value;
  }

  /** Reads type and size of the next value; the size of a pointer is the offset that it leads to. */
  #readControl(): void {
    if (this.#valuesLeft === 0) throw new Error(`its data has a record of over ${MAX_RECORD_VALUES} values`);
    this.#valuesLeft -= 1;
    const control = this.#octet();
    const type = control >>> 5;
    if (type === TYPE_POINTER) {
      this.#type = type;
      this.#size = this.#pointer(control);
      return;
    }
    this.#type = type === 0 ? this.#octet() + 7 : type;
    const size = control & 31;
    if (size < 29) this.#size = size;
    else if (size === 29) this.#size = 29 + this.#octet();
    else if (size === 30) this.#size = 285 + this.#unsigned(2);
    else this.#size = 65_821 + this.#unsigned(3);
  }

  /** Each width of pointer starts where the narrower one ends; the widest starts at 0 and has no bits here. */
  #pointer(control: number): number {
    const high = control & 7;
    switch ((control >>> 3) & 3) {
      case 0:
        return (high << 8) | this.#octet();
      case 1:
        return ((high << 16) | this.#unsigned(2)) + 2048;
      case 2:
        return ((high << 24) | this.#unsigned(3)) + 526_336;
      default:
        return this.#unsigned(4);
    }
  }

  #octet(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  /** Where the next `size` octets stand; they are then behind. */
  #take(size: number): number {
    const at = this.#at;
    if (at < this.#start || size > this.#end - at) throw new Error('its data is cut short');
    this.#at = at + size;
    return at;
  }
}
