import { encodeFrame } from '../frame.ts';
import type { PeerSession } from '../transport/transport.ts';
import { type LiveVerdict, MAX_LIVE_NEWS, writeLive } from './live-news.ts';
import { type Batch, batchOf, MAX_ROWS, type Outgoing } from './outbox.ts';

/** A peer that asks more often is not answered: its question costs an octet or ten, the answer megabytes. */
const ANSWER_GAP_MS = 1000;

/** What was sent to all peers together. */
export interface SentCounts {
  framesSent: number;
  octetsSent: number;
}

/**
 * One session's way out. What all peers get goes straight through; what this one missed is owed to it, newest of each.
 *
 *     frame for all --> send --- false, or something is owed ---> owed: by source
 *                                                                   |
 *                              send  <--- MAX_ROWS at a time -------'   when it came up, and when it has drained
 */
export class PeerLine {
  readonly #session: PeerSession;
  readonly #counts: SentCounts;
  /** With what changes a verdict in front. */
  readonly #first = new Set<Outgoing>();
  readonly #owed = new Set<Outgoing>();
  #live: LiveVerdict[] = [];
  #asks = false;
  #answeredAtMs = Number.NEGATIVE_INFINITY;
  #blocked = false;

  constructor(session: PeerSession, counts: SentCounts) {
    this.#session = session;
    this.#counts = counts;
  }

  /** Whether something is owed and can be sent. */
  get wantsTurn(): boolean {
    return (
      !this.#blocked && (this.#asks || this.#owed.size > 0 || this.#first.size > 0 || this.#live.length > 0)
    );
  }

  /** Asks the peer to tell everything again. */
  ask(): void {
    this.#asks = true;
  }

  /** The peer asks to be told everything again. */
  answer(sources: Iterable<Outgoing>, monotonicMs: number): void {
    if (monotonicMs - this.#answeredAtMs < ANSWER_GAP_MS) return;
    this.#answeredAtMs = monotonicMs;
    this.owe(sources);
  }

  owe(sources: Iterable<Outgoing>): void {
    for (const source of sources) {
      if (source.newest.verdict !== 'down') this.#owed.add(source);
      else {
        this.#owed.delete(source);
        this.#first.add(source);
      }
    }
  }

  /** A frame that every peer gets. */
  sendToAll(frame: Uint8Array, { about }: Batch): void {
    // What waits is older than the frame; once sent after it, it would be taken for newer.
    if (this.#blocked || this.#owed.size > 0 || this.#first.size > 0) this.owe(about);
    else if (!this.#send(frame)) this.owe(about);
  }

  sendLive(frame: Uint8Array, news: readonly LiveVerdict[]): void {
    if (!this.#blocked && this.#send(frame)) return;
    this.#live = [...this.#live, ...news].slice(-MAX_LIVE_NEWS);
  }

  /** Sends a part of what is owed. */
  takeTurn(monotonicMs: number, nowMs: number): void {
    if (this.#asks) {
      if (!this.#send(encodeFrame('observations', { kind: 'ask' }))) return;
      this.#asks = false;
    }
    const sources: Outgoing[] = [];
    for (const set of [this.#first, this.#owed])
      for (const source of set) {
        if (sources.length === MAX_ROWS) break;
        sources.push(source);
      }
    if (sources.length > 0) {
      const { value } = batchOf(sources, [], monotonicMs);
      if (!this.#send(encodeFrame('observations', value))) return;
      for (const source of sources) this.#settle(source);
    }
    if (this.#live.length > 0 && this.#send(encodeFrame('observations', writeLive(this.#live, nowMs))))
      this.#live = [];
  }

  drained(): void {
    this.#blocked = false;
  }

  /** Sources that are no more. */
  forget(sources: readonly Outgoing[]): void {
    for (const source of sources) this.#settle(source);
  }

  #settle(source: Outgoing): void {
    this.#first.delete(source);
    this.#owed.delete(source);
  }

  #send(frame: Uint8Array): boolean {
    this.#blocked = !this.#session.send(frame);
    if (this.#blocked) return false;
    this.#counts.framesSent += 1;
    this.#counts.octetsSent += frame.length;
    return true;
  }
}
