import type { SenderAddress } from '../answer/respond.ts';
import { getInt32 } from '../dns/get-integer.ts';

/**
 * How many connections each client has: an IPv4 address, or the /64 that one IPv6 client can have all of.
 *
 *     slot      0      1      2      3      4  ...       open addressing, at most half full
 *     high   | ffff | 2001 |      | ffff |      |        first 32 bits of the /64; all ones for IPv4
 *     low    | c000 | 0db8 |      | cb00 |      |        the other 32; the IPv4 address
 *     count  |   3  |   1  |   0  |   1  |   0  |        0: free, and the end of a search
 *
 * Nothing is allocated for a client.
 */
export class ClientCounts {
  readonly #high: Uint32Array;
  readonly #low: Uint32Array;
  readonly #count: Int32Array;
  readonly #mask: number;

  /** `clients`: most that are counted at the same time. */
  constructor(clients: number) {
    const slots = 2 ** Math.ceil(Math.log2(2 * clients));
    this.#high = new Uint32Array(slots);
    this.#low = new Uint32Array(slots);
    this.#count = new Int32Array(slots);
    this.#mask = slots - 1;
  }

  countOf(client: SenderAddress): number {
    return this.#count[this.#find(highOf(client), lowOf(client))] as number;
  }

  add(client: SenderAddress): void {
    const high = highOf(client);
    const low = lowOf(client);
    const slot = this.#find(high, low);
    this.#high[slot] = high;
    this.#low[slot] = low;
    this.#count[slot] = (this.#count[slot] as number) + 1;
  }

  /** Takes back one `add`. */
  remove(client: SenderAddress): void {
    const slot = this.#find(highOf(client), lowOf(client));
    const count = this.#count[slot] as number;
    if (count === 0) return;
    this.#count[slot] = count - 1;
    if (count === 1) this.#closeGap(slot);
  }

  /** The slot of this client, or the free one where it would be. */
  #find(high: number, low: number): number {
    let slot = this.#home(high, low);
    while (this.#count[slot] !== 0 && (this.#high[slot] !== high || this.#low[slot] !== low))
      slot = (slot + 1) & this.#mask;
    return slot;
  }

  /** Moves later clients of the same run back, so that no search ends at the slot that has become free. */
  #closeGap(free: number): void {
    let gap = free;
    let slot = (gap + 1) & this.#mask;
    while (this.#count[slot] !== 0) {
      const home = this.#home(this.#high[slot] as number, this.#low[slot] as number);
      if (((slot - home) & this.#mask) >= ((slot - gap) & this.#mask)) {
        this.#high[gap] = this.#high[slot] as number;
        this.#low[gap] = this.#low[slot] as number;
        this.#count[gap] = this.#count[slot] as number;
        this.#count[slot] = 0;
        gap = slot;
      }
      slot = (slot + 1) & this.#mask;
    }
  }

  #home(high: number, low: number): number {
    const mixed = Math.imul(high ^ Math.imul(low, 0x9e3779b1), 0x85ebca6b);
    return (mixed ^ (mixed >>> 15)) & this.#mask;
  }
}

/** IPv4 gets what no client's IPv6 address begins with: it would be multicast. */
function highOf({ family, octets }: SenderAddress): number {
  return family === 4 ? 0xffff_ffff : getInt32(octets, 0) >>> 0;
}

function lowOf({ family, octets }: SenderAddress): number {
  return getInt32(octets, family === 4 ? 0 : 4) >>> 0;
}
