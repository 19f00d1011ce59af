import { type BindOptions, createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { setTimeout as delay } from 'node:timers/promises';
import { MAX_UDP_PAYLOAD } from '../dns/opt.ts';
import { type CounterLabel, countOne } from '../observe/counters.ts';
import { createClientAddress, readClientAddress } from './client-address.ts';
import { canSharePorts, formatListenAddress, type ListenAddress } from './listen-address.ts';
import { UDP_SLOT_OCTETS } from './native-udp.ts';
import type { Transport, TransportParts } from './run-worker.ts';
import { type SendSlot, SendSlots } from './send-slots.ts';
import type { Sharing } from './worker-link.ts';

/** RFC 1035 section 4.1.1: nothing shorter is a message. */
const HEADER_OCTETS = 12;

/** When closing: what was on its way is here when nothing has come for so long. */
const QUIET_MS = 10;
/** Where queries go on coming, they are for whoever listens next. */
const MAX_QUIET_WAITS = 10;

/**
 * DNS over UDP on `node:dgram`. An answer leaves by the socket that its query came to; on a wildcard address the
 * kernel chooses the source address by route, so a machine with several addresses should list them one by one.
 */
export class UdpTransport implements Transport {
  readonly #parts: TransportParts;
  readonly #slots: SendSlots;
  readonly #client = createClientAddress();
  #received = 0;
  /** By the address with its real port. */
  readonly #sockets = new Map<string, Socket>();

  constructor(parts: TransportParts) {
    this.#parts = parts;
    this.#slots = new SendSlots(parts.limits.udpSendSlots, MAX_UDP_PAYLOAD, () => this.#countSendFailure());
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
    socket.on('error', () => countOne(this.#parts.counters, 'errors', 'udp-socket'));
    socket.on('message', (message, from) => this.#receive(socket, message, from));
    const { port } = socket.address();
    this.#sockets.set(formatListenAddress({ address, port }), socket);
    return port;
  }

  async release(address: ListenAddress): Promise<void> {
    const key = formatListenAddress(address);
    const socket = this.#sockets.get(key);
    this.#sockets.delete(key);
    if (socket !== undefined) await closed(socket);
  }

  async close(): Promise<void> {
    await this.#quiet();
    for (const socket of this.#sockets.values()) socket.removeAllListeners('message');
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, this.#parts.limits.drainMs);
    await Promise.race([this.#slots.allFree(), late.promise]);
    clearTimeout(timer);
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  /** Resolves when nothing has come for a while, so that what was on its way is answered. */
  async #quiet(): Promise<void> {
    for (let waits = 0; waits < MAX_QUIET_WAITS; waits++) {
      const before = this.#received;
      await delay(QUIET_MS);
      if (this.#received === before) return;
    }
  }

  #receive(socket: Socket, message: Buffer, from: RemoteInfo): void {
    const { answer, counters, tick } = this.#parts;
    this.#received++;
    const cause = this.#causeToDrop(message, from);
    const slot = cause === undefined ? this.#slots.take() : undefined;
    if (slot === undefined) {
      countOne(counters, 'drops', cause ?? 'send-queue-full');
      return;
    }
    this.#client.port = from.port;
    tick();
    const length = answer(message, message.length, this.#client, 'udp', slot.buffer);
    if (length === 0) this.#slots.release(slot);
    else this.#send(socket, slot, length, from);
  }

  /** Reads the client's address on the way. */
  #causeToDrop(message: Buffer, from: RemoteInfo): CounterLabel<'drops'> | undefined {
    // Port 0 is no place to answer to, and `send` throws on it.
    if (from.port === 0) return 'source-port-zero';
    if (message.length < HEADER_OCTETS) return 'too-short';
    if (message.length > UDP_SLOT_OCTETS) return 'too-long';
    return readClientAddress(from.address, this.#client) ? undefined : 'unknown-source';
  }

  #send(socket: Socket, slot: SendSlot, length: number, to: RemoteInfo): void {
    try {
      socket.send(slot.buffer, 0, length, to.port, to.address, slot.sent);
    } catch {
      // What `send` throws it throws before it has taken the buffer.
      this.#countSendFailure();
      this.#slots.release(slot);
    }
  }

  #countSendFailure(): void {
    countOne(this.#parts.counters, 'drops', 'send-failed');
  }
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
