/**
 * Response buffers of one `node:dgram` socket, used in turn.
 *
 *     [ used used used | free free free ......... ]   `rewind` begins again at the left
 *                        ^ next
 *
 * The kernel may take a response only later, and reads the buffer then. A socket's queue is first in, first out, so
 * with `queued` sends in it all slots are free but the last `queued` ones; while all are taken answers are dropped
 * instead of piling up in memory. Asking the socket costs less than a callback for each send: one that calls back
 * costs 5 % of the whole way of a query.
 */
export interface SendSlot {
  readonly buffer: Buffer;
  /** The first octets of `buffer`, at `length % VIEWS`: a new view for each send would be garbage. */
  readonly views: Uint8Array[];
}

/** Answers of a few lengths are most of them; some hundred octets each, in every slot. */
const VIEWS = 8;

export class SendSlots {
  readonly #slots: readonly SendSlot[];
  readonly #queued: () => number;
  #next = 0;
  #free: number;

  /** `queued` tells how many sends the socket has not done yet. */
  constructor(count: number, octets: number, queued: () => number) {
    this.#slots = Array.from({ length: count }, () => createSlot(octets));
    this.#queued = queued;
    this.#free = count;
  }

  /**
   * Asks the socket what is free. To be called before the answers of a batch: with nothing queued the slots that are
   * in the processor's cache come again.
   */
  rewind(): void {
    const queued = this.#queued();
    if (queued === 0) this.#next = 0;
    this.#free = this.#slots.length - queued;
  }

  /** The slot for the next answer; undefined while every slot waits for the kernel. */
  peek(): SendSlot | undefined {
    if (this.#free === 0) this.rewind();
    return this.#free > 0 ? this.#slots[this.#next] : undefined;
  }

  /** To be called when the slot of the last `peek` was sent; until then every `peek` gives the same. */
  advance(): void {
    this.#free--;
    this.#next = this.#next + 1 === this.#slots.length ? 0 : this.#next + 1;
  }
}

/** The first `length` octets of a slot. */
export function viewOf({ buffer, views }: SendSlot, length: number): Uint8Array {
  const index = length % VIEWS;
  const known = views[index];
  if (known !== undefined && known.length === length) return known;
  const view = buffer.subarray(0, length);
  views[index] = view;
  return view;
}

function createSlot(octets: number): SendSlot {
  const buffer = Buffer.alloc(octets);
  return { buffer, views: Array.from({ length: VIEWS }, () => buffer) };
}
