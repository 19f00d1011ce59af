import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';

/** What a server does with a connection once the first octets have come, which are `first`. */
export type Behaviour = (socket: net.Socket, first: Uint8Array) => void;

export interface LoopbackServer {
  readonly port: number;
  /** Connections accepted so far. */
  readonly accepted: () => number;
  /** What clients have sent, over all connections. */
  readonly received: () => string;
  /** Resolves when no connection is open any more. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** The text of a test certificate or key. */
export function pem(name: string): string {
  return readFileSync(new URL(`./certificates/${name}.pem`, import.meta.url), 'utf8');
}

/**
 * A server on 127.0.0.1 that behaves as told, over TLS when a certificate is named. `shown` is the text of a
 * certificate that it shows instead, with the same key; `alpnProtocols` are those it knows.
 */
export async function startServer(
  behaviour: Behaviour,
  certificate?: string,
  shown?: string,
  alpnProtocols: readonly string[] = [],
): Promise<LoopbackServer> {
  const open = new Set<net.Socket>();
  const waiting: (() => void)[] = [];
  let accepted = 0;
  let received = '';
  const track = (socket: net.Socket): void => {
    accepted += 1;
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      open.delete(socket);
      if (open.size === 0) for (const resolve of waiting.splice(0)) resolve();
    });
  };
  const converse = (socket: net.Socket): void => {
    socket.on('error', () => undefined);
    socket.once('data', (first: Uint8Array) => behaviour(socket, first));
    socket.on('data', (octets: Uint8Array) => {
      received += Buffer.from(octets).toString('latin1');
    });
  };
  const server =
    certificate === undefined
      ? net.createServer(converse)
      : createTlsServer(pem(`${certificate}.key`), shown ?? pem(certificate), alpnProtocols, converse);
  server.on('connection', track);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    accepted: () => accepted,
    received: () => received,
    idle: () => (open.size === 0 ? Promise.resolve() : new Promise<void>((resolve) => waiting.push(resolve))),
    close: () => {
      for (const socket of open) socket.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Hands the connection on to a server on another port of 127.0.0.1. */
export function relayTo(port: number): Behaviour {
  return (socket, first) => {
    const inner = net.connect(port, '127.0.0.1');
    inner.on('error', () => socket.destroy());
    inner.on('close', () => socket.destroy());
    socket.on('close', () => inner.destroy());
    inner.write(first);
    socket.pipe(inner).pipe(socket);
  };
}

/** A port of 127.0.0.1 where nobody listens. */
export async function refusedPort(): Promise<number> {
  const server = await startServer(() => undefined);
  await server.close();
  return server.port;
}

function createTlsServer(
  key: string,
  cert: string,
  alpnProtocols: readonly string[],
  converse: (socket: net.Socket) => void,
): net.Server {
  const alpn = alpnProtocols.length === 0 ? {} : { ALPNProtocols: [...alpnProtocols] };
  const server = tls.createServer({ key, cert, ...alpn }, converse);
  server.on('tlsClientError', () => undefined);
  return server;
}

/** Writes pieces until the other end has had enough. */
export function writeForever(socket: net.Socket, piece: string | Uint8Array): void {
  const more = (): void => {
    while (!socket.destroyed && socket.writable) if (!socket.write(piece)) return;
  };
  socket.on('drain', more);
  more();
}

/** Writes a text octet by octet, and then its last octet for ever. */
export function trickle(socket: net.Socket, text: string): void {
  let index = 0;
  const timer = setInterval(() => {
    socket.write(text.charAt(Math.min(index, text.length - 1)));
    index += 1;
  }, 2);
  socket.on('close', () => clearInterval(timer));
}
