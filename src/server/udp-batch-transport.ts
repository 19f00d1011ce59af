import type { SenderAddress } from '../answer/respond.ts';
import { HEADER_LENGTH } from '../dns/query.ts';
import { type CounterLabel, countMany, countOne } from '../observe/counters.ts';
import { formatListenAddress, type ListenAddress } from './listen-address.ts';
import {
  CONTROL_ANSWER_LENGTH,
  CONTROL_FAMILY,
  CONTROL_PORT,
  CONTROL_REQUEST_LENGTH,
  DROPPED_PORT_ZERO,
  DROPPED_TOO_LONG,
  SEND_ONLY,
  TOTAL_QUEUE_OVERFLOWS,
  TOTAL_SEGMENTED_SENDS,
  TOTAL_SEND_FAILURES,
  UDP_ADDRESS_OCTETS,
  UDP_CONTROL_WORDS,
  UDP_SLOT_OCTETS,
  UDP_SLOTS,
  UDP_TOTAL_WORDS,
  type UdpBatch,
} from './native-udp.ts';
import type { BatchParts, SocketServer } from './run-worker.ts';
import type { Sharing } from './worker-link.ts';

/**
 * How long a batch call waits for queries. A wake ends it at once; this is the net for a thread that is being stopped
 * by force, which cannot happen inside a call.
 */
const WAIT_MS = 250;

/** When closing: what was on its way is here when nothing has come for so long, twice; a wake may end it once. */
const QUIET_MS = 10;
const QUIET_WAITS = 2;
/** Batches that are answered when closing; where queries go on coming, they are for whoever listens next. */
const MAX_CLOSING_BATCHES = 64;

const TOTALS_AT = UDP_SLOTS * UDP_CONTROL_WORDS;

/**
 * DNS over UDP on the addon: one call per batch, each query answered in the slot in which it came.
 *
 *     exchange: send answers, receive queries -> answer slot 0, 1, 2 ... -> exchange ...
 *
 * Allocates nothing per batch. An answer leaves from the address that its query was sent to, also on a wildcard.
 */
export class UdpBatchTransport implements SocketServer {
  readonly #parts: BatchParts;
  readonly #batch: UdpBatch;
  readonly #control = new Int32Array(UDP_SLOTS * UDP_CONTROL_WORDS + UDP_TOTAL_WORDS);
  readonly #slots: readonly Uint8Array[];
  readonly #clients: readonly SenderAddress[];
  /** By the address with its real port. */
  readonly #descriptors = new Map<string, number>();
  /** Totals as they were when they were last counted. */
  #sendFailures = 0;
  #segmentedSends = 0;
  #queueOverflows = 0;

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
      port: 0,
    }));
    this.#batch = parts.native.createUdpBatch(slab, this.#control, addresses, parts.wake);
  }

  async listen({ address, port }: ListenAddress, sharing: Sharing): Promise<number> {
    const { native, limits } = this.#parts;
    const { udpReceiveBufferOctets, udpSendBufferOctets } = limits;
    const alone = sharing === 'alone' ? 1 : 0;
    const descriptor = native.openUdp(address, port, udpReceiveBufferOctets, udpSendBufferOctets, alone);
    return this.adopt({ address, port }, descriptor);
  }

  adopt({ address }: ListenAddress, descriptor: number): number {
    const { native } = this.#parts;
    const port = native.socketPort(descriptor);
    native.addUdpSocket(this.#batch, descriptor);
    this.#descriptors.set(formatListenAddress({ address, port }), descriptor);
    return port;
  }

  async release(address: ListenAddress): Promise<void> {
    const key = formatListenAddress(address);
    const descriptor = this.#descriptors.get(key);
    this.#descriptors.delete(key);
    if (descriptor !== undefined) this.#parts.native.removeUdpSocket(this.#batch, descriptor);
  }

  async close(): Promise<void> {
    let count = 0;
    let quiet = 0;
    for (let batch = 0; batch < MAX_CLOSING_BATCHES && quiet < QUIET_WAITS; batch++) {
      count = this.#answerAfterExchange(count, QUIET_MS);
      quiet = count === 0 ? quiet + 1 : 0;
    }
    this.#send(count);
    for (const descriptor of this.#descriptors.values())
      this.#parts.native.removeUdpSocket(this.#batch, descriptor);
    this.#descriptors.clear();
  }

  serve(): void {
    const { rung } = this.#parts;
    let count = 0;
    while (!rung()) {
      count = this.#answerAfterExchange(count, WAIT_MS);
      if (count === 0) return;
    }
    // The last answers wait for no further exchange.
    this.#send(count);
  }

  /** Sends the last answers and answers what comes; returns how many queries there were. */
  #answerAfterExchange(answers: number, waitMs: number): number {
    const count = this.#parts.native.exchangeUdp(this.#batch, answers, waitMs);
    if (count > 0) this.#parts.tick();
    for (let slot = 0; slot < count; slot++) this.#answerSlot(slot);
    this.#countTotals();
    this.#parts.precedence.exchanged();
    return count;
  }

  #send(answers: number): void {
    if (answers === 0) return;
    this.#parts.native.exchangeUdp(this.#batch, answers, SEND_ONLY);
    this.#countTotals();
  }

  #answerSlot(slot: number): void {
    const { answer } = this.#parts;
    const control = this.#control;
    const at = slot * UDP_CONTROL_WORDS;
    const length = control[at + CONTROL_REQUEST_LENGTH] as number;
    if (length < HEADER_LENGTH) {
      this.#drop(length);
      return;
    }
    const octets = this.#slots[slot] as Uint8Array;
    const client = this.#clients[slot] as SenderAddress;
    client.family = control[at + CONTROL_FAMILY] === 4 ? 4 : 6;
    client.port = control[at + CONTROL_PORT] as number;
    control[at + CONTROL_ANSWER_LENGTH] = answer(octets, length, client, 'udp', octets);
  }

  #drop(length: number): void {
    countOne(this.#parts.counters, 'drops', dropCause(length));
  }

  #countTotals(): void {
    const failures = this.#control[TOTALS_AT + TOTAL_SEND_FAILURES] as number;
    const segmented = this.#control[TOTALS_AT + TOTAL_SEGMENTED_SENDS] as number;
    const overflows = this.#control[TOTALS_AT + TOTAL_QUEUE_OVERFLOWS] as number;
    if (failures !== this.#sendFailures || overflows !== this.#queueOverflows)
      this.#countLosses(failures, overflows);
    if (segmented === this.#segmentedSends) return;
    const more = (segmented - this.#segmentedSends) >>> 0;
    countMany(this.#parts.counters, 'udpSends', 'segmented', more);
    this.#segmentedSends = segmented;
  }

  #countLosses(failures: number, overflows: number): void {
    const { counters } = this.#parts;
    countMany(counters, 'drops', 'send-failed', (failures - this.#sendFailures) >>> 0);
    countMany(counters, 'drops', 'receive-queue-full', (overflows - this.#queueOverflows) >>> 0);
    this.#sendFailures = failures;
    this.#queueOverflows = overflows;
  }
}

/** Why a request of that length, or what the addon put in its place, is not answered. */
function dropCause(length: number): CounterLabel<'drops'> {
  switch (length) {
    case DROPPED_PORT_ZERO:
      return 'source-port-zero';
    case DROPPED_TOO_LONG:
      return 'too-long';
    default:
      return 'too-short';
  }
}
