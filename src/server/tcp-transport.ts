import { createServer, type Server, type Socket } from 'node:net';
import { countOne, setOpenConnections } from '../observe/counters.ts';
import { clientKey, createClientAddress, readClientAddress } from './client-address.ts';
import { formatListenAddress, type ListenAddress } from './listen-address.ts';
import type { Transport, TransportParts } from './run-worker.ts';
import { createTcpDesk, TcpConnection, type TcpDesk } from './tcp-connection.ts';

/** Connections that wait in the kernel to be accepted; Linux's own limit is 4,096. */
const BACKLOG = 1_024;

/** DNS over TCP (RFC 7766) on `node:net`: accepts, bounds and sweeps connections. */
export class TcpTransport implements Transport {
  readonly #parts: TransportParts;
  readonly #desk: TcpDesk;
  /** By the address with its real port. */
  readonly #servers = new Map<string, Server>();
  readonly #connections = new Set<TcpConnection>();
  readonly #countByClient = new Map<string, number>();
  readonly #sweep: NodeJS.Timeout;
  #whenNoneOpen: (() => void) | undefined;

  constructor(parts: TransportParts) {
    this.#parts = parts;
    this.#desk = createTcpDesk(
      (request, requestLength, client, response) =>
        parts.answer(request, requestLength, client, 'tcp', response),
      () => performance.now(),
    );
    this.#sweep = setInterval(() => this.#closeOverdue(), parts.limits.tcp.sweepMs);
    // A worker that was started again finds the count of the one before.
    setOpenConnections(parts.counters, 0);
  }

  listen(address: ListenAddress): Promise<number> {
    const server = createServer(
      {
        // A client may end its side after the last query and still wants the answers.
        allowHalfOpen: true,
        noDelay: true,
        highWaterMark: this.#parts.limits.tcp.waitingAnswerOctets,
      },
      (socket) => this.#accept(socket),
    );
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      const where = { host: address.address, port: address.port, ipv6Only: true, exclusive: true };
      server.listen({ ...where, backlog: BACKLOG }, () => {
        server.removeAllListeners('error');
        server.on('error', () => countOne(this.#parts.counters, 'errors', 'tcp-socket'));
        const bound = server.address();
        const port = bound !== null && typeof bound === 'object' ? bound.port : address.port;
        this.#servers.set(formatListenAddress({ address: address.address, port }), server);
        resolve(port);
      });
    });
  }

  async release(address: ListenAddress): Promise<void> {
    const key = formatListenAddress(address);
    this.#servers.get(key)?.close();
    this.#servers.delete(key);
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep);
    for (const server of this.#servers.values()) server.close();
    this.#servers.clear();
    for (const connection of this.#connections) connection.end();
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, this.#parts.limits.drainMs);
    await Promise.race([this.#noneOpen(), late.promise]);
    clearTimeout(timer);
    for (const connection of this.#connections) connection.destroy();
  }

  #noneOpen(): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenNoneOpen = resolve;
    });
  }

  #accept(socket: Socket): void {
    const { counters, limits } = this.#parts;
    // Resets are a client's good right; without a listener one would end the thread.
    socket.on('error', () => countOne(counters, 'errors', 'tcp-socket'));
    const client = createClientAddress();
    if (!readClientAddress(socket.remoteAddress ?? '', client)) {
      socket.destroy();
      return;
    }
    const key = clientKey(client);
    const ofClient = this.#countByClient.get(key) ?? 0;
    if (ofClient >= limits.tcp.connectionsPerClient) {
      this.#refuse(socket, 'refused-client');
      return;
    }
    if (this.#connections.size >= limits.tcp.connections && !this.#makeRoom()) {
      this.#refuse(socket, 'refused-total');
      return;
    }
    countOne(counters, 'tcpEvents', 'accepted');
    this.#keep(
      socket,
      new TcpConnection(socket, client, limits.tcp, this.#desk, () => this.#badFrame()),
      key,
    );
  }

  #keep(socket: Socket, connection: TcpConnection, key: string): void {
    this.#connections.add(connection);
    this.#countByClient.set(key, (this.#countByClient.get(key) ?? 0) + 1);
    setOpenConnections(this.#parts.counters, this.#connections.size);
    socket.once('close', () => {
      this.#connections.delete(connection);
      const left = (this.#countByClient.get(key) ?? 1) - 1;
      if (left === 0) this.#countByClient.delete(key);
      else this.#countByClient.set(key, left);
      setOpenConnections(this.#parts.counters, this.#connections.size);
      if (this.#connections.size === 0) this.#whenNoneOpen?.();
    });
  }

  #refuse(socket: Socket, why: 'refused-total' | 'refused-client'): void {
    countOne(this.#parts.counters, 'tcpEvents', why);
    socket.destroy();
  }

  /** Closes the connection that has been idle longest (RFC 7766 section 6.2.3); false where none is idle. */
  #makeRoom(): boolean {
    let longest: TcpConnection | undefined;
    for (const connection of this.#connections)
      if (connection.idle && (longest === undefined || connection.usedAtMs < longest.usedAtMs))
        longest = connection;
    if (longest === undefined) return false;
    countOne(this.#parts.counters, 'tcpEvents', 'closed-for-newer');
    this.#connections.delete(longest);
    longest.destroy();
    return true;
  }

  #closeOverdue(): void {
    const now = this.#desk.nowMs();
    for (const connection of this.#connections) {
      const overdue = connection.overdue(now);
      if (overdue === undefined) continue;
      countOne(this.#parts.counters, 'tcpEvents', overdue);
      connection.destroy();
    }
  }

  #badFrame(): void {
    countOne(this.#parts.counters, 'tcpEvents', 'closed-bad-frame');
  }
}
