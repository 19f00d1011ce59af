import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { readCounter } from '../../src/observe/counters.ts';
import { loadNative, type Native } from '../../src/server/native.ts';
import { UDP_SLOT_OCTETS, UDP_SLOTS } from '../../src/server/native-udp.ts';
import { defaultServerLimits, type ServerLimits } from '../../src/server/server-limits.ts';
import { Precedence } from '../../src/server/thread-priority.ts';
import { UdpBatchTransport } from '../../src/server/udp-batch-transport.ts';
import { echoParts, echoQuery, idOf } from './echo.ts';

/*
 * The transport in this thread: it serves when the test says so, until nothing is left to be answered. So what stands in
 * one batch is known.
 */
const loaded = loadNative();
const skipped = 'native' in loaded ? '' : ` (skipped: no addon here, ${loaded.reason})`;

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Stage {
  readonly native: Native;
  readonly transport: UdpBatchTransport;
  /** Answers all that has arrived. */
  serveAll(): void;
  counted(label: 'too-short' | 'too-long' | 'receive-queue-full' | 'send-failed'): number;
  segmentedSends(): number;
}

function setUp(limits: ServerLimits = defaultServerLimits): Stage {
  if (!('native' in loaded)) throw new Error(loaded.reason);
  const { native } = loaded;
  const wake = native.createWake();
  const parts = echoParts(limits);
  const transport = new UdpBatchTransport({
    ...parts,
    native,
    wake,
    precedence: new Precedence(undefined),
    rung: () => false,
  });
  closers.push(async () => {
    await transport.close();
    native.closeWake(wake);
  });
  return {
    native,
    transport,
    serveAll: () => {
      native.wake(wake);
      transport.serve();
    },
    counted: (label) => readCounter([parts.counters], 'drops', label),
    segmentedSends: () => readCounter([parts.counters], 'udpSends', 'segmented'),
  };
}

interface Answer {
  readonly octets: Buffer;
  readonly from: string;
}

interface Client {
  readonly socket: Socket;
  /** Resolves when the system has taken the query. */
  ask(query: Uint8Array, port: number, address?: string): Promise<void>;
  answers(count: number): Promise<readonly Answer[]>;
}

async function client(address = '127.0.0.1'): Promise<Client> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.bind(0, address);
  await once(socket, 'listening');
  closers.push(() => {
    socket.close();
  });
  const received: Answer[] = [];
  let enough = (): void => undefined;
  socket.on('message', (octets, { address: from }) => {
    received.push({ octets, from });
    enough();
  });
  return {
    socket,
    ask: (query, port, to = address) =>
      new Promise((resolve, reject) => {
        socket.send(query, port, to, (error) => (error === null ? resolve() : reject(error)));
      }),
    answers: (count) =>
      new Promise((resolve) => {
        enough = () => {
          if (received.length >= count) resolve(received);
        };
        enough();
      }),
  };
}

function addressIn({ octets }: Answer): string {
  const end = octets.indexOf(0, 2);
  return octets.subarray(2, end < 0 ? octets.length : end).toString('latin1');
}

describe.skipIf(skipped !== '')(`DNS over UDP on the addon${skipped}`, () => {
  it.each([
    { name: 'IPv4', address: '127.0.0.1' },
    { name: 'IPv6', address: '::1' },
  ])('answers over $name, and knows who asked', async ({ address }) => {
    const { transport, serveAll } = setUp();
    const port = await transport.listen({ address, port: 0 }, 'alone');
    const { ask, answers } = await client(address);
    await ask(echoQuery(7, 30), port);
    serveAll();
    const [answer] = await answers(1);
    expect([idOf(answer?.octets), answer && addressIn(answer), answer?.from]).toEqual([7, address, address]);
  });

  it('sends many answers of one length to one client at once, each whole', async () => {
    const { transport, serveAll, segmentedSends } = setUp();
    const port = await transport.listen({ address: '127.0.0.1', port: 0 }, 'alone');
    const clients = [await client(), await client()] as const;
    // Two lengths that alternate: neither client's answers may be mixed up, nor the lengths.
    for (let id = 0; id < 100; id++)
      for (const { ask } of clients) await ask(echoQuery(id, 20 + (id % 2)), port);
    serveAll();
    for (const { answers } of clients) {
      const seen = await answers(100);
      const told = seen.map(({ octets }) => `${idOf(octets)} ${octets.length}`).sort();
      expect(told).toEqual(Array.from({ length: 100 }, (_, id) => `${id} ${20 + (id % 2)}`).sort());
    }
    expect(segmentedSends()).toBeGreaterThanOrEqual(4);
    expect(segmentedSends()).toBeLessThan(20);
  });

  it('sends what is too long for a segment one by one', async () => {
    const { transport, serveAll, segmentedSends } = setUp();
    const port = await transport.listen({ address: '127.0.0.1', port: 0 }, 'alone');
    const { ask, answers } = await client();
    for (let id = 0; id < 10; id++) await ask(echoQuery(id, 1400), port);
    serveAll();
    expect((await answers(10)).map(({ octets }) => octets.length)).toEqual(Array(10).fill(1400));
    expect(segmentedSends()).toBe(0);
  });

  it('answers from the address that was asked, on a wildcard address', async () => {
    const { transport, serveAll } = setUp();
    const port = await transport.listen({ address: '0.0.0.0', port: 0 }, 'alone');
    const { ask, answers } = await client();
    // Of one client and one length, yet not to be sent together.
    const asked = ['127.0.0.2', '127.0.0.3', '127.0.0.2', '127.0.0.1', '127.0.0.3'];
    for (const [id, address] of asked.entries()) await ask(echoQuery(id, 20), port, address);
    serveAll();
    const seen = await answers(asked.length);
    const from = new Map(seen.map((answer) => [idOf(answer.octets), answer.from]));
    expect(asked.map((_, id) => from.get(id))).toEqual(asked);
  });

  it('answers from the address that was asked, on the wildcard address of IPv6', async () => {
    const { transport, serveAll } = setUp();
    const port = await transport.listen({ address: '::', port: 0 }, 'alone');
    const { socket, ask, answers } = await client('::1');
    await ask(echoQuery(3, 30), port);
    serveAll();
    expect((await answers(1)).map(({ from }) => from)).toEqual([socket.address().address]);
  });

  it('serves a socket of both families that was opened elsewhere', async () => {
    const { native, transport, serveAll } = setUp();
    const elsewhere = createSocket({ type: 'udp6', ipv6Only: false });
    elsewhere.bind(0, '::');
    await once(elsewhere, 'listening');
    const { port } = elsewhere.address();
    const copies = openDescriptors()
      .filter((descriptor) => portOr(native, descriptor) === port)
      .map((descriptor) => native.duplicateSocket(descriptor));
    await new Promise<void>((resolve) => elsewhere.close(() => resolve()));
    expect(copies.length).toBe(1);
    expect(transport.adopt({ address: '::', port: 0 }, copies[0] ?? -1)).toBe(port);
    const v4 = await client('127.0.0.1');
    const v6 = await client('::1');
    await v4.ask(echoQuery(4, 30), port, '127.0.0.2');
    await v6.ask(echoQuery(6, 30), port);
    serveAll();
    const told = [...(await v4.answers(1)), ...(await v6.answers(1))];
    expect(told.map((answer) => `${addressIn(answer)} from ${answer.from}`)).toEqual([
      '127.0.0.1 from 127.0.0.2',
      '::1 from ::1',
    ]);
  });

  it('drops what is too short or too long, counts it, and goes on', async () => {
    const { transport, serveAll, counted } = setUp();
    const port = await transport.listen({ address: '127.0.0.1', port: 0 }, 'alone');
    const { ask, answers } = await client();
    for (let length = 0; length < 12; length++) await ask(Buffer.alloc(length), port);
    await ask(Buffer.alloc(UDP_SLOT_OCTETS + 1), port);
    await ask(Buffer.alloc(60_000), port);
    await ask(echoQuery(3, 12), port);
    serveAll();
    expect((await answers(1)).map(({ octets }) => idOf(octets))).toEqual([3]);
    expect([counted('too-short'), counted('too-long')]).toEqual([12, 2]);
  });

  it('sends nothing where there is no answer', async () => {
    const { transport, serveAll } = setUp();
    const port = await transport.listen({ address: '127.0.0.1', port: 0 }, 'alone');
    const { ask, answers } = await client();
    for (let id = 0; id < 4; id++) await ask(echoQuery(id, id % 2 === 0 ? 0 : 12), port);
    serveAll();
    expect((await answers(2)).map(({ octets }) => idOf(octets))).toEqual([1, 3]);
  });

  it('takes its sockets in turn', async () => {
    const { transport, serveAll } = setUp();
    const ports = [
      await transport.listen({ address: '127.0.0.1', port: 0 }, 'alone'),
      await transport.listen({ address: '127.0.0.2', port: 0 }, 'alone'),
      await transport.listen({ address: '::1', port: 0 }, 'alone'),
    ];
    const v4 = await client();
    const v6 = await client('::1');
    for (let id = 0; id < UDP_SLOTS + 10; id++) await v4.ask(echoQuery(id, 12), ports[0] ?? 0);
    await v4.ask(echoQuery(9_999, 12), ports[1] ?? 0, '127.0.0.2');
    await v6.ask(echoQuery(5, 30), ports[2] ?? 0);
    serveAll();
    const seen = await v4.answers(UDP_SLOTS + 11);
    const place = seen.findIndex(({ octets }) => idOf(octets) === 9_999);
    expect([place, seen[place]?.from]).toEqual([UDP_SLOTS, '127.0.0.2']);
    expect((await v6.answers(1)).map(addressIn)).toEqual(['::1']);
  });

  it('goes on when clients have gone before their answers', async () => {
    const { transport, serveAll } = setUp();
    const port = await transport.listen({ address: '127.0.0.1', port: 0 }, 'alone');
    for (let round = 0; round < 3; round++) {
      const gone = createSocket('udp4');
      await new Promise<void>((resolve) => gone.send(echoQuery(1, 12), port, '127.0.0.1', () => resolve()));
      await new Promise<void>((resolve) => gone.close(() => resolve()));
      serveAll();
    }
    const { ask, answers } = await client();
    await ask(echoQuery(2, 12), port);
    serveAll();
    expect((await answers(1)).map(({ octets }) => idOf(octets))).toEqual([2]);
  });

  it('answers what has arrived when it is closed', async () => {
    const { transport } = setUp();
    const port = await transport.listen({ address: '127.0.0.1', port: 0 }, 'alone');
    // One client's socket would not hold so many answers.
    const clients = [await client(), await client(), await client()];
    for (const { ask } of clients) for (let id = 0; id < UDP_SLOTS; id++) await ask(echoQuery(id, 12), port);
    await transport.close();
    for (const { answers } of clients) expect((await answers(UDP_SLOTS)).length).toBe(UDP_SLOTS);
  });

  it('counts what the kernel had no room for', async () => {
    const { transport, serveAll, counted } = setUp({ ...defaultServerLimits, udpReceiveBufferOctets: 4096 });
    const port = await transport.listen({ address: '127.0.0.1', port: 0 }, 'alone');
    const { ask, answers } = await client();
    for (let id = 0; id < 100; id++) await ask(echoQuery(id, 12), port);
    serveAll();
    // The kernel is asked when nothing more comes.
    serveAll();
    const lost = counted('receive-queue-full');
    expect(lost).toBeGreaterThan(0);
    expect((await answers(100 - lost)).length).toBe(100 - lost);
  });

  it('refuses a port in use with the code of the system, unless it may join', async () => {
    const { transport } = setUp();
    const port = await transport.listen({ address: '127.0.0.1', port: 0 }, 'alone');
    const where = { address: '127.0.0.1', port };
    await expect(transport.listen(where, 'alone')).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(await transport.listen(where, 'joined')).toBe(port);
  });

  it('frees a released port', async () => {
    const { transport } = setUp();
    const port = await transport.listen({ address: '127.0.0.1', port: 0 }, 'alone');
    await transport.release({ address: '127.0.0.1', port });
    expect(await transport.listen({ address: '127.0.0.1', port }, 'alone')).toBe(port);
  });
});

function openDescriptors(): readonly number[] {
  return readdirSync('/proc/self/fd').map(Number);
}

function portOr(native: Native, descriptor: number): number | undefined {
  try {
    return native.socketPort(descriptor);
  } catch {
    return undefined;
  }
}
