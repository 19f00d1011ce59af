import type { SenderAddress } from '../answer/respond.ts';
import { copyOctets } from '../dns/copy-octets.ts';
import { HEADER_LENGTH } from '../dns/query.ts';
import type { CounterLabel } from '../observe/counters.ts';
import { createSenderAddress } from './sender-address.ts';
import type { TcpLimits } from './server-limits.ts';

export const LENGTH_OCTETS = 2;
/** First room for a message that arrives in pieces; it grows with what arrives, not with what is announced. */
const FIRST_PARTIAL_OCTETS = 512;
/** Up to here a plain loop is faster than the view that `set` needs, and leaves nothing to collect. */
const LOOP_OCTETS = 256;
const NOTHING = new Uint8Array(0);

/** What the socket made of the octets given to it. */
export type Sent = 'taken' | 'waiting' | 'lost';

/** The way out of all sessions of one transport. */
export interface TcpOutlet {
  /**
   * Sends octets of the desk's output from `start` to its `at`, and moves `at` on as it likes. `more`: the same
   * session has further answers now and goes by the outcome; else `waiting` may also be told later.
   */
  send(connection: number, start: number, rest: 'more' | 'last'): Sent;
  /** Ends our side once everything is sent; the client's octets still come. */
  end(connection: number): void;
}

/** What the sessions of one transport share; every step runs to its end within one event. */
export interface TcpDesk {
  readonly limits: TcpLimits;
  /** Holds one query, then the answer to it in the same place. */
  readonly message: Uint8Array;
  /** Framed answers, from wherever the transport begins; needs room for a message behind every `send`. */
  readonly output: Uint8Array;
  /** End of the answers gathered so far. */
  at: number;
  /** Answers the query in `message` in place; see `Answerer.answer`. */
  readonly answer: (requestLength: number, client: SenderAddress) => number;
  readonly outlet: TcpOutlet;
  /** A message of this connection is here whole. */
  readonly onMessage: (connection: number) => void;
  readonly onBadFrame: () => void;
}

/** Which limit a session has run into, if any, as the counters name it. */
export type Overdue = Extract<
  CounterLabel<'tcpEvents'>,
  'closed-idle' | 'closed-partial-message' | 'closed-slow-reader' | 'closed-lingering'
>;

/**
 * One client's connection (RFC 7766): messages with two octets of length before them, answered in order. Knows no
 * socket: octets come in by `receive` and leave by the desk's outlet.
 *
 *     input   | length message | length message | length mess        one event, any cuts
 *               answered         answered         kept in #partial until the rest arrives
 *
 *     the answers of one event are gathered in the desk's output and leave in one send; when the client does not
 *     take them, the rest of the input is held in #held, and goes on when they are gone
 *
 * States: `closed`, the number is free; `open`; `ending`, our side is ended and what comes is thrown away until the
 * client ends his, too: closing on octets that nobody has read would be a reset, and could cost the client answers.
 */
export class TcpSession {
  readonly connection: number;
  readonly client: SenderAddress = createSenderAddress();
  readonly #desk: TcpDesk;
  #state: 'closed' | 'open' | 'ending' = 'closed';
  #partial: Uint8Array = NOTHING;
  #partialLength = 0;
  #held: Uint8Array = NOTHING;
  /** When the first octet of the message in `#partial` arrived. */
  #partialSinceMs = 0;
  /** When it last brought a whole message; at first, when it was opened. */
  #usedAtMs = 0;
  /** Since when the client has left answers waiting, while it does. */
  #waitingSinceMs = 0;
  #waiting = false;
  /** To be ended as soon as what is held is answered. */
  #endsSoon = false;
  /** Where the answers of the event at hand begin. */
  #outputStart = 0;

  constructor(connection: number, desk: TcpDesk) {
    this.connection = connection;
    this.#desk = desk;
  }

  get state(): 'closed' | 'open' | 'ending' {
    return this.#state;
  }

  /** Whether answers wait for the client. */
  get waiting(): boolean {
    return this.#waiting;
  }

  open(nowMs: number): void {
    this.#state = 'open';
    this.#usedAtMs = nowMs;
    this.#waiting = false;
    this.#endsSoon = false;
    this.#partialLength = 0;
  }

  /** Forgets everything but the number. */
  close(): void {
    this.#state = 'closed';
    this.#partial = NOTHING;
    this.#held = NOTHING;
  }

  /** Octets of `input` from `start` to `end` have come; they are not needed afterwards. */
  receive(input: Uint8Array, start: number, end: number, nowMs: number): void {
    if (this.#state !== 'open') return;
    if (this.#waiting || this.#held.length > 0) this.#hold(input, start, end);
    else this.#consume(input, start, end, nowMs);
  }

  /** The client leaves answers waiting. */
  wait(nowMs: number): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.#waitingSinceMs = nowMs;
  }

  /** The client has taken all that waited. */
  drained(nowMs: number): void {
    this.#waiting = false;
    this.#usedAtMs = nowMs;
    // The wait was ours, not the client's.
    this.#partialSinceMs = nowMs;
    const held = this.#held;
    this.#held = NOTHING;
    if (this.#state === 'open' && held.length > 0) this.#consume(held, 0, held.length, nowMs);
    if (this.#endsSoon && this.#held.length === 0) this.end(nowMs);
  }

  /** Ends our side after the answers to what has come. */
  end(nowMs: number): void {
    if (this.#state !== 'open') return;
    if (this.#held.length > 0) {
      this.#endsSoon = true;
      return;
    }
    this.#state = 'ending';
    this.#usedAtMs = nowMs;
    this.#desk.outlet.end(this.connection);
  }

  /** The limit in time that it has run into by now. */
  overdue(nowMs: number): Overdue | undefined {
    const { limits } = this.#desk;
    if (this.#waiting)
      return nowMs - this.#waitingSinceMs >= limits.slowReaderMs ? 'closed-slow-reader' : undefined;
    if (this.#state === 'ending')
      return nowMs - this.#usedAtMs >= limits.lingerMs ? 'closed-lingering' : undefined;
    if (this.#partialLength > 0 && nowMs - this.#partialSinceMs >= limits.partialMessageMs)
      return 'closed-partial-message';
    return nowMs - this.#usedAtMs >= limits.idleMs ? 'closed-idle' : undefined;
  }

  /** Answers every whole message, as long as the client takes the answers. */
  #consume(input: Uint8Array, start: number, end: number, nowMs: number): void {
    const desk = this.#desk;
    let at = start;
    this.#outputStart = desk.at;
    while (at < end && this.#state === 'open' && !this.#waiting) {
      const next = this.#partialLength === 0 ? this.#takeWhole(input, at, end, nowMs) : at;
      at = next === at ? this.#gather(input, at, end, nowMs) : next;
    }
    if (desk.at > this.#outputStart) this.#send('last', nowMs);
    if (this.#waiting && at < end && this.#state === 'open') this.#hold(input, at, end);
  }

  #hold(input: Uint8Array, start: number, end: number): void {
    const before = this.#held.length;
    const held = new Uint8Array(before + end - start);
    held.set(this.#held);
    copyPiece(input, start, held, before, end - start);
    this.#held = held;
  }

  /** Answers the message at `at` if all of it is there; returns where the next one begins, else `at`. */
  #takeWhole(input: Uint8Array, at: number, end: number, nowMs: number): number {
    const available = end - at - LENGTH_OCTETS;
    if (available < 0) return at;
    const length = lengthAt(input, at);
    if (length < HEADER_LENGTH) {
      this.#refuseFrame(nowMs);
      return end;
    }
    if (available < length) return at;
    this.#answer(input, at + LENGTH_OCTETS, length, nowMs);
    return at + LENGTH_OCTETS + length;
  }

  /** Moves octets of a message that arrives in pieces into `#partial`; answers it when it is whole. */
  #gather(input: Uint8Array, at: number, end: number, nowMs: number): number {
    if (this.#partialLength === 0) this.#partialSinceMs = nowMs;
    const lengthKnown = this.#partialLength >= LENGTH_OCTETS;
    const wanted = LENGTH_OCTETS + (lengthKnown ? lengthAt(this.#partial, 0) : 0);
    const taken = Math.min(wanted - this.#partialLength, end - at);
    this.#reserve(this.#partialLength + taken);
    copyPiece(input, at, this.#partial, this.#partialLength, taken);
    this.#partialLength += taken;
    if (this.#partialLength === wanted && lengthKnown) {
      const partial = this.#partial;
      this.#partialLength = 0;
      // Most connections never need this room again.
      this.#partial = NOTHING;
      this.#answer(partial, LENGTH_OCTETS, wanted - LENGTH_OCTETS, nowMs);
    } else if (this.#partialLength === LENGTH_OCTETS && lengthAt(this.#partial, 0) < HEADER_LENGTH) {
      this.#refuseFrame(nowMs);
    }
    return at + taken;
  }

  #reserve(octets: number): void {
    if (this.#partial.length >= octets) return;
    const grown = new Uint8Array(Math.max(FIRST_PARTIAL_OCTETS, 2 * this.#partial.length, octets));
    grown.set(this.#partial.subarray(0, this.#partialLength));
    this.#partial = grown;
  }

  #answer(input: Uint8Array, at: number, length: number, nowMs: number): void {
    const desk = this.#desk;
    const { message, output } = desk;
    copyPiece(input, at, message, 0, length);
    this.#usedAtMs = nowMs;
    desk.onMessage(this.connection);
    const answerLength = desk.answer(length, this.client);
    if (answerLength === 0) return;
    output[desk.at] = answerLength >> 8;
    output[desk.at + 1] = answerLength & 0xff;
    copyPiece(message, 0, output, desk.at + LENGTH_OCTETS, answerLength);
    desk.at += LENGTH_OCTETS + answerLength;
    if (desk.at - this.#outputStart >= desk.limits.waitingAnswerOctets) this.#send('more', nowMs);
  }

  #send(rest: 'more' | 'last', nowMs: number): void {
    const sent = this.#desk.outlet.send(this.connection, this.#outputStart, rest);
    this.#outputStart = this.#desk.at;
    if (sent === 'waiting') this.wait(nowMs);
    // Nothing that comes matters any more; the socket says by itself that it is gone.
    else if (sent === 'lost') this.#state = 'ending';
  }

  /** A length that no message has: what follows cannot be trusted, so what is answered goes out and that is all. */
  #refuseFrame(nowMs: number): void {
    const desk = this.#desk;
    desk.onBadFrame();
    if (desk.at > this.#outputStart) this.#send('last', nowMs);
    this.#held = NOTHING;
    this.end(nowMs);
  }
}

function lengthAt(octets: Uint8Array, at: number): number {
  return ((octets[at] as number) << 8) | (octets[at + 1] as number);
}

function copyPiece(from: Uint8Array, start: number, to: Uint8Array, at: number, length: number): void {
  if (length > LOOP_OCTETS) to.set(from.subarray(start, start + length), at);
  else copyOctets(from, start, to, at, length);
}
