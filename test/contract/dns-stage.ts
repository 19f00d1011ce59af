import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach } from 'vitest';
import { decodeMessage, type Message } from '../../src/dns/message.ts';
import { formatType } from '../../src/dns/type.ts';
import type { ListenAddress } from '../../src/server/listen-address.ts';
import { loadNative } from '../../src/server/native.ts';
import { type DnsServer, type ServeDnsOptions, type Sockets, serveDns } from '../../src/server/serve-dns.ts';
import { FramedClient } from '../server/framed-client.ts';
import { testSnapshot } from '../server/test-snapshot.ts';

/*
 * The DNS server as a black box, and clients for it: real worker threads, real sockets on loopback, a real compiled
 * zone. Everything is closed after each test.
 */
export const loopback: ListenAddress = { address: '127.0.0.1', port: 0 };

const loaded = loadNative();

/** What the suites run over, each in full. */
export const kinds: readonly Sockets[] = 'native' in loaded ? ['addon', 'node'] : ['node'];

/** For the names of tests that need the addon. */
export const withoutAddon = 'native' in loaded ? '' : ` (skipped: no addon here, ${loaded.reason})`;

/** Called in reverse after the test. */
export const closers: (() => Promise<unknown> | undefined)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

export async function serve(
  options: Partial<ServeDnsOptions> = {},
): Promise<DnsServer & { readonly log: string[] }> {
  const log: string[] = [];
  const server = await serveDns({
    addresses: [loopback],
    snapshot: testSnapshot(),
    log: {
      debug: () => undefined,
      warn: (_fields, message) => log.push(message),
      error: (fields, message) => log.push(`${message}: ${JSON.stringify(fields)}`),
    },
    ...options,
  });
  closers.push(() => server.close());
  return { ...server, log };
}

export function portOf(server: DnsServer): number {
  return server.addresses[0]?.port ?? 0;
}

export async function udpClient(host = '127.0.0.1'): Promise<Socket> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.bind(0, host);
  await once(socket, 'listening');
  closers.push(() => new Promise<void>((resolve) => socket.close(resolve)));
  return socket;
}

export async function askUdp(
  socket: Socket,
  port: number,
  query: Uint8Array,
  host = '127.0.0.1',
): Promise<Buffer> {
  const answer = once(socket, 'message');
  socket.send(query, port, host);
  const [octets] = await answer;
  return octets as Buffer;
}

export async function tcpClient(port: number, host = '127.0.0.1'): Promise<FramedClient> {
  const client = await FramedClient.connect(port, host);
  closers.push(async () => {
    client.socket.destroy();
  });
  return client;
}

export async function askTcp(port: number, query: Uint8Array, host = '127.0.0.1'): Promise<Buffer> {
  const client = await tcpClient(port, host);
  client.send(query);
  const [octets] = await client.received(1);
  client.socket.destroy();
  return octets ?? Buffer.alloc(0);
}

export function decoded(octets: Uint8Array): Message {
  const message = decodeMessage(octets);
  if (!message.ok) throw new Error(JSON.stringify(message.problems));
  return message.value;
}

/** The code and the records of the answer section, as text. */
export function told(octets: Uint8Array): string {
  const { rcode, answers } = decoded(octets);
  return [rcode, ...answers.map(({ type, text }) => `${formatType(type)} ${text}`)].join('; ');
}
