import { countOne } from '../observe/counters.ts';
import { formatListenAddress, type ListenAddress } from './listen-address.ts';
import {
  COMMAND_ACCEPT,
  COMMAND_CLOSE,
  COMMAND_END,
  COMMAND_RESET,
  COMMAND_SEND,
  COMMANDS_ONLY,
  EVENT_ACCEPTED,
  EVENT_BLOCKED,
  EVENT_DRAINED,
  EVENT_ENDED,
  EVENT_EXHAUSTED,
  EVENT_FAILED,
  EVENT_RECEIVED,
  SEND_BLOCKED,
  SEND_TAKEN,
  TCP_CLIENT_OCTETS,
  TCP_COMMAND_WORDS,
  TCP_EVENT_WORDS,
  type TcpLoop,
} from './native-tcp.ts';
import type { BatchParts, SocketServer } from './run-worker.ts';
import { TCP_BACKLOG } from './server-limits.ts';
import type { Sent } from './tcp-session.ts';
import { eventOutputOctets, TcpSessions } from './tcp-sessions.ts';
import type { Sharing } from './worker-link.ts';

/** As many as two listeners' turns may accept before those that have to go for them are closed: 64 of each. */
const SPARE_CONNECTIONS = 128;
/** A few reads of 64 kB, or hundreds of small ones; stays in the processor's cache. */
const INPUT_OCTETS = 256 * 1024;
/** Answers of a turn that are sent together at its end; beyond that they leave one by one. */
const OUTPUT_OCTETS = 512 * 1024;
/** In a turn a connection may be sent to, ended and closed. */
const COMMANDS_PER_CONNECTION = 4;
/** In a turn a connection may come up, be told of twice, and bring a piece. */
const EVENTS_PER_CONNECTION = 4;

/**
 * How long an exchange waits for something to happen. A wake ends it at once; this is the net for a thread that is
 * being stopped by force, which cannot happen inside a call.
 */
const WAIT_MS = 250;
/** While closing, so that the thread's other work gets its turn. */
const CLOSING_WAIT_MS = 5;
/** Turns for what had arrived when closing began; a client that goes on sending is not waited for. */
const MAX_CLOSING_TURNS = 64;
/** Out of descriptors: they come back when connections end, here or in other parts of the process. */
const ACCEPT_AGAIN_MS = 100;
/**
 * A client sends its query right behind the handshake; one that has nothing to say for so long is accepted all the
 * same, and then bounded by the time for idle connections.
 */
const DEFER_ACCEPT_SECONDS = 3;

/**
 * DNS over TCP on the addon: the sockets of `TcpSessions`, in turns of one call each.
 *
 *     exchange: send, close, wait, accept, read -> events -> sessions -> commands -> exchange ...
 *
 * The answers of a turn stand one behind the other in the desk's output until the next exchange. Allocates nothing per
 * turn, and for a connection only where its client cuts messages or does not take its answers.
 */
export class TcpBatchTransport implements SocketServer {
  readonly #parts: BatchParts;
  readonly #sessions: TcpSessions;
  readonly #loop: TcpLoop;
  readonly #input = new Uint8Array(INPUT_OCTETS);
  readonly #commands: Int32Array;
  readonly #events: Int32Array;
  /** Room that an event may need in the output. */
  readonly #eventOctets: number;
  /** By the address with its real port. */
  readonly #descriptors = new Map<string, number>();
  #commandCount = 0;
  #nowMs = Math.floor(performance.now());
  #sweepAtMs = 0;
  /** When to accept again after a lack of descriptors. */
  #acceptAtMs = Number.POSITIVE_INFINITY;
  /** Whether a connection has come up since the last lack of descriptors. */
  #acceptedSince = true;

  constructor(parts: BatchParts) {
    const { limits, native } = parts;
    const capacity = limits.tcp.connections + SPARE_CONNECTIONS;
    this.#parts = parts;
    this.#eventOctets = eventOutputOctets(limits);
    this.#commands = new Int32Array(capacity * COMMANDS_PER_CONNECTION * TCP_COMMAND_WORDS);
    this.#events = new Int32Array(capacity * EVENTS_PER_CONNECTION * TCP_EVENT_WORDS);
    this.#sessions = new TcpSessions(
      parts,
      {
        send: (connection, start, rest) => this.#send(connection, start, rest),
        end: (connection) => this.#command(COMMAND_END, connection, 0, 0),
        close: (connection) => this.#command(COMMAND_CLOSE, connection, 0, 0),
        reset: (connection) => this.#command(COMMAND_RESET, connection, 0, 0),
      },
      capacity,
      OUTPUT_OCTETS + this.#eventOctets,
    );
    const clients = new Uint8Array(capacity * TCP_CLIENT_OCTETS);
    for (let connection = 0; connection < capacity; connection++)
      this.#sessions.clientOf(connection).octets = clients.subarray(
        connection * TCP_CLIENT_OCTETS,
        (connection + 1) * TCP_CLIENT_OCTETS,
      );
    const { output } = this.#sessions.desk;
    const arrays = [this.#input, output, this.#commands, this.#events, clients] as const;
    this.#loop = native.createTcpLoop(capacity, parts.wake, ...arrays);
  }

  async listen(address: ListenAddress, sharing: Sharing): Promise<number> {
    return this.adopt(
      address,
      this.#parts.native.openTcp(address.address, address.port, sharing === 'alone' ? 1 : 0),
    );
  }

  /** Listens on a bound socket of that address, also one that listens already, and returns its port. */
  adopt(address: ListenAddress, descriptor: number): number {
    const { limits, native } = this.#parts;
    const { slowReaderMs } = limits.tcp;
    try {
      native.addTcpListener(this.#loop, descriptor, TCP_BACKLOG, DEFER_ACCEPT_SECONDS, slowReaderMs);
    } catch (error) {
      native.closeSocket(descriptor);
      throw error;
    }
    const port = native.socketPort(descriptor);
    this.#descriptors.set(formatListenAddress({ address: address.address, port }), descriptor);
    return port;
  }

  async release(address: ListenAddress): Promise<void> {
    const key = formatListenAddress(address);
    const descriptor = this.#descriptors.get(key);
    this.#descriptors.delete(key);
    if (descriptor !== undefined) this.#parts.native.removeTcpListener(this.#loop, descriptor);
  }

  async close(): Promise<void> {
    // What waits to be accepted is accepted and answered; then nobody else comes.
    for (let turn = 0; turn < MAX_CLOSING_TURNS; turn++) if (this.#turn(0) === 0) break;
    for (const descriptor of this.#descriptors.values())
      this.#parts.native.removeTcpListener(this.#loop, descriptor);
    this.#descriptors.clear();
    this.#turn(COMMANDS_ONLY);
    this.#sessions.endAll(performance.now());
    const lateAtMs = performance.now() + this.#parts.limits.drainMs;
    while (this.#sessions.open > 0 && this.#nowMs < lateAtMs) {
      this.#turn(CLOSING_WAIT_MS);
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#sessions.closeAll();
    this.#turn(COMMANDS_ONLY);
  }

  serve(): void {
    const { rung } = this.#parts;
    let events = 0;
    do events = this.#turn(WAIT_MS);
    while (events > 0 && !rung());
    // The last answers wait for no further exchange.
    if (this.#commandCount > 0) this.#turn(COMMANDS_ONLY);
  }

  /** Returns how many events there were. */
  #turn(waitMs: number): number {
    const commands = this.#commandCount;
    this.#commandCount = 0;
    const count = this.#parts.native.exchangeTcp(this.#loop, commands, waitMs);
    this.#sessions.desk.at = 0;
    // Whole numbers are passed on as they are; each fraction would be an object on the heap.
    this.#nowMs = Math.floor(performance.now());
    this.#parts.tick();
    const end = count * TCP_EVENT_WORDS;
    for (let at = 0; at < end; at += TCP_EVENT_WORDS) this.#hear(at);
    if (this.#nowMs >= this.#sweepAtMs) this.#sweep();
    return count;
  }

  #hear(at: number): void {
    const events = this.#events;
    const sessions = this.#sessions;
    const connection = events[at + 1] as number;
    const one = events[at + 2] as number;
    const other = events[at + 3] as number;
    switch (events[at]) {
      case EVENT_ACCEPTED:
        this.#accept(connection, one, other);
        break;
      case EVENT_RECEIVED:
        sessions.receive(connection, this.#input, one, one + other, this.#nowMs);
        break;
      case EVENT_ENDED:
        this.#ended(connection);
        break;
      case EVENT_FAILED:
        sessions.fail(connection);
        break;
      case EVENT_BLOCKED:
        sessions.wait(connection, this.#nowMs);
        break;
      case EVENT_DRAINED:
        sessions.drained(connection, this.#nowMs);
        break;
      case EVENT_EXHAUSTED:
        this.#exhausted();
        break;
    }
  }

  #accept(connection: number, family: number, port: number): void {
    const client = this.#sessions.clientOf(connection);
    client.family = family === 4 ? 4 : 6;
    client.port = port;
    this.#acceptedSince = true;
    this.#sessions.accept(connection, this.#nowMs);
  }

  /** Nothing is read while answers wait, so an end is only seen when all of them are sent. */
  #ended(connection: number): void {
    if (!this.#sessions.isOpen(connection)) return;
    this.#sessions.forget(connection);
    this.#command(COMMAND_CLOSE, connection, 0, 0);
  }

  /**
   * Gives one connection up for the next one, which may have more of a reason to be here, and accepts again at once;
   * where that did not help the last time, after a while.
   */
  #exhausted(): void {
    countOne(this.#parts.counters, 'tcpEvents', 'accept-failed');
    this.#sessions.makeRoom(-1);
    this.#acceptAtMs = this.#nowMs + (this.#acceptedSince ? 0 : ACCEPT_AGAIN_MS);
    this.#acceptedSince = false;
    this.#sweepAtMs = Math.min(this.#sweepAtMs, this.#acceptAtMs);
  }

  #sweep(): void {
    if (this.#nowMs >= this.#acceptAtMs) {
      this.#acceptAtMs = Number.POSITIVE_INFINITY;
      this.#command(COMMAND_ACCEPT, 0, 0, 0);
    }
    this.#sessions.sweep(this.#nowMs);
    this.#sweepAtMs = Math.min(this.#nowMs + this.#parts.limits.tcp.sweepMs, this.#acceptAtMs);
  }

  #send(connection: number, start: number, rest: 'more' | 'last'): Sent {
    const { desk } = this.#sessions;
    if (rest === 'last' && desk.at + this.#eventOctets <= desk.output.length) {
      // The outcome is told with the next events.
      this.#command(COMMAND_SEND, connection, start, desk.at - start);
      return 'taken';
    }
    const sent = this.#parts.native.sendTcp(this.#loop, connection, start, desk.at - start);
    desk.at = start;
    return sent === SEND_TAKEN ? 'taken' : sent === SEND_BLOCKED ? 'waiting' : 'lost';
  }

  #command(what: number, connection: number, offset: number, octets: number): void {
    const commands = this.#commands;
    const at = this.#commandCount * TCP_COMMAND_WORDS;
    commands[at] = what;
    commands[at + 1] = connection;
    commands[at + 2] = offset;
    commands[at + 3] = octets;
    this.#commandCount++;
  }
}
