import { type BindOptions, createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { MAX_UDP_PAYLOAD } from '../dns/opt.ts';
import { HEADER_LENGTH } from '../dns/query.ts';
import { type CounterLabel, countMany, countOne } from '../observe/counters.ts';
import { canSharePorts, formatListenAddress, type ListenAddress } from './listen-address.ts';
import { UDP_SLOT_OCTETS } from './native-udp.ts';
import type { SocketServer, TransportParts } from './run-worker.ts';
import { SendSlots, viewOf } from './send-slots.ts';
import { createSenderAddress, readSenderAddress } from './sender-address.ts';
import type { Sharing } from './worker-link.ts';

/** When closing: what was on its way is here when nothing has come for so long. */
const QUIET_MS = 10;
/** Where queries go on coming, they are for whoever listens next. */
const MAX_QUIET_WAITS = 10;

/** Queries that are answered together at most; the event loop reads 32 from a socket before it looks at others. */
const BATCH_QUERIES = 256;

/**
 * A send that calls back costs much more than one that does not, and nothing else tells of its failure: one in so
 * many does, and stands for all of them.
 */
const SENDS_PER_CALLBACK = 16;

/** A socket with the buffers of its answers. */
interface ServedSocket {
  readonly socket: Socket;
  readonly slots: SendSlots;
}

/**
 * DNS over UDP on `node:dgram`. An answer leaves by the socket that its query came to; on a wildcard address the
 * kernel chooses the source address by route, so a machine with several addresses should list them one by one.
 *
 *     messages  [ m0 m1 m2 ... ]   what one turn of the event loop has read,
 *     senders   [ r0 r1 r2 ... ]   answered when it has read it all: receiving, answering and sending each find
 *     sockets   [ s0 s0 s1 ... ]   their code and tables in the processor's cache
 */
export class UdpTransport implements SocketServer {
  readonly #parts: TransportParts;
  readonly #client = createSenderAddress();
  #received = 0;
  readonly #messages: (Buffer | undefined)[] = Array.from({ length: BATCH_QUERIES });
  readonly #senders: (RemoteInfo | undefined)[] = Array.from({ length: BATCH_QUERIES });
  readonly #receivers: (ServedSocket | undefined)[] = Array.from({ length: BATCH_QUERIES });
  #waiting = 0;
  #untilCallback = SENDS_PER_CALLBACK;
  /** By the address with its real port. */
  readonly #sockets = new Map<string, ServedSocket>();

  constructor(parts: TransportParts) {
    this.#parts = parts;
  }

  async listen({ address, port }: ListenAddress, sharing: Sharing): Promise<number> {
    const exclusive = true;
    if (canSharePorts && sharing === 'alone' && port !== 0) {
      // A socket that does not share finds every other one, also those that share.
      const probe = this.#create(address, 'alone');
      await bound(probe, { address, port, exclusive });
      await closed(probe);
    }
    const socket = this.#create(address, canSharePorts ? 'joined' : 'alone');
    await bound(socket, { address, port, exclusive });
    return this.#serveOn(socket, address);
  }

  async adopt({ address }: ListenAddress, descriptor: number): Promise<number> {
    const socket = this.#create(address, 'alone');
    await bound(socket, { fd: descriptor });
    return this.#serveOn(socket, address);
  }

  #create(address: string, sharing: Sharing): Socket {
    const ipv6 = address.includes(':');
    return createSocket({
      type: ipv6 ? 'udp6' : 'udp4',
      // Both families on one socket would show IPv4 clients in mapped form and clash with a socket of their own.
      ipv6Only: ipv6,
      reusePort: sharing === 'joined',
      recvBufferSize: this.#parts.limits.udpReceiveBufferOctets,
      // We only send to addresses in numbers: no resolver, and no extra turn of the event loop.
      lookup: (host, _options, done) => done(null, host, ipv6 ? 6 : 4),
    });
  }

  #serveOn(socket: Socket, address: string): number {
    const { counters, limits } = this.#parts;
    const slots = new SendSlots(limits.udpSendSlots, MAX_UDP_PAYLOAD, () => socket.getSendQueueCount());
    const served = { socket, slots };
    socket.on('error', () => countOne(counters, 'errors', 'udp-socket'));
    socket.on('message', (message, from) => this.#receive(served, message, from));
    const { port } = socket.address();
    this.#sockets.set(formatListenAddress({ address, port }), served);
    return port;
  }

  async release(address: ListenAddress): Promise<void> {
    const key = formatListenAddress(address);
    const served = this.#sockets.get(key);
    if (served === undefined) return;
    this.#sockets.delete(key);
    this.#answerWaiting();
    await closed(served.socket);
  }

  async close(): Promise<void> {
    await this.#quiet();
    for (const { socket } of this.#sockets.values()) socket.removeAllListeners('message');
    this.#answerWaiting();
    await this.#drain();
    for (const { socket } of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  /** Resolves when nothing has come for a while, so that what was on its way is answered. */
  async #quiet(): Promise<void> {
    for (let waits = 0; waits < MAX_QUIET_WAITS; waits++) {
      const before = this.#received;
      await delay(QUIET_MS);
      // Timers come before sockets: a thread that got no time meanwhile has not looked at its sockets yet.
      await turn();
      if (this.#received === before) return;
    }
  }

  /** Resolves when the kernel has taken every answer, or has had its time for it. */
  async #drain(): Promise<void> {
    const until = performance.now() + this.#parts.limits.drainMs;
    const queued = (): boolean =>
      Array.from(this.#sockets.values()).some(({ socket }) => socket.getSendQueueCount() > 0);
    while (queued() && performance.now() < until) await delay(QUIET_MS);
  }

  #receive(served: ServedSocket, message: Buffer, from: RemoteInfo): void {
    const at = this.#waiting;
    this.#messages[at] = message;
    this.#senders[at] = from;
    this.#receivers[at] = served;
    this.#waiting = at + 1;
    this.#received++;
    // The event loop comes to it as soon as it has read what there is, before it waits.
    if (at === 0) setImmediate(this.#answerWaiting);
    else if (at + 1 === BATCH_QUERIES) this.#answerWaiting();
  }

  readonly #answerWaiting = (): void => {
    const count = this.#waiting;
    if (count === 0) return;
    this.#waiting = 0;
    this.#parts.tick();
    let last: ServedSocket | undefined;
    for (let at = 0; at < count; at++) {
      const served = this.#receivers[at];
      const message = this.#messages[at];
      const from = this.#senders[at];
      if (served === undefined || message === undefined || from === undefined) continue;
      if (served !== last) served.slots.rewind();
      last = served;
      this.#answer(served, message, from);
      // An idle server keeps nobody's query, nor a socket that was released.
      this.#messages[at] = undefined;
      this.#senders[at] = undefined;
      this.#receivers[at] = undefined;
    }
  };

  #answer({ socket, slots }: ServedSocket, message: Buffer, from: RemoteInfo): void {
    const { answer, counters } = this.#parts;
    const cause = this.#causeToDrop(message, from);
    const slot = cause === undefined ? slots.peek() : undefined;
    if (slot === undefined) {
      countOne(counters, 'drops', cause ?? 'send-queue-full');
      return;
    }
    this.#client.port = from.port;
    const length = answer(message, message.length, this.#client, 'udp', slot.buffer);
    if (length === 0) return;
    try {
      this.#send(socket, viewOf(slot, length), from);
      slots.advance();
    } catch {
      // What `send` throws it throws before it has taken the buffer.
      countOne(counters, 'drops', 'send-failed');
    }
  }

  /** Reads the client's address on the way. */
  #causeToDrop(message: Buffer, from: RemoteInfo): CounterLabel<'drops'> | undefined {
    // Port 0 is no place to answer to, and `send` throws on it.
    if (from.port === 0) return 'source-port-zero';
    if (message.length < HEADER_LENGTH) return 'too-short';
    if (message.length > UDP_SLOT_OCTETS) return 'too-long';
    return readSenderAddress(from.address, this.#client) ? undefined : 'unknown-source';
  }

  #send(socket: Socket, octets: Uint8Array, { port, address }: RemoteInfo): void {
    if (--this.#untilCallback > 0) {
      socket.send(octets, port, address);
      return;
    }
    this.#untilCallback = SENDS_PER_CALLBACK;
    socket.send(octets, port, address, this.#sent);
  }

  readonly #sent = (error: Error | null): void => {
    if (error !== null && error !== undefined)
      countMany(this.#parts.counters, 'drops', 'send-failed', SENDS_PER_CALLBACK);
  };
}

/** Rejects, with the socket closed, where it cannot be bound. */
function bound(socket: Socket, options: BindOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind(options, () => {
      socket.removeAllListeners('error');
      resolve();
    });
  });
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}
