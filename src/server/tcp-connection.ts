import type { Socket } from 'node:net';
import type { ClientAddress } from '../answer/respond.ts';
import type { CounterLabel } from '../observe/counters.ts';
import type { TcpLimits } from './server-limits.ts';

/** The largest message that two octets can announce (RFC 1035 section 4.2.2). */
const MAX_MESSAGE_OCTETS = 65_535;
const LENGTH_OCTETS = 2;
/** RFC 1035 section 4.1.1: nothing shorter is a message. */
const HEADER_OCTETS = 12;
/** First room for a message that arrives in pieces; it grows with what arrives, not with what is announced. */
const FIRST_PARTIAL_OCTETS = 512;
/** Answers of one data event leave in writes of at most this size. */
const WRITE_OCTETS = 2 * (LENGTH_OCTETS + MAX_MESSAGE_OCTETS);

/** Buffers of one worker, used by one connection at a time: every step runs to its end within one event. */
export interface TcpDesk {
  readonly request: Buffer;
  readonly response: Buffer;
  readonly output: Buffer;
  /** Answers `request` into `response`; see `Answerer.answer`. */
  readonly answer: (requestLength: number, client: ClientAddress) => number;
  /** Milliseconds on a clock that never goes back. */
  readonly nowMs: () => number;
}

export function createTcpDesk(
  answer: (request: Uint8Array, requestLength: number, client: ClientAddress, response: Uint8Array) => number,
  nowMs: () => number,
): TcpDesk {
  const request = Buffer.alloc(MAX_MESSAGE_OCTETS);
  const response = Buffer.alloc(MAX_MESSAGE_OCTETS);
  return {
    request,
    response,
    output: Buffer.alloc(WRITE_OCTETS),
    answer: (requestLength, client) => answer(request, requestLength, client, response),
    nowMs,
  };
}

/** Which limit a connection has run into, if any, as the counters name it. */
export type Overdue = Extract<
  CounterLabel<'tcpEvents'>,
  'closed-idle' | 'closed-partial-message' | 'closed-slow-reader'
>;

/**
 * One client's connection (RFC 7766): messages with two octets of length before them, answered in order.
 *
 *     chunk   | length message | length message | length mess        one data event, any cuts
 *               answered         answered         kept in #partial until the rest arrives
 *
 *     answers of one event are gathered in the desk's output and leave in one write; when the client does not
 *     take them, the rest of the chunk is held in #held and nothing more is read until the socket has drained
 */
export class TcpConnection {
  readonly client: ClientAddress;
  readonly #socket: Socket;
  readonly #limits: TcpLimits;
  readonly #desk: TcpDesk;
  readonly #onBadFrame: () => void;
  #partial: Buffer = Buffer.alloc(0);
  #partialLength = 0;
  #held: Buffer | undefined;
  #heldAt = 0;
  #outputLength = 0;
  /** Whether the data event at hand brought a whole message. */
  #answered = false;
  #halfClosed = false;
  #ending = false;
  #usedAtMs: number;
  /** When the first octet of the message in `#partial` arrived. */
  #partialSinceMs = 0;
  /** Since when the client has left answers waiting; undefined while it keeps up. */
  #stalledSinceMs: number | undefined;

  constructor(
    socket: Socket,
    client: ClientAddress,
    limits: TcpLimits,
    desk: TcpDesk,
    onBadFrame: () => void,
  ) {
    this.client = client;
    this.#socket = socket;
    this.#limits = limits;
    this.#desk = desk;
    this.#onBadFrame = onBadFrame;
    this.#usedAtMs = desk.nowMs();
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('drain', () => this.#drained());
    socket.on('end', () => this.#clientEnded());
  }

  /** When it last brought a query. */
  get usedAtMs(): number {
    return this.#usedAtMs;
  }

  /** Nothing of a message has arrived and no answer waits. */
  get idle(): boolean {
    return this.#partialLength === 0 && this.#stalledSinceMs === undefined && this.#held === undefined;
  }

  /** The limit in time that it has run into by now. */
  overdue(nowMs: number): Overdue | undefined {
    if (this.#stalledSinceMs !== undefined)
      return nowMs - this.#stalledSinceMs >= this.#limits.slowReaderMs ? 'closed-slow-reader' : undefined;
    if (this.#partialLength > 0 && nowMs - this.#partialSinceMs >= this.#limits.partialMessageMs)
      return 'closed-partial-message';
    return nowMs - this.#usedAtMs >= this.#limits.idleMs ? 'closed-idle' : undefined;
  }

  /** Closes once the answers that wait are sent. */
  end(): void {
    this.#ending = true;
    this.#held = undefined;
    this.#socket.destroySoon();
  }

  /** Closes at once. */
  destroy(): void {
    this.#ending = true;
    this.#held = undefined;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    // Bytes may still come after a frame that closed the connection.
    if (this.#ending) return;
    this.#consume(chunk, 0);
  }

  #drained(): void {
    this.#stalledSinceMs = undefined;
    const now = this.#desk.nowMs();
    this.#usedAtMs = now;
    // The wait was ours, not the client's.
    this.#partialSinceMs = now;
    const held = this.#held;
    if (held === undefined || this.#ending) return;
    this.#held = undefined;
    this.#consume(held, this.#heldAt);
    if (this.#held === undefined && !this.#ending) this.#socket.resume();
  }

  #clientEnded(): void {
    this.#halfClosed = true;
    if (this.#held === undefined) this.end();
  }

  /** Answers every whole message from `start` on, as long as the client takes the answers. */
  #consume(chunk: Buffer, start: number): void {
    let at = start;
    this.#answered = false;
    while (at < chunk.length && !this.#ending && this.#stalledSinceMs === undefined) {
      const next = this.#partialLength === 0 ? this.#takeWhole(chunk, at) : at;
      at = next === at ? this.#gather(chunk, at) : next;
    }
    this.#flush();
    if (this.#answered) this.#usedAtMs = this.#desk.nowMs();
    if (this.#ending) return;
    if (this.#stalledSinceMs !== undefined) this.#hold(chunk, at);
    else if (this.#halfClosed) this.end();
  }

  /** Nothing more is read until `drain`; the rest of the chunk, if any, waits here. */
  #hold(chunk: Buffer, at: number): void {
    this.#held = chunk;
    this.#heldAt = at;
    this.#socket.pause();
  }

  /** Answers the message at `at` if all of it is in the chunk; returns where the next one begins, else `at`. */
  #takeWhole(chunk: Buffer, at: number): number {
    const available = chunk.length - at - LENGTH_OCTETS;
    if (available < 0) return at;
    const length = chunk.readUInt16BE(at);
    if (length < HEADER_OCTETS) {
      this.#refuseFrame();
      return chunk.length;
    }
    if (available < length) return at;
    this.#answer(chunk, at + LENGTH_OCTETS, length);
    return at + LENGTH_OCTETS + length;
  }

  /** Moves octets of a message that arrives in pieces into `#partial`; answers it when it is whole. */
  #gather(chunk: Buffer, at: number): number {
    if (this.#partialLength === 0) this.#partialSinceMs = this.#desk.nowMs();
    const lengthKnown = this.#partialLength >= LENGTH_OCTETS;
    const wanted = lengthKnown ? LENGTH_OCTETS + this.#partial.readUInt16BE(0) : LENGTH_OCTETS;
    const taken = Math.min(wanted - this.#partialLength, chunk.length - at);
    this.#reserve(this.#partialLength + taken);
    chunk.copy(this.#partial, this.#partialLength, at, at + taken);
    this.#partialLength += taken;
    if (this.#partialLength === wanted && lengthKnown) {
      const length = wanted - LENGTH_OCTETS;
      this.#partialLength = 0;
      this.#answer(this.#partial, LENGTH_OCTETS, length);
      // Most connections never need this room again.
      this.#partial = Buffer.alloc(0);
    } else if (this.#partialLength === LENGTH_OCTETS && this.#partial.readUInt16BE(0) < HEADER_OCTETS) {
      this.#refuseFrame();
    }
    return at + taken;
  }

  #reserve(octets: number): void {
    if (this.#partial.length >= octets) return;
    const grown = Buffer.alloc(Math.max(FIRST_PARTIAL_OCTETS, 2 * this.#partial.length, octets));
    this.#partial.copy(grown, 0, 0, this.#partialLength);
    this.#partial = grown;
  }

  #answer(source: Buffer, at: number, length: number): void {
    const { request, response, output } = this.#desk;
    source.copy(request, 0, at, at + length);
    this.#answered = true;
    const answerLength = this.#desk.answer(length, this.client);
    if (answerLength === 0) return;
    if (this.#outputLength + LENGTH_OCTETS + answerLength > output.length) this.#flush();
    output.writeUInt16BE(answerLength, this.#outputLength);
    response.copy(output, this.#outputLength + LENGTH_OCTETS, 0, answerLength);
    this.#outputLength += LENGTH_OCTETS + answerLength;
  }

  /** Writes what has been gathered; a copy, since the socket may need it after this event. */
  #flush(): void {
    if (this.#outputLength === 0) return;
    const taken = this.#socket.write(Buffer.from(this.#desk.output.subarray(0, this.#outputLength)));
    this.#outputLength = 0;
    if (!taken) this.#stalledSinceMs ??= this.#desk.nowMs();
  }

  /** A length that no message has: what follows cannot be trusted, so what is answered goes out and that is all. */
  #refuseFrame(): void {
    this.#onBadFrame();
    this.#flush();
    this.end();
  }
}
