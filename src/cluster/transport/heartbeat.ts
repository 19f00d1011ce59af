/** Numbers in a ping; enough that none comes back while it is still awaited. */
const PING_NUMBERS = 2 ** 32;

/**
 * Whether a peer is still there, and how far away. It counts ticks and not time: when this process has been held up,
 * so have its ticks, and what the peer sent meanwhile is read before the next.
 */
export class Heartbeat {
  readonly #deadAfter: number;
  #silentTicks = 0;
  #number = 0;
  #sentAtMs = 0;
  #isAwaited = false;
  roundTripMs: number | undefined;

  constructor(deadAfterHeartbeats: number) {
    this.#deadAfter = deadAfterHeartbeats;
  }

  /** Any octet of the peer. */
  heard(): void {
    this.#silentTicks = 0;
  }

  /** The number of the ping to send now, or that the peer is dead. */
  tick(nowMs: number): number | 'dead' {
    this.#silentTicks += 1;
    if (this.#silentTicks > this.#deadAfter) return 'dead';
    this.#number = (this.#number + 1) % PING_NUMBERS;
    this.#sentAtMs = nowMs;
    this.#isAwaited = true;
    return this.#number;
  }

  /** An answer to an older ping than the last says nothing new. */
  answered(number: number, nowMs: number): void {
    if (!this.#isAwaited || number !== this.#number) return;
    this.#isAwaited = false;
    this.roundTripMs = nowMs - this.#sentAtMs;
  }
}
