/**
 * The search tree of a MaxMind-format file: one node per bit of an address, two records each.
 *
 *     24 bits   [ left: 3 octets ][ right: 3 ]
 *     28 bits   [ left: 3 octets ][ left's highest 4 bits | right's ][ right: 3 ]
 *     32 bits   [ left: 4 octets ][ right: 4 ]
 */
export class MmdbTree {
  readonly nodeCount: number;
  readonly #bytes: Uint8Array;
  readonly #recordSize: number;
  readonly #nodeOctets: number;

  /** Record sizes are 24, 28 and 32 bits; the octets hold the whole tree. */
  constructor(bytes: Uint8Array, nodeCount: number, recordSize: number) {
    this.#bytes = bytes;
    this.nodeCount = nodeCount;
    this.#recordSize = recordSize;
    this.#nodeOctets = recordSize / 4;
  }

  left(node: number): number {
    const at = node * this.#nodeOctets;
    if (this.#recordSize === 28) return ((this.#octet(at + 3) & 0xf0) << 20) | this.#three(at);
    if (this.#recordSize === 24) return this.#three(at);
    return this.#octet(at) * 2 ** 24 + this.#three(at + 1);
  }

  right(node: number): number {
    const at = node * this.#nodeOctets;
    if (this.#recordSize === 28) return ((this.#octet(at + 3) & 0x0f) << 24) | this.#three(at + 4);
    if (this.#recordSize === 24) return this.#three(at + 3);
    return this.#octet(at + 4) * 2 ** 24 + this.#three(at + 5);
  }

  #three(at: number): number {
    return (this.#octet(at) << 16) | (this.#octet(at + 1) << 8) | this.#octet(at + 2);
  }

  #octet(at: number): number {
    return this.#bytes[at] as number;
  }
}
