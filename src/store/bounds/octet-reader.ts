import { StoreError } from '../store-error.ts';

/** Longest LEB128 of 64 bits. */
const MAX_LEB_OCTETS = 10;

/** Reads what Automerge's formats are made of, from octets that nobody has checked. */
export class OctetReader {
  readonly #octets: Uint8Array;
  #at = 0;

  constructor(octets: Uint8Array) {
    this.#octets = octets;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#octets.length;
  }

  get left(): number {
    return this.#octets.length - this.#at;
  }

  /** Exact up to 2^53, beyond that about as large: good enough to be held against a limit. */
  unsigned(): number {
    let value = 0;
    let scale = 1;
    for (let octets = 0; octets < MAX_LEB_OCTETS; octets += 1) {
      const octet = this.#next();
      value += (octet & 0x7f) * scale;
      if (octet < 0x80) return value;
      scale *= 128;
    }
    throw malformed('a number is too long');
  }

  signed(): number {
    let value = 0;
    let scale = 1;
    for (let octets = 0; octets < MAX_LEB_OCTETS; octets += 1) {
      const octet = this.#next();
      value += (octet & 0x7f) * scale;
      scale *= 128;
      if (octet < 0x80) return (octet & 0x40) === 0 ? value : value - scale;
    }
    throw malformed('a number is too long');
  }

  octets(length: number): Uint8Array {
    if (length > this.left) throw malformed('it ends too early');
    const from = this.#at;
    this.#at += length;
    return this.#octets.subarray(from, this.#at);
  }

  /** Octets with their number before them. */
  counted(): Uint8Array {
    return this.octets(this.unsigned());
  }

  #next(): number {
    const octet = this.#octets[this.#at];
    if (octet === undefined) throw malformed('it ends too early');
    this.#at += 1;
    return octet;
  }
}

export function malformed(why: string): StoreError {
  return new StoreError('refused', `A message is malformed (${why}).`);
}

export function excessive(why: string): StoreError {
  return new StoreError('refused', `A message would take more than a node may ask for: ${why}.`);
}
