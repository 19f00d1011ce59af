import type { ClientAddress } from '../answer/respond.ts';
import { countMany, countOne } from '../observe/counters.ts';
import { formatListenAddress, type ListenAddress } from './listen-address.ts';
import {
  CONTROL_ANSWER_LENGTH,
  CONTROL_FAMILY,
  CONTROL_REQUEST_LENGTH,
  DROPPED_PORT_ZERO,
  SEND_ONLY,
  UDP_ADDRESS_OCTETS,
  UDP_CONTROL_WORDS,
  UDP_SLOT_OCTETS,
  UDP_SLOTS,
  UDP_TOTAL_WORDS,
  type UdpBatch,
} from './native-udp.ts';
import type { BatchParts, Transport } from './run-worker.ts';
import type { Sharing } from './worker-link.ts';

/** RFC 1035 section 4.1.1: nothing shorter is a message. */
const HEADER_OCTETS = 12;

/**
 * How long a batch call waits for queries. A wake ends it at once; this is the net for a thread that is being stopped
 * by force, which cannot happen inside a call.
 */
const WAIT_MS = 100;

/** Batches that are answered when closing; what arrives meanwhile is for whoever listens next. */
const MAX_CLOSING_BATCHES = 64;

const TOTALS_AT = UDP_SLOTS * UDP_CONTROL_WORDS;

/**
 * DNS over UDP on the addon: one call per batch, each query answered in the slot in which it came.
 *
 *     exchange: send answers, receive queries -> answer slot 0, 1, 2 ... -> exchange ...
 *
 * Allocates nothing per batch. An answer leaves from the address that its query was sent to, also on a wildcard.
 */
export class UdpBatchTransport implements Transport {
  readonly #parts: BatchParts;
  readonly #batch: UdpBatch;
  readonly #control = new Int32Array(UDP_SLOTS * UDP_CONTROL_WORDS + UDP_TOTAL_WORDS);
  readonly #slots: readonly Uint8Array[];
  readonly #clients: readonly ClientAddress[];
  /** By the address with its real port. */
  readonly #descriptors = new Map<string, number>();
  #sendFailures = 0;
  #segmentedSends = 0;

  constructor(parts: BatchParts) {
    this.#parts = parts;
    const slab = new Uint8Array(UDP_SLOTS * UDP_SLOT_OCTETS);
    const addresses = new Uint8Array(UDP_SLOTS * UDP_ADDRESS_OCTETS);
    this.#slots = Array.from({ length: UDP_SLOTS }, (_, slot) =>
      slab.subarray(slot * UDP_SLOT_OCTETS, (slot + 1) * UDP_SLOT_OCTETS),
    );
    this.#clients = Array.from({ length: UDP_SLOTS }, (_, slot) => ({
      family: 4,
      octets: addresses.subarray(slot * UDP_ADDRESS_OCTETS, (slot + 1) * UDP_ADDRESS_OCTETS),
    }));
    this.#batch = parts.native.createUdpBatch(slab, this.#control, addresses, parts.wake);
  }

  async listen(address: ListenAddress, sharing: Sharing): Promise<number> {
    const { native, limits } = this.#parts;
    const alone = sharing === 'alone' ? 1 : 0;
    const descriptor = native.openUdp(address.address, address.port, limits.udpReceiveBufferOctets, alone);
    const port = native.socketPort(descriptor);
    native.addUdpSocket(this.#batch, descriptor);
    this.#descriptors.set(formatListenAddress({ address: address.address, port }), descriptor);
    return port;
  }

  async release(address: ListenAddress): Promise<void> {
    const key = formatListenAddress(address);
    const descriptor = this.#descriptors.get(key);
    this.#descriptors.delete(key);
    if (descriptor !== undefined) this.#parts.native.removeUdpSocket(this.#batch, descriptor);
  }

  async close(): Promise<void> {
    for (let batch = 0; batch < MAX_CLOSING_BATCHES; batch++) {
      const count = this.#answerAfterExchange(0, 0);
      if (count === 0) break;
      this.#send(count);
    }
    for (const descriptor of this.#descriptors.values())
      this.#parts.native.removeUdpSocket(this.#batch, descriptor);
    this.#descriptors.clear();
  }

  serve(): void {
    const { rung } = this.#parts;
    let count = 0;
    do count = this.#answerAfterExchange(count, WAIT_MS);
    while (count > 0 && !rung());
    // The last answers wait for no further exchange.
    if (count > 0) this.#send(count);
  }

  /** Sends the last answers and answers what comes; returns how many queries there were. */
  #answerAfterExchange(answers: number, waitMs: number): number {
    const count = this.#parts.native.exchangeUdp(this.#batch, answers, waitMs);
    for (let slot = 0; slot < count; slot++) this.#answerSlot(slot);
    this.#countTotals();
    return count;
  }

  #send(answers: number): void {
    this.#parts.native.exchangeUdp(this.#batch, answers, SEND_ONLY);
    this.#countTotals();
  }

  #answerSlot(slot: number): void {
    const { answer } = this.#parts;
    const control = this.#control;
    const at = slot * UDP_CONTROL_WORDS;
    const length = control[at + CONTROL_REQUEST_LENGTH] as number;
    if (length < HEADER_OCTETS) {
      this.#drop(length);
      return;
    }
    const octets = this.#slots[slot] as Uint8Array;
    const client = this.#clients[slot] as ClientAddress;
    client.family = control[at + CONTROL_FAMILY] === 4 ? 4 : 6;
    control[at + CONTROL_ANSWER_LENGTH] = answer(octets, length, client, 'udp', octets);
  }

  #drop(length: number): void {
    const cause = length >= 0 ? 'too-short' : length === DROPPED_PORT_ZERO ? 'source-port-zero' : 'too-long';
    countOne(this.#parts.counters, 'drops', cause);
  }

  #countTotals(): void {
    const { counters } = this.#parts;
    const failures = this.#control[TOTALS_AT] as number;
    const segmented = this.#control[TOTALS_AT + 1] as number;
    if (failures !== this.#sendFailures)
      countMany(counters, 'drops', 'send-failed', (failures - this.#sendFailures) >>> 0);
    if (segmented !== this.#segmentedSends)
      countMany(counters, 'udpSends', 'segmented', (segmented - this.#segmentedSends) >>> 0);
    this.#sendFailures = failures;
    this.#segmentedSends = segmented;
  }
}
