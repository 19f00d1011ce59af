/**
 * Cuts what a connection receives into payloads:
 *
 *   +----------------------+---------+----------------------+---------+
 *   | length (4 octets, BE)| payload | length               | payload | ...
 *   +----------------------+---------+----------------------+---------+
 *
 * Memory grows with what has arrived, never with what a length claims.
 */
export const LENGTH_OCTETS = 4;

/** Room for the start of a payload whose rest is still to come; doubles as it comes. */
const FIRST_ROOM_OCTETS = 4096;

export class PayloadReader {
  /** No payload may be longer; it may be raised once the peer is known. */
  maxOctets: number;
  #header = 0;
  #headerOctets = 0;
  #room = new Uint8Array(0);
  #filled = 0;

  constructor(maxOctets: number) {
    this.maxOctets = maxOctets;
  }

  /** Gives each whole payload, in octets of its own, until `take` says false. False: a length is out of bounds. */
  push(chunk: Uint8Array, take: (payload: Uint8Array) => boolean): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#headerOctets < LENGTH_OCTETS) {
        this.#header = this.#header * 256 + (chunk[at] ?? 0);
        this.#headerOctets += 1;
        at += 1;
        if (this.#headerOctets < LENGTH_OCTETS) continue;
        if (this.#header === 0 || this.#header > this.maxOctets) return false;
        continue;
      }
      const octets = Math.min(this.#header - this.#filled, chunk.length - at);
      const part = chunk.subarray(at, at + octets);
      at += octets;
      const payload = this.#add(part);
      if (payload !== undefined && !take(payload)) return true;
    }
    return true;
  }

  /** The whole payload, once it is. */
  #add(part: Uint8Array): Uint8Array | undefined {
    const whole = this.#filled + part.length === this.#header;
    if (whole && this.#filled === 0) {
      this.#headerOctets = 0;
      this.#header = 0;
      return Uint8Array.prototype.slice.call(part);
    }
    this.#reserve(this.#filled + part.length);
    this.#room.set(part, this.#filled);
    this.#filled += part.length;
    if (!whole) return undefined;
    const payload = this.#room.subarray(0, this.#filled);
    this.#room = new Uint8Array(0);
    this.#filled = 0;
    this.#headerOctets = 0;
    this.#header = 0;
    return payload;
  }

  #reserve(octets: number): void {
    if (octets <= this.#room.length) return;
    const wanted = Math.max(octets, this.#room.length * 2, FIRST_ROOM_OCTETS);
    const room = new Uint8Array(Math.min(wanted, this.#header));
    room.set(this.#room.subarray(0, this.#filled));
    this.#room = room;
  }
}
