import { afterEach, describe, expect, it } from 'vitest';
import { type CounterLabel, readCounter } from '../../src/observe/counters.ts';
import { loadNative, type Native } from '../../src/server/native.ts';
import type { SocketServer } from '../../src/server/run-worker.ts';
import { defaultServerLimits, type TcpLimits } from '../../src/server/server-limits.ts';
import { TcpBatchTransport } from '../../src/server/tcp-batch-transport.ts';
import { TcpTransport } from '../../src/server/tcp-transport.ts';
import { Precedence } from '../../src/server/thread-priority.ts';
import { until } from '../until.ts';
import { echoParts, echoQuery, idOf } from './echo.ts';
import { FramedClient, frame } from './framed-client.ts';

/*
 * One suite for both transports, in the thread of the test: the one on the addon gets a turn in every round of the
 * event loop, and is woken before, so that it does not wait.
 */
type Parts = ReturnType<typeof echoParts>;

/** Soon enough for a test; every test of it waits for the event and not for the time. */
const SOON_MS = 40;
/** Never reached within a test. */
const NEVER_MS = 1e9;

const patient: TcpLimits = {
  ...defaultServerLimits.tcp,
  idleMs: NEVER_MS,
  partialMessageMs: NEVER_MS,
  slowReaderMs: NEVER_MS,
  lingerMs: NEVER_MS,
  sweepMs: 10,
};

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

const loaded = loadNative();
const transports: readonly { name: string; create: (parts: Parts) => SocketServer }[] = [
  { name: 'node:net', create: (parts) => new TcpTransport(parts) },
  ...('native' in loaded
    ? [{ name: 'the addon', create: (parts: Parts) => pumped(parts, loaded.native) }]
    : []),
];

function pumped(parts: Parts, native: Native): SocketServer {
  const wake = native.createWake();
  const transport = new TcpBatchTransport({
    ...parts,
    native,
    wake,
    precedence: new Precedence(undefined),
    rung: () => true,
  });
  let open = true;
  const turn = (): void => {
    if (!open) return;
    native.wake(wake);
    transport.serve();
    setImmediate(turn);
  };
  turn();
  return {
    listen: (address, sharing) => transport.listen(address, sharing),
    adopt: (address, descriptor) => transport.adopt(address, descriptor),
    release: (address) => transport.release(address),
    close: async () => {
      if (!open) return;
      open = false;
      await transport.close();
    },
  };
}

interface Started {
  connect(host?: string): Promise<FramedClient>;
  counted(label: CounterLabel<'tcpEvents'>): number;
  open(): number;
  close(): Promise<void>;
  port: number;
}

async function startWith(
  create: (parts: Parts) => SocketServer,
  limits: Partial<TcpLimits>,
  address = '127.0.0.1',
): Promise<Started> {
  const parts = echoParts({ ...defaultServerLimits, drainMs: 200, tcp: { ...patient, ...limits } });
  const transport = create(parts);
  const port = await transport.listen({ address, port: 0 }, 'alone');
  const clients: FramedClient[] = [];
  closers.push(async () => {
    for (const client of clients) client.socket.destroy();
    await transport.close();
  });
  return {
    connect: async (from) => {
      const client = await FramedClient.connect(port, address, from);
      clients.push(client);
      return client;
    },
    counted: (label) => readCounter([parts.counters], 'tcpEvents', label),
    open: () => readCounter([parts.counters], 'tcpConnections', 'open'),
    close: () => transport.close(),
    port,
  };
}

describe.each(transports)('DNS over TCP on $name', ({ create }) => {
  const start = (limits: Partial<TcpLimits> = {}): Promise<Started> => startWith(create, limits);

  it('answers a query, and knows who asked', async () => {
    const server = await start();
    const client = await server.connect();
    client.send(echoQuery(7, 20));
    const [message] = await client.received(1);
    expect(message?.length).toBe(20);
    expect(message?.subarray(0, 11).toString('latin1')).toBe('\0\x07127.0.0.1');
    expect(server.counted('accepted')).toBe(1);
    expect(server.open()).toBe(1);
  });

  it('answers a hundred queries of one write, in their order', async () => {
    const server = await start();
    const client = await server.connect();
    client.send(...Array.from({ length: 100 }, (_, id) => echoQuery(id, 50)));
    const messages = await client.received(100);
    expect(messages.map(idOf)).toEqual(Array.from({ length: 100 }, (_, id) => id));
  });

  it('answers a query wherever it is cut, the length included', async () => {
    const server = await start();
    const client = await server.connect();
    client.socket.setNoDelay(true);
    const octets = frame(echoQuery(2, 12));
    for (let cut = 1; cut < octets.length; cut++) {
      // The answer to the query before it tells that the first piece was read.
      client.socket.write(Buffer.concat([frame(echoQuery(1, 12)), octets.subarray(0, cut)]));
      await client.received(2 * cut - 1);
      client.socket.write(octets.subarray(cut));
      expect((await client.received(2 * cut)).slice(-2).map(idOf), `cut at ${cut}`).toEqual([1, 2]);
    }
  });

  it('takes the longest message and gives the longest answer', async () => {
    const server = await start();
    const client = await server.connect();
    const query = Buffer.alloc(65_535);
    echoQuery(9, 65_535).copy(query);
    client.send(query, query);
    const messages = await client.received(2);
    expect(messages.map(({ length }) => length)).toEqual([65_535, 65_535]);
  });

  it('sends nothing for what is not answered, and goes on', async () => {
    const server = await start();
    const client = await server.connect();
    client.send(echoQuery(1, 0), echoQuery(2, 12));
    expect((await client.received(1)).map(idOf)).toEqual([2]);
  });

  it('answers what was asked before the client ended its side, then closes', async () => {
    const server = await start();
    const client = await server.connect();
    client.socket.end(Buffer.concat([frame(echoQuery(1, 12)), frame(echoQuery(2, 30_000))]));
    await client.ended;
    expect(client.messages.map(idOf)).toEqual([1, 2]);
  });

  it('closes on a length that no message has, after the answers before it', async () => {
    const server = await start();
    const client = await server.connect();
    client.socket.write(Buffer.concat([frame(echoQuery(1, 12)), Buffer.of(0, 11), Buffer.alloc(11)]));
    await client.ended;
    expect(client.messages.map(idOf)).toEqual([1]);
    expect(server.counted('closed-bad-frame')).toBe(1);
  });

  it('closes on such a length that comes in two pieces', async () => {
    const server = await start();
    const client = await server.connect();
    client.socket.setNoDelay(true);
    client.socket.write(Buffer.concat([frame(echoQuery(1, 12)), Buffer.of(0)]));
    await client.received(1);
    client.socket.write(Buffer.of(5));
    await client.ended;
    expect(server.counted('closed-bad-frame')).toBe(1);
  });

  it('answers a thousand queries of one write, in their order', async () => {
    const server = await start();
    const client = await server.connect();
    client.send(...Array.from({ length: 1000 }, (_, id) => echoQuery(id, 100)));
    const messages = await client.received(1000);
    expect(messages.map(idOf)).toEqual(Array.from({ length: 1000 }, (_, id) => id));
  });

  it('answers many connections that ask once and go', async () => {
    const server = await start();
    for (let round = 0; round < 10; round++) {
      const clients = await Promise.all(Array.from({ length: 20 }, () => server.connect()));
      for (const [id, client] of clients.entries()) client.send(echoQuery(id, 12));
      await Promise.all(clients.map((client) => client.received(1)));
      expect(clients.map(({ messages }) => idOf(messages[0]))).toEqual(clients.map((_, id) => id));
      for (const { socket } of clients) socket.end();
      await Promise.all(clients.map(({ ended }) => ended));
    }
    await until(() => server.open() === 0);
    expect(server.counted('accepted')).toBe(200);
  });

  it('answers the second query of a connection whose first took its time', async () => {
    const server = await start();
    const client = await server.connect();
    for (let id = 1; id <= 5; id++) {
      client.send(echoQuery(id, 12));
      await client.received(id);
      for (let turn = 0; turn < id * 2; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(client.messages.map(idOf)).toEqual([1, 2, 3, 4, 5]);
  });

  it('knows an IPv6 client', async () => {
    const server = await startWith(create, {}, '::1');
    const client = await server.connect();
    client.send(echoQuery(7, 20));
    const [message] = await client.received(1);
    expect(message?.subarray(0, 5).toString('latin1')).toBe('\0\x07::1');
  });

  it('says what is wrong with an address', async () => {
    const server = await start();
    const parts = echoParts();
    const transport = create(parts);
    closers.push(() => transport.close());
    await expect(
      transport.listen({ address: '127.0.0.1', port: server.port }, 'alone'),
    ).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    await expect(transport.listen({ address: '192.0.2.1', port: 0 }, 'alone')).rejects.toMatchObject({
      code: 'EADDRNOTAVAIL',
    });
  });

  it('outlives garbage', async () => {
    const server = await start();
    for (let seed = 1; seed <= 20; seed++) {
      const client = await server.connect();
      const octets = Buffer.alloc(400);
      let state = seed;
      for (let at = 0; at < octets.length; at++) {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        octets[at] = at % 50 === 0 ? 0 : state >>> 24;
      }
      client.socket.end(octets);
      await Promise.race([client.ended, client.closed]);
    }
    const client = await server.connect();
    client.send(echoQuery(2, 12));
    expect((await client.received(1)).map(idOf)).toEqual([2]);
  });

  it('outlives a client that resets', async () => {
    const server = await start();
    const rude = await server.connect();
    rude.send(echoQuery(1, 60_000));
    rude.socket.resetAndDestroy();
    const client = await server.connect();
    client.send(echoQuery(2, 12));
    expect((await client.received(1)).map(idOf)).toEqual([2]);
  });
});

describe.each(transports)('limits of DNS over TCP on $name', ({ create }) => {
  const start = (limits: Partial<TcpLimits> = {}): Promise<Started> => startWith(create, limits);

  it('closes an idle connection', async () => {
    const server = await start({ idleMs: SOON_MS });
    const client = await server.connect();
    client.send(echoQuery(1, 12));
    await client.received(1);
    await client.ended;
    expect(server.counted('closed-idle')).toBe(1);
  });

  it('closes on a message that does not arrive whole', async () => {
    const server = await start({ partialMessageMs: SOON_MS });
    const client = await server.connect();
    client.socket.write(frame(echoQuery(1, 12)).subarray(0, 10));
    await client.ended;
    expect(server.counted('closed-partial-message')).toBe(1);
  });

  it('stops reading from a client that does not read, and closes it', async () => {
    const server = await start({ slowReaderMs: SOON_MS });
    const client = await server.connect();
    client.socket.pause();
    // 64 MB of answers: more than any pair of kernel buffers holds.
    const many = Array.from({ length: 1000 }, (_, id) => echoQuery(id, 65_000));
    client.send(...many);
    await until(() => server.counted('closed-slow-reader') === 1);
    client.socket.resume();
    await Promise.race([client.ended, client.closed]);
    expect(client.messages.length).toBeLessThan(1000);
  });

  it('goes on where it stopped when a slow client reads after all', async () => {
    const server = await start();
    const client = await server.connect();
    client.socket.pause();
    client.send(...Array.from({ length: 600 }, (_, id) => echoQuery(id, 65_000)));
    // A second connection answers meanwhile: the first one's answers were not made in advance of its reading.
    const other = await server.connect();
    other.send(echoQuery(1, 12));
    await other.received(1);
    client.socket.resume();
    const messages = await client.received(600);
    expect(messages.map(idOf)).toEqual(Array.from({ length: 600 }, (_, id) => id));
  });

  it('answers a slow client whole that has ended its side', async () => {
    const server = await start();
    const client = await server.connect();
    client.socket.pause();
    client.socket.end(Buffer.concat(Array.from({ length: 300 }, (_, id) => frame(echoQuery(id, 65_000)))));
    const other = await server.connect();
    other.send(echoQuery(1, 12));
    await other.received(1);
    client.socket.resume();
    await client.ended;
    expect(client.messages.length).toBe(300);
  });

  it('refuses more connections of one client than it allows', async () => {
    const server = await start({ connectionsPerClient: 2 });
    const first = await server.connect();
    const second = await server.connect();
    first.send(echoQuery(1, 12));
    second.send(echoQuery(2, 12));
    await Promise.all([first.received(1), second.received(1)]);
    const third = await server.connect();
    third.send(echoQuery(3, 12));
    await Promise.race([third.ended, third.closed]);
    expect(third.messages).toEqual([]);
    expect(server.counted('refused-client')).toBe(1);
    // Another client is none of its business.
    const neighbour = await server.connect('127.0.0.2');
    neighbour.send(echoQuery(4, 12));
    await neighbour.received(1);
    first.socket.destroy();
    await until(() => server.open() === 2);
    const again = await server.connect();
    again.send(echoQuery(5, 12));
    await Promise.race([again.received(1), again.ended]);
    expect(again.messages.map(idOf)).toEqual([5]);
  });

  it('makes room for the newest by closing the connection that has been idle longest', async () => {
    const server = await start({ connections: 2 });
    const first = await server.connect();
    first.send(echoQuery(1, 12));
    await first.received(1);
    const second = await server.connect();
    second.send(echoQuery(2, 12));
    await second.received(1);
    const third = await server.connect();
    third.send(echoQuery(3, 12));
    expect((await third.received(1)).map(idOf)).toEqual([3]);
    await first.ended;
    expect(server.counted('closed-for-newer')).toBe(1);
    expect(server.open()).toBe(2);
  });

  it('gives up those first that never sent a whole message, however they keep busy', async () => {
    const server = await start({ connections: 3 });
    const asking = await server.connect();
    asking.send(echoQuery(1, 12));
    await asking.received(1);
    const stuck: FramedClient[] = [];
    for (let id = 0; id < 6; id++) {
      const client = await server.connect();
      client.socket.write(Buffer.of(0));
      stuck.push(client);
      await until(() => server.counted('accepted') === 2 + id);
    }
    await Promise.all(stuck.slice(0, 4).map(({ ended }) => ended));
    const newest = await server.connect();
    newest.send(echoQuery(2, 12));
    expect((await newest.received(1)).map(idOf)).toEqual([2]);
    asking.send(echoQuery(3, 12));
    expect((await asking.received(2)).map(idOf)).toEqual([1, 3]);
    expect(server.counted('closed-for-newer')).toBe(5);
    expect(server.open()).toBe(3);
  });

  it('closes on a client that keeps its side open after a bad frame', async () => {
    const server = await start({ lingerMs: SOON_MS });
    const client = await server.connect();
    client.socket.write(Buffer.of(0, 3, 1, 2, 3));
    await client.ended;
    await until(() => server.counted('closed-lingering') === 1);
    expect(server.open()).toBe(0);
  });

  it('answers what had arrived before it is closed', async () => {
    const server = await start();
    const clients = await Promise.all(Array.from({ length: 5 }, () => server.connect()));
    const sent = clients.map(
      (client, id) => new Promise((resolve) => client.socket.write(frame(echoQuery(id, 30_000)), resolve)),
    );
    await Promise.all(sent);
    await until(() => server.counted('accepted') === 5);
    await server.close();
    await Promise.all(clients.map(({ ended }) => ended));
    expect(server.open()).toBe(0);
  });

  it('closes every connection when it is closed, and frees the port', async () => {
    const server = await start();
    const client = await server.connect();
    client.send(echoQuery(1, 12));
    await client.received(1);
    await server.close();
    await client.ended;
    await expect(FramedClient.connect(server.port)).rejects.toThrow('ECONNREFUSED');
  });
});
