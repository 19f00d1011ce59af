import type { Logger } from '../../observe/log.ts';
import { type RefusalReason, refusalReasons, type TransportCounters } from './transport.ts';

/** Lines about refusals in one period. Who is refused can try as often as it likes; the log must not grow with it. */
const MAX_REFUSAL_LINES = 20;
const REFUSAL_PERIOD_MS = 60_000;

/** Counts what a transport does, and says in the log who was refused. */
export class Tally {
  sessionsOpened = 0;
  sessionsClosed = 0;
  reconnects = 0;
  failedDials = 0;
  framesSent = 0;
  framesReceived = 0;
  octetsSent = 0;
  octetsReceived = 0;
  readonly #log: Logger;
  readonly #refused = new Map<RefusalReason, number>();
  #periodStartMs = 0;
  #lines = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  refuse(reason: RefusalReason, from: string, detail: string): void {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
    const nowMs = Date.now();
    if (nowMs - this.#periodStartMs > REFUSAL_PERIOD_MS) {
      this.#periodStartMs = nowMs;
      this.#lines = 0;
    }
    this.#lines += 1;
    if (this.#lines > MAX_REFUSAL_LINES) return;
    this.#log.warn({ reason, from, detail }, 'refused a peer');
    if (this.#lines === MAX_REFUSAL_LINES)
      this.#log.warn('more refused peers in this minute are only counted');
  }

  counters(): TransportCounters {
    const refused = Object.fromEntries(
      refusalReasons.map((reason) => [reason, this.#refused.get(reason) ?? 0]),
    ) as Record<RefusalReason, number>;
    return {
      sessionsOpened: this.sessionsOpened,
      sessionsClosed: this.sessionsClosed,
      reconnects: this.reconnects,
      failedDials: this.failedDials,
      refused,
      framesSent: this.framesSent,
      framesReceived: this.framesReceived,
      octetsSent: this.octetsSent,
      octetsReceived: this.octetsReceived,
    };
  }
}
