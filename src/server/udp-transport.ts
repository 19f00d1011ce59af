import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { MAX_UDP_PAYLOAD } from '../dns/opt.ts';
import { type CounterLabel, countOne } from '../observe/counters.ts';
import { createClientAddress, readClientAddress } from './client-address.ts';
import { formatListenAddress, type ListenAddress } from './listen-address.ts';
import type { Transport, TransportParts } from './run-worker.ts';
import { type SendSlot, SendSlots } from './send-slots.ts';

/** RFC 1035 section 4.1.1: nothing shorter is a message. */
const HEADER_OCTETS = 12;

/**
 * DNS over UDP on `node:dgram`. An answer leaves by the socket that its query came to; on a wildcard address the
 * kernel chooses the source address by route, so a machine with several addresses should list them one by one.
 */
export class UdpTransport implements Transport {
  readonly #parts: TransportParts;
  readonly #slots: SendSlots;
  readonly #client = createClientAddress();
  /** By the address with its real port. */
  readonly #sockets = new Map<string, Socket>();

  constructor(parts: TransportParts) {
    this.#parts = parts;
    this.#slots = new SendSlots(parts.limits.udpSendSlots, MAX_UDP_PAYLOAD, () => this.#countSendFailure());
  }

  listen(address: ListenAddress): Promise<number> {
    const ipv6 = address.address.includes(':');
    const socket = createSocket({
      type: ipv6 ? 'udp6' : 'udp4',
      // Both families on one socket would show IPv4 clients in mapped form and clash with a socket of their own.
      ipv6Only: ipv6,
      recvBufferSize: this.#parts.limits.udpReceiveBufferOctets,
      // We only send to addresses in numbers: no resolver, and no extra turn of the event loop.
      lookup: (host, _options, done) => done(null, host, ipv6 ? 6 : 4),
    });
    return new Promise((resolve, reject) => {
      socket.once('error', (error) => {
        socket.close();
        reject(error);
      });
      socket.bind({ address: address.address, port: address.port, exclusive: true }, () => {
        socket.removeAllListeners('error');
        socket.on('error', () => countOne(this.#parts.counters, 'errors', 'udp-socket'));
        socket.on('message', (message, from) => this.#receive(socket, message, from));
        const port = socket.address().port;
        this.#sockets.set(formatListenAddress({ address: address.address, port }), socket);
        resolve(port);
      });
    });
  }

  async release(address: ListenAddress): Promise<void> {
    const key = formatListenAddress(address);
    const socket = this.#sockets.get(key);
    this.#sockets.delete(key);
    if (socket !== undefined) await new Promise<void>((resolve) => socket.close(resolve));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.values()) socket.removeAllListeners('message');
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, this.#parts.limits.drainMs);
    await Promise.race([this.#slots.allFree(), late.promise]);
    clearTimeout(timer);
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  #receive(socket: Socket, message: Buffer, from: RemoteInfo): void {
    const { answer, counters } = this.#parts;
    const cause = this.#causeToDrop(message, from);
    const slot = cause === undefined ? this.#slots.take() : undefined;
    if (slot === undefined) {
      countOne(counters, 'drops', cause ?? 'send-queue-full');
      return;
    }
    const length = answer(message, message.length, this.#client, 'udp', slot.buffer);
    if (length === 0) this.#slots.release(slot);
    else this.#send(socket, slot, length, from);
  }

  /** Reads the client's address on the way. */
  #causeToDrop(message: Buffer, from: RemoteInfo): CounterLabel<'drops'> | undefined {
    // Port 0 is no place to answer to, and `send` throws on it.
    if (from.port === 0) return 'source-port-zero';
    if (message.length < HEADER_OCTETS) return 'too-short';
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
