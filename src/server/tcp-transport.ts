import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { countOne } from '../observe/counters.ts';
import { canSharePorts, formatListenAddress, type ListenAddress } from './listen-address.ts';
import type { SocketServer, TransportParts } from './run-worker.ts';
import { readSenderAddress } from './sender-address.ts';
import { TCP_BACKLOG } from './server-limits.ts';
import type { Sent } from './tcp-session.ts';
import { eventOutputOctets, TcpSessions, type TcpSockets } from './tcp-sessions.ts';
import type { Sharing } from './worker-link.ts';

/** A connection is let in before another is closed for it. */
const SPARE_CONNECTIONS = 1;

/** DNS over TCP (RFC 7766) on `node:net`: the sockets of `TcpSessions`. */
export class TcpTransport implements SocketServer {
  readonly #parts: TransportParts;
  readonly #sessions: TcpSessions;
  /** By the address with its real port. */
  readonly #servers = new Map<string, Server>();
  /** By connection. */
  readonly #sockets: (Socket | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #sweep: NodeJS.Timeout;
  #whenNoneOpen: (() => void) | undefined;

  constructor(parts: TransportParts) {
    const { limits } = parts;
    const capacity = limits.tcp.connections + SPARE_CONNECTIONS;
    this.#parts = parts;
    const sockets: TcpSockets = {
      send: (connection, start) => this.#send(connection, start),
      end: (connection) => this.#sockets[connection]?.end(),
      close: (connection) => this.#take(connection)?.destroySoon(),
      reset: (connection) => this.#reset(connection),
    };
    this.#sessions = new TcpSessions(parts, sockets, capacity, eventOutputOctets(limits));
    for (let connection = capacity - 1; connection >= 0; connection--) this.#free.push(connection);
    this.#sweep = setInterval(() => this.#sessions.sweep(performance.now()), limits.tcp.sweepMs);
  }

  async listen({ address, port }: ListenAddress, sharing: Sharing): Promise<number> {
    const where = { host: address, port, ipv6Only: true, exclusive: true };
    if (canSharePorts && sharing === 'alone' && port !== 0) {
      // A listener that does not share finds every other one, also those that share.
      const probe = createServer();
      await listening(probe, where);
      await new Promise((resolve) => probe.close(resolve));
    }
    return this.#serveOn({ ...where, reusePort: canSharePorts }, address);
  }

  adopt({ address }: ListenAddress, descriptor: number): Promise<number> {
    return this.#serveOn({ fd: descriptor }, address);
  }

  async #serveOn(where: ListenOptions | { readonly fd: number }, address: string): Promise<number> {
    const server = createServer(
      {
        // A client may end its side after the last query and still wants the answers.
        allowHalfOpen: true,
        noDelay: true,
        highWaterMark: this.#parts.limits.tcp.waitingAnswerOctets,
      },
      (socket) => this.#accept(socket),
    );
    await listening(server, { ...where, backlog: TCP_BACKLOG });
    server.on('error', () => countOne(this.#parts.counters, 'tcpEvents', 'accept-failed'));
    const bound = server.address();
    const port = bound !== null && typeof bound === 'object' ? bound.port : 0;
    this.#servers.set(formatListenAddress({ address, port }), server);
    return port;
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
    this.#sessions.endAll(performance.now());
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, this.#parts.limits.drainMs);
    await Promise.race([this.#noneOpen(), late.promise]);
    clearTimeout(timer);
    this.#sessions.closeAll();
  }

  #accept(socket: Socket): void {
    // Resets are a client's good right; without a listener one would end the thread. `close` follows.
    socket.on('error', () => countOne(this.#parts.counters, 'errors', 'tcp-socket'));
    const connection = this.#free.pop();
    if (connection === undefined) {
      countOne(this.#parts.counters, 'tcpEvents', 'accept-failed');
      socket.destroy();
      return;
    }
    this.#sockets[connection] = socket;
    const client = this.#sessions.clientOf(connection);
    client.port = socket.remotePort ?? 0;
    // Without an address it is gone already.
    if (!readSenderAddress(socket.remoteAddress ?? '', client)) this.#reset(connection);
    else if (this.#sessions.accept(connection, performance.now())) this.#hear(socket, connection);
  }

  #hear(socket: Socket, connection: number): void {
    const sessions = this.#sessions;
    // The number may be another's by the time that an event of this socket comes.
    const ours = (): boolean => this.#sockets[connection] === socket;
    socket.on('data', (chunk: Buffer) => {
      if (!ours()) return;
      this.#parts.tick();
      sessions.receive(connection, chunk, 0, chunk.length, performance.now());
    });
    socket.on('drain', () => {
      if (!ours()) return;
      // First, since what was held may make it wait again.
      socket.resume();
      sessions.drained(connection, performance.now());
    });
    socket.on('end', () => {
      if (ours()) sessions.end(connection, performance.now());
    });
    socket.once('close', () => {
      if (!ours()) return;
      sessions.forget(connection);
      this.#take(connection);
      if (sessions.open === 0) this.#whenNoneOpen?.();
    });
  }

  /** Sends a copy, since the socket may need it after this event. */
  #send(connection: number, start: number): Sent {
    const { desk } = this.#sessions;
    const octets = desk.output.slice(start, desk.at);
    desk.at = start;
    const socket = this.#sockets[connection];
    if (socket === undefined || !socket.writable) return 'lost';
    if (socket.write(octets)) return 'taken';
    // Nothing is read before `drain`.
    socket.pause();
    return 'waiting';
  }

  #reset(connection: number): void {
    this.#take(connection)?.resetAndDestroy();
  }

  #take(connection: number): Socket | undefined {
    const socket = this.#sockets[connection];
    if (socket === undefined) return undefined;
    this.#sockets[connection] = undefined;
    this.#free.push(connection);
    return socket;
  }

  #noneOpen(): Promise<void> {
    if (this.#sessions.open === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenNoneOpen = resolve;
    });
  }
}

/** Rejects where it cannot listen. */
function listening(server: Server, where: object): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}
