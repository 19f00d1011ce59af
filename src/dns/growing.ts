/** Room that a new list starts with. */
const INITIAL_LENGTH = 1024;

/** A list of signed 32-bit numbers that grows by doubling: millions of entries without an object each. */
export class GrowingInts {
  #values: Int32Array;
  #length: number;

  /**
   * Starts with room for what will be there, as far as it is known. Given an array, that is the room, and its first
   * `length` values are there already; what does not fit moves to an array of the list's own.
   */
  constructor(room: number | Int32Array = INITIAL_LENGTH, length = 0) {
    this.#values = typeof room === 'number' ? new Int32Array(Math.max(1, room)) : room;
    this.#length = length;
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const wider = new Int32Array(Math.max(INITIAL_LENGTH, 2 * this.#values.length));
      wider.set(this.#values);
      this.#values = wider;
    }
    this.#values[this.#length] = value;
    this.#length += 1;
  }

  /** The value at a position below `length`. */
  at(position: number): number {
    return this.#values[position] as number;
  }

  put(position: number, value: number): void {
    this.#values[position] = value;
  }

  /** Forgets everything from a position on. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** The values so far; valid until the next push. */
  view(): Int32Array {
    return this.#values.subarray(0, this.#length);
  }
}

/** The same for octets. */
export class GrowingOctets {
  #octets: Uint8Array;
  #length: number;

  /** As `GrowingInts`. */
  constructor(room: number | Uint8Array = INITIAL_LENGTH, length = 0) {
    this.#octets = typeof room === 'number' ? new Uint8Array(Math.max(1, room)) : room;
    this.#length = length;
  }

  get length(): number {
    return this.#length;
  }

  /** All octets with the room behind them; valid until the next append. */
  get octets(): Uint8Array {
    return this.#octets;
  }

  /** Appends the octets of `source` from `start` to before `end`. */
  append(source: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    for (let i = start; i < end; i++) this.#octets[this.#length++] = source[i] as number;
  }

  pushUint16(value: number): void {
    this.#reserve(2);
    this.putUint16(this.#length, value);
    this.#length += 2;
  }

  pushUint32(value: number): void {
    this.pushUint16(value >>> 16);
    this.pushUint16(value & 0xffff);
  }

  putUint16(position: number, value: number): void {
    this.#octets[position] = value >> 8;
    this.#octets[position + 1] = value;
  }

  /** Forgets everything from a position on. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** The octets so far; valid until the next append. */
  view(): Uint8Array {
    return this.#octets.subarray(0, this.#length);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#octets.length) return;
    let room = Math.max(INITIAL_LENGTH, 2 * this.#octets.length);
    while (room < this.#length + more) room *= 2;
    const wider = new Uint8Array(room);
    wider.set(this.view());
    this.#octets = wider;
  }
}
