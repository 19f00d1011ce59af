/** Slots of a batch: enough that the cost of a call is spread thin, few enough to stay in the processor's cache. */
export const UDP_SLOTS = 128;
/** Room for a query, and for its answer in the same place; the addon's `SLOT_OCTETS`. */
export const UDP_SLOT_OCTETS = 2112;
export const UDP_ADDRESS_OCTETS = 16;

/*
 * One slot in the control words, as the addon has it:
 *
 *     [ octets of the query, below 0 for none ] [ octets of the answer, 0 for none ] [ family: 4, 6 ] [ client's port ]
 */
export const UDP_CONTROL_WORDS = 4;
export const CONTROL_REQUEST_LENGTH = 0;
export const CONTROL_ANSWER_LENGTH = 1;
export const CONTROL_FAMILY = 2;
export const CONTROL_PORT = 3;

/*
 * Behind the last slot, each since the batch was made, in 32 bits that wrap: answers that the kernel did not take, sends
 * of several answers at once, and queries that the kernel had no room for.
 */
export const UDP_TOTAL_WORDS = 3;
export const TOTAL_SEND_FAILURES = 0;
export const TOTAL_SEGMENTED_SENDS = 1;
export const TOTAL_QUEUE_OVERFLOWS = 2;

/** In place of a query's length: it came from port 0, to which nothing can be sent. */
export const DROPPED_PORT_ZERO = -1;
/** It did not fit into its slot. */
export const DROPPED_TOO_LONG = -2;

/** `timeoutMs` of an exchange that only sends. */
export const SEND_ONLY = -1;

/** Opaque: the sockets of one thread and the state of its batch. */
export interface UdpBatch {
  readonly udpBatch: never;
}

/** The addon's part in `native/udp.c`. */
export interface NativeUdp {
  /**
   * A bound socket, port 0 for any free one. `alone` is 1 where it must be the only socket on its address and port,
   * 0 where others of ours may be there already. Errors: EADDRINUSE, EADDRNOTAVAIL, EACCES and the like.
   */
  openUdp(
    address: string,
    port: number,
    receiveBufferOctets: number,
    sendBufferOctets: number,
    alone: 0 | 1,
  ): number;
  /** Makes a bound socket that came from elsewhere what `openUdp` would have made. */
  tuneUdp(descriptor: number, receiveBufferOctets: number, sendBufferOctets: number): void;
  createUdpBatch(slab: Uint8Array, control: Int32Array, addresses: Uint8Array, wake: number): UdpBatch;
  /** The descriptor belongs to the batch from now on. */
  addUdpSocket(batch: UdpBatch, descriptor: number): void;
  /** Closes it, too. Answers that were not exchanged yet are lost. */
  removeUdpSocket(batch: UdpBatch, descriptor: number): void;
  /**
   * Sends the answers of the first `answers` slots of the last batch, then waits up to `timeoutMs` for queries and
   * receives the next batch. Returns how many slots it has; 0 after the time, a wake, or without waiting for
   * `SEND_ONLY`. With 0 milliseconds it does not wait.
   */
  exchangeUdp(batch: UdpBatch, answers: number, timeoutMs: number): number;
}
