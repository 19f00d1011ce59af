import { Backoff } from '../backoff.ts';
import type { HostResolver } from '../host-resolver.ts';
import type { TransportLimits } from '../limits.ts';
import type { PeerAddress } from '../transport.ts';

export interface DialLoopOptions {
  readonly limits: TransportLimits;
  readonly resolver: HostResolver;
  readonly addresses: () => readonly PeerAddress[];
  /** False while there is a session: then nothing is dialled. */
  readonly isWanted: () => boolean;
  /** Whether a session came of it, or is there already. Never rejects; ends when the signal is aborted. */
  readonly dial: (address: PeerAddress, signal: AbortSignal) => Promise<boolean>;
}

/** Tries to reach one peer, by all its addresses in turn, again and again with growing waits, for as long as it is wanted. */
export class DialLoop {
  readonly #options: DialLoopOptions;
  readonly #backoff: Backoff;
  readonly #stopped = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #isDialling = false;

  constructor(options: DialLoopOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.limits.firstBackoffMs, options.limits.longestBackoffMs);
  }

  /** Tries now, unless it is trying or wants nothing. */
  start(): void {
    clearTimeout(this.#timer);
    if (!this.#isDialling && !this.#stopped.signal.aborted) void this.#round();
  }

  /** Tries after the wait that is due: what follows a lost session. */
  startLater(): void {
    if (this.#stopped.signal.aborted || this.#isDialling) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.start(), this.#backoff.nextMs());
  }

  /** A session has lasted: the next loss is met without delay. */
  reset(): void {
    this.#backoff.reset();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#stopped.abort();
  }

  async #round(): Promise<void> {
    const { addresses, isWanted, resolver, dial } = this.#options;
    const { signal } = this.#stopped;
    this.#isDialling = true;
    let isReached = false;
    try {
      for (const { host, port } of addresses())
        for (const ip of await resolver.addressesOf(host)) {
          if (signal.aborted || isReached || !isWanted()) break;
          isReached = await dial({ host: ip, port }, signal);
        }
    } finally {
      this.#isDialling = false;
    }
    if (!isReached || isWanted()) this.#again();
  }

  #again(): void {
    // Without addresses the peer has to come to us; setPeers starts the loop again when there are some.
    if (this.#options.isWanted() && this.#options.addresses().length > 0) this.startLater();
  }
}
