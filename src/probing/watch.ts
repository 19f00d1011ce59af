import net from 'node:net';
import type { ProbeClock } from './clock.ts';

/**
 * An idle connection that is held open beside the probes, so that the end of its server is felt at once.
 *
 *              alive()             connected             closed, reset
 *     resting ---------> connecting ---------> open -------------------> confirming --- onLost: probes back to back
 *        ^                   | refused                                    |        |
 *        |                   v                                   alive()  |        |  failed()
 *        |                waiting <---------------------------------------'        |
 *        |                   `--- back-off is over ---> connecting                 |
 *        `-------------------------------------------------------------------------'
 *
 * Nothing is sent and nothing is concluded from it: a close is a reason to probe, and only probes have a verdict. A
 * server that closes idle connections by its own time limit costs one probe each time; one that does so early and
 * always is left alone for longer and longer.
 */
export interface Watch {
  /** What is to be told of it in evidence. */
  readonly told: string;
  /** A probe has found the endpoint well. */
  alive(): void;
  /** Probes have found that it is down. */
  failed(): void;
  close(): void;
}

export interface WatchOptions {
  readonly clock: ProbeClock;
  /** IPv4 or IPv6 address. */
  readonly address: string;
  readonly port: number;
  readonly connectTimeoutMs: number;
  /** The open connection has ended. Always followed by `alive` or `failed`. */
  readonly onLost: () => void;
}

/** Each holds a file descriptor here and at its server for good; beyond this many endpoints are probed without. */
export const MAX_WATCHES = 4096;

/** A server that was just restarted is given this long. */
const FIRST_BACKOFF_MS = 1000;

/** Closes that turn out to mean nothing before the back-off grows: a deployment or two. */
const TOLERATED_CLOSES = 3;

/** Of a server that closes idle connections early and always. */
const MAX_BACKOFF_MS = 300_000;

/** Servers close idle connections after half a minute or more; the watch is then open most of the time anyway. */
const LONG_LIFE_MS = 30_000;

/** Back-off at most for connections that live long. */
const MAX_BACKOFF_OF_LONG_LIFE_MS = 10_000;

/** A server may greet; one that goes on talking is no idle connection, and reading it is work. */
const MAX_HEARD_OCTETS = 65_536;

/** Keeps an idle connection open from the first `alive` on. */
export function createWatch(options: WatchOptions): Watch {
  return new IdleConnection(options);
}

/** What is heard is thrown away, so all watches read into the same octets. */
const heard = Buffer.alloc(16_384);

class IdleConnection implements Watch {
  readonly #options: WatchOptions;
  #state: 'resting' | 'connecting' | 'open' | 'confirming' | 'waiting' | 'closed' = 'resting';
  #socket: net.Socket | undefined;
  #cancelTimer: () => void = () => undefined;
  #openedMs = 0;
  #livedMs = 0;
  /** Closes and refusals in a row that the endpoint's probes knew nothing of. */
  #misses = 0;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  get told(): string {
    switch (this.#state) {
      case 'open':
      case 'connecting':
        return this.#state;
      case 'waiting': {
        const seconds = Math.round(this.#backoffMs() / 1000);
        return `closed ${this.#misses} times while probes succeeded; opened again after ${seconds} s`;
      }
      case 'confirming':
        return 'lost; probes follow at once';
      default:
        return 'opened when probes succeed';
    }
  }

  alive(): void {
    if (this.#state === 'resting') this.#connect();
    else if (this.#state === 'confirming') this.#wait();
  }

  failed(): void {
    if (this.#state !== 'confirming') return;
    this.#misses = 0;
    this.#state = 'resting';
  }

  close(): void {
    this.#state = 'closed';
    this.#cancelTimer();
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #connect(): void {
    const { address, port, clock, connectTimeoutMs } = this.#options;
    this.#state = 'connecting';
    let heardOctets = 0;
    const socket = net.connect({
      host: address,
      port,
      onread: {
        buffer: heard,
        callback: (octets) => {
          heardOctets += octets;
          if (heardOctets > MAX_HEARD_OCTETS) socket.destroy();
          return true;
        },
      },
    });
    this.#socket = socket;
    this.#cancelTimer = clock.setTimer(connectTimeoutMs, () => socket.destroy());
    socket.once('connect', () => {
      if (this.#socket !== socket) return;
      this.#cancelTimer();
      this.#state = 'open';
      this.#openedMs = clock.nowMs();
    });
    // An error is always followed by the close.
    socket.on('error', () => undefined);
    const onEnd = (): void => this.#lose(socket);
    socket.once('end', onEnd);
    socket.once('close', onEnd);
  }

  #lose(socket: net.Socket): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    this.#cancelTimer();
    socket.destroy();
    if (this.#state === 'open') {
      this.#livedMs = this.#options.clock.nowMs() - this.#openedMs;
      this.#state = 'confirming';
      this.#options.onLost();
    } else if (this.#state === 'connecting') {
      this.#livedMs = 0;
      this.#wait();
    }
  }

  #wait(): void {
    this.#misses += 1;
    this.#state = 'waiting';
    this.#cancelTimer = this.#options.clock.setTimer(this.#backoffMs(), () => this.#connect());
  }

  #backoffMs(): number {
    const doublings = Math.max(0, this.#misses - TOLERATED_CLOSES);
    const most = this.#livedMs >= LONG_LIFE_MS ? MAX_BACKOFF_OF_LONG_LIFE_MS : MAX_BACKOFF_MS;
    return Math.min(most, FIRST_BACKOFF_MS * 2 ** doublings);
  }
}
