/**
 * Records from one DNS worker to the main thread, in shared memory, without a lock.
 *
 *     | head | tail | .... | data ............................................................ |
 *
 *     data, in units of 8 octets:
 *     | n . record of n - 1 units ... | n . record ... | 0 . too short for a record: go on at 0 |
 *       ^ tail: the reader is here                       ^ head: the writer is here
 *
 * Head and tail count units for ever, modulo 2^32; their low bits are positions. The writer alone moves the head, after
 * a record is whole, and the reader alone moves the tail, after it is done with a record: so nothing is ever read half
 * written, and a worker that ends in the middle of a record leaves none. A record is never cut in two by the end.
 */
const UNIT_OCTETS = 8;
/** Two cache lines, one for what each side writes. */
const HEADER_OCTETS = 128;
const HEADER_WORDS = HEADER_OCTETS / 4;
/** Words of the header. */
export const HEAD = 0;
export const TAIL = 16;
const GO_ON_AT_START = 0;

/** What `reserve` returns for a full ring, and `next` for an empty one. */
export const NO_RECORD = -1;

/** Shared memory for a ring; `octets` is a power of two up to 2^30, and twice what is ever reserved or more. */
export function createSampleRing(octets: number): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_OCTETS + octets);
}

/** The worker's end. A second writer may follow the first once that has ended. */
export class RingWriter {
  /** The whole memory; a record's place is an offset into them. */
  readonly octets: Uint8Array;
  readonly words: Int32Array;
  readonly #units: number;
  #head: number;
  #at = 0;
  #skipped = 0;

  constructor(memory: SharedArrayBuffer) {
    this.octets = new Uint8Array(memory);
    this.words = new Int32Array(memory);
    this.#units = unitsIn(memory);
    this.#head = Atomics.load(this.words, HEAD);
  }

  /** Offset of room for a record of up to so many octets, a multiple of 8; `NO_RECORD` where the ring is full. */
  reserve(octets: number): number {
    const wanted = 1 + Math.ceil(octets / UNIT_OCTETS);
    const at = this.#head & (this.#units - 1);
    const toEnd = this.#units - at;
    const skipped = toEnd < wanted ? toEnd : 0;
    const used = (this.#head - Atomics.load(this.words, TAIL)) | 0;
    if (used + skipped + wanted > this.#units) return NO_RECORD;
    this.#skipped = skipped;
    this.#at = skipped === 0 ? at : 0;
    if (skipped > 0) this.words[wordOf(at)] = GO_ON_AT_START;
    return HEADER_OCTETS + (this.#at + 1) * UNIT_OCTETS;
  }

  /** Hands the record over that was written where `reserve` said; `octets` at most what was reserved. */
  commit(octets: number): void {
    const units = 1 + Math.ceil(octets / UNIT_OCTETS);
    this.words[wordOf(this.#at)] = units;
    this.#head = (this.#head + this.#skipped + units) | 0;
    Atomics.store(this.words, HEAD, this.#head);
  }
}

/** The main thread's end. */
export class RingReader {
  readonly octets: Uint8Array;
  readonly words: Int32Array;
  readonly #units: number;
  #tail: number;

  constructor(memory: SharedArrayBuffer) {
    this.octets = new Uint8Array(memory);
    this.words = new Int32Array(memory);
    this.#units = unitsIn(memory);
    this.#tail = Atomics.load(this.words, TAIL);
  }

  /** Offset of the next record, which stays as it is until `release`; `NO_RECORD` where there is none. */
  next(): number {
    while (this.#tail !== Atomics.load(this.words, HEAD)) {
      const at = this.#tail & (this.#units - 1);
      const units = this.words[wordOf(at)] as number;
      this.#tail = (this.#tail + (units === GO_ON_AT_START ? this.#units - at : units)) | 0;
      if (units !== GO_ON_AT_START) return HEADER_OCTETS + (at + 1) * UNIT_OCTETS;
    }
    return NO_RECORD;
  }

  /** Gives the room of all records read so far back to the writer. */
  release(): void {
    Atomics.store(this.words, TAIL, this.#tail);
  }
}

function unitsIn(memory: SharedArrayBuffer): number {
  return (memory.byteLength - HEADER_OCTETS) / UNIT_OCTETS;
}

function wordOf(unit: number): number {
  return HEADER_WORDS + unit * (UNIT_OCTETS / 4);
}
