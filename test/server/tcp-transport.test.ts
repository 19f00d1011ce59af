import { afterEach, describe, expect, it } from 'vitest';
import { type CounterLabel, readCounter } from '../../src/observe/counters.ts';
import { defaultServerLimits, type TcpLimits } from '../../src/server/server-limits.ts';
import { TcpTransport } from '../../src/server/tcp-transport.ts';
import { echoParts, echoQuery, idOf } from './echo.ts';
import { FramedClient, frame } from './framed-client.ts';

/** Soon enough for a test; every test of it waits for the event and not for the time. */
const SOON_MS = 40;
/** Never reached within a test. */
const NEVER_MS = 1e9;

const patient: TcpLimits = {
  ...defaultServerLimits.tcp,
  idleMs: NEVER_MS,
  partialMessageMs: NEVER_MS,
  slowReaderMs: NEVER_MS,
  sweepMs: 10,
};

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

async function start(limits: Partial<TcpLimits> = {}): Promise<{
  connect(): Promise<FramedClient>;
  counted(label: CounterLabel<'tcpEvents'>): number;
  open(): number;
  close(): Promise<void>;
  port: number;
}> {
  const parts = echoParts({ ...defaultServerLimits, drainMs: 200, tcp: { ...patient, ...limits } });
  const transport = new TcpTransport(parts);
  const port = await transport.listen({ address: '127.0.0.1', port: 0 });
  const clients: FramedClient[] = [];
  closers.push(async () => {
    for (const client of clients) client.socket.destroy();
    await transport.close();
  });
  return {
    connect: async () => {
      const client = await FramedClient.connect(port);
      clients.push(client);
      return client;
    },
    counted: (label) => readCounter([parts.counters], 'tcpEvents', label),
    open: () => readCounter([parts.counters], 'tcpConnections', 'open'),
    close: () => transport.close(),
    port,
  };
}

/** Lets events happen until the condition holds. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('DNS over TCP', () => {
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

  it('answers queries that are cut anywhere, the length included', async () => {
    const server = await start();
    const client = await server.connect();
    client.socket.setNoDelay(true);
    const octets = Buffer.concat([echoQuery(1, 12), echoQuery(2, 12), echoQuery(3, 12)].map(frame));
    for (const octet of octets) {
      client.socket.write(Buffer.of(octet));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await client.received(3)).map(idOf)).toEqual([1, 2, 3]);
  });

  it('answers every cut of two queries in two writes', async () => {
    const server = await start();
    const octets = Buffer.concat([echoQuery(1, 12), echoQuery(2, 12)].map(frame));
    for (let cut = 1; cut < octets.length; cut++) {
      const client = await server.connect();
      client.socket.setNoDelay(true);
      client.socket.write(octets.subarray(0, cut));
      await new Promise((resolve) => setImmediate(resolve));
      client.socket.write(octets.subarray(cut));
      expect((await client.received(2)).map(idOf), `cut at ${cut}`).toEqual([1, 2]);
      client.socket.destroy();
      await client.closed;
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
    client.socket.write(Buffer.of(0));
    await new Promise((resolve) => setImmediate(resolve));
    client.socket.write(Buffer.of(5));
    await client.ended;
    expect(server.counted('closed-bad-frame')).toBe(1);
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

describe('limits of DNS over TCP', () => {
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
    await server.connect();
    const third = await server.connect();
    await third.ended;
    expect(server.counted('refused-client')).toBe(1);
    first.socket.destroy();
    await until(() => server.open() === 1);
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

  it('refuses the newest when every connection is in the middle of a message', async () => {
    const server = await start({ connections: 1 });
    const busy = await server.connect();
    busy.send(echoQuery(1, 12));
    await busy.received(1);
    busy.socket.write(Buffer.concat([frame(echoQuery(2, 12)), frame(echoQuery(3, 12)).subarray(0, 5)]));
    await busy.received(2);
    const newest = await server.connect();
    await newest.ended;
    expect(server.counted('refused-total')).toBe(1);
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
