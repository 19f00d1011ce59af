import { execFile } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { openCounters, readCounter, readCounters } from '../../src/observe/counters.ts';
import { loadNative } from '../../src/server/native.ts';
import { UDP_SLOT_OCTETS } from '../../src/server/native-udp.ts';
import type { DnsServer } from '../../src/server/serve-dns.ts';
import { queryFor, testSnapshot } from '../server/test-snapshot.ts';
import { until } from '../until.ts';
import { askTcp, askUdp, closers, kinds, portOf, serve, told, udpClient, withoutAddon } from './dns-stage.ts';

/*
 * What UDP does beyond one question and one answer: many workers on one port, floods, takeovers, ends.
 */
const query = queryFor('www.example.org', 'A');
const answer = '0; A 192.0.2.1';

/** A client that always has so many queries on their way; each is known by its number. */
interface Flood {
  readonly answered: () => number;
  /** Asks no more; resolves when every query has its answer. */
  stop(): Promise<void>;
}

async function flood(port: number, window: number): Promise<Flood> {
  const socket: Socket = await udpClient();
  const waiting = new Set<number>();
  const done = Promise.withResolvers<void>();
  let next = 0;
  let answered = 0;
  let state: 'asks' | 'stops' = 'asks';
  const ask = (): void => {
    const id = next++ & 0xffff;
    waiting.add(id);
    socket.send(queryFor('www.example.org', 'A', id), port, '127.0.0.1');
  };
  socket.on('message', (octets) => {
    if (waiting.delete(octets.readUInt16BE(0))) answered++;
    if (state === 'asks') ask();
    else if (waiting.size === 0) done.resolve();
  });
  for (let id = 0; id < window; id++) ask();
  return {
    answered: () => answered,
    stop: () => {
      state = 'stops';
      if (waiting.size === 0) done.resolve();
      return done.promise;
    },
  };
}

/** UDP queries by worker. */
function queriesOf(server: DnsServer): readonly number[] {
  return server.counters.map((memory) =>
    readCounters([openCounters(memory)], 'udpQueries').reduce((sum, { value }) => sum + value, 0),
  );
}

describe.each(kinds)('UDP on %s', (sockets) => {
  it('shares one port between several workers', async () => {
    const server = await serve({ sockets, udpWorkers: 3 });
    for (let client = 0; client < 40; client++)
      expect(told(await askUdp(await udpClient(), portOf(server), query))).toBe(answer);
    const queries = queriesOf(server);
    expect(queries.reduce((sum, count) => sum + count, 0)).toBe(40);
    expect(queries.filter((count) => count > 0).length).toBeGreaterThan(1);
  });

  it('drops what cannot be a query, counts it, and goes on', async () => {
    const server = await serve({ sockets, udpWorkers: 1 });
    const socket = await udpClient();
    for (const length of [0, 1, 11, UDP_SLOT_OCTETS + 1, 9_000])
      socket.send(Buffer.alloc(length), portOf(server), '127.0.0.1');
    expect(told(await askUdp(socket, portOf(server), query))).toBe(answer);
    const counters = server.counters.map(openCounters);
    expect([readCounter(counters, 'drops', 'too-short'), readCounter(counters, 'drops', 'too-long')]).toEqual(
      [3, 2],
    );
  });

  it('goes on when clients have gone before their answers', async () => {
    const server = await serve({ sockets, udpWorkers: 1 });
    for (let client = 0; client < 20; client++) {
      const gone = createSocket('udp4');
      gone.send(query, portOf(server), '127.0.0.1', () => gone.close());
    }
    expect(told(await askUdp(await udpClient(), portOf(server), query))).toBe(answer);
    expect(server.log).toEqual([]);
  });

  it('answers the next query from what was published, under a flood', async () => {
    const server = await serve({ sockets, udpWorkers: 1 });
    const rush = await flood(portOf(server), 50);
    const socket = await udpClient();
    for (let generation = 2; generation < 12; generation++) {
      await server.publish(testSnapshot(generation, `192.0.2.${generation}`));
      expect(told(await askUdp(socket, portOf(server), query))).toBe(`0; A 192.0.2.${generation}`);
    }
    await rush.stop();
  });

  it('hears each publication when it has nothing to do', async () => {
    const server = await serve({ sockets, udpWorkers: 2 });
    for (let generation = 2; generation < 12; generation++)
      await server.publish(testSnapshot(generation, `192.0.2.${generation}`));
    expect(told(await askUdp(await udpClient(), portOf(server), query))).toBe('0; A 192.0.2.11');
  });

  it('answers what had arrived when it was told to close', async () => {
    const server = await serve({ sockets, udpWorkers: 2 });
    const clients = await Promise.all(Array.from({ length: 8 }, () => udpClient()));
    const answers = clients.map(
      (socket) =>
        new Promise<number>((resolve) => {
          let count = 0;
          socket.on('message', () => {
            count++;
            if (count === 20) resolve(count);
          });
        }),
    );
    const sent = clients.flatMap((socket) =>
      Array.from(
        { length: 20 },
        () =>
          new Promise<void>((resolve) => {
            socket.send(query, portOf(server), '127.0.0.1', () => resolve());
          }),
      ),
    );
    await Promise.all(sent);
    await server.close();
    expect(await Promise.all(answers)).toEqual(Array(8).fill(20));
  });

  it.each([
    { name: 'exit', want: 3 },
    { name: 'throw', want: 1 },
    { name: 'close', want: 3 },
  ])('lets its process end: $name', async ({ name, want }) => {
    const child = fileURLToPath(new URL('./exit-child.ts', import.meta.url));
    const code = await new Promise((resolve) => {
      execFile(process.execPath, [child, name, sockets], (error) => resolve(error?.code ?? 0));
    });
    expect(code).toBe(want);
  });
});

describe('UDP on node alone', () => {
  it('serves beside an older server on the same port, and after it', async () => {
    const server = await serve({ sockets: 'node', udpWorkers: 1 });
    const { addresses } = server;
    const successor = await serve({ sockets: 'node', udpWorkers: 1, addresses, sharing: 'joined' });
    await server.close();
    expect(told(await askUdp(await udpClient(), portOf(successor), query))).toBe(answer);
    expect(told(await askTcp(portOf(successor), query))).toBe(answer);
    await expect(serve({ sockets: 'node', addresses })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

describe.skipIf(withoutAddon !== '')(`UDP on the addon alone${withoutAddon}`, () => {
  it('keeps what arrives while a worker is started again', async () => {
    const workers = new Map<string, Worker>();
    const server = await serve({
      udpWorkers: 2,
      startWorker: (url, options) => {
        const worker = new Worker(url, options);
        workers.set(options.name ?? '', worker);
        return worker;
      },
    });
    await workers.get('dns-udp-2')?.terminate();
    const asked = Array.from({ length: 20 }, async () =>
      told(await askUdp(await udpClient(), portOf(server), query)),
    );
    expect(await Promise.all(asked)).toEqual(Array(20).fill(answer));
    expect(readCounter(server.counters.map(openCounters), 'worker', 'restarts')).toBe(1);
  });

  it.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [2, 3],
  ])(
    'hands over from %i workers to %i and back, under a flood, without a lost query',
    async (mine, others) => {
      let server = await serve({ udpWorkers: mine });
      const { addresses } = server;
      const rush = await Promise.all(Array.from({ length: 8 }, () => flood(portOf(server), 4)));
      for (const [turn, udpWorkers] of [others, mine].entries()) {
        const older = server.socketCounts;
        const successor = await serve({
          addresses,
          udpWorkers,
          sharing: 'joined',
          older,
          snapshot: testSnapshot(turn + 2, `192.0.2.${turn + 2}`),
        });
        const before = rush[0]?.answered() ?? 0;
        await until(() => (rush[0]?.answered() ?? 0) > before + 20);
        // Until the traffic is claimed, the older one answers all of it.
        expect(queriesOf(successor).reduce((sum, count) => sum + count, 0)).toBe(0);
        successor.claimTraffic(older);
        const socket = await udpClient();
        expect(told(await askUdp(socket, portOf(successor), query))).toBe(`0; A 192.0.2.${turn + 2}`);
        await server.close();
        successor.releaseClaim();
        expect(told(await askTcp(portOf(successor), query))).toBe(`0; A 192.0.2.${turn + 2}`);
        server = successor;
      }
      await Promise.all(rush.map((client) => client.stop()));
      for (let client = 0; client < 40; client++) await askUdp(await udpClient(), portOf(server), query);
      const busy = queriesOf(server).filter((count) => count > 0);
      expect(busy.length).toBeGreaterThan(mine > 1 ? 1 : 0);
    },
  );

  it('gives the traffic back when a successor closes before its time, without a lost query', async () => {
    const server = await serve({ udpWorkers: 2 });
    const rush = await Promise.all(Array.from({ length: 8 }, () => flood(portOf(server), 4)));
    const older = server.socketCounts;
    const successor = await serve({ addresses: server.addresses, udpWorkers: 2, sharing: 'joined', older });
    successor.claimTraffic(older);
    await until(() => queriesOf(successor).reduce((sum, count) => sum + count, 0) > 20);
    await successor.close();
    await Promise.all(rush.map((client) => client.stop()));
    expect(told(await askUdp(await udpClient(), portOf(server), query))).toBe(answer);
    expect(told(await askTcp(portOf(server), query))).toBe(answer);
  });

  it('serves on sockets that it is given', async () => {
    const loaded = loadNative();
    if (!('native' in loaded)) throw new Error(loaded.reason);
    const { native } = loaded;
    const tcp = native.openTcp('127.0.0.1', 0, 0);
    const port = native.socketPort(tcp);
    const udp = native.openUdp('127.0.0.1', port, 65_536, 65_536, 0);
    const kept = native.duplicateSocket(udp);
    closers.push(async () => native.closeSocket(kept));
    const server = await serve({ addresses: [{ address: '127.0.0.1', port, udp, tcp }], udpWorkers: 2 });
    expect(server.addresses).toEqual([{ address: '127.0.0.1', port }]);
    for (let client = 0; client < 10; client++)
      expect(told(await askUdp(await udpClient(), port, query))).toBe(answer);
    expect(told(await askTcp(port, query))).toBe(answer);
    await server.close();
    // Whoever gave the socket may hold it still: what arrives now waits for the next server.
    const late = askUdp(await udpClient(), port, query);
    const again = native.duplicateSocket(kept);
    await serve({ addresses: [{ address: '127.0.0.1', port, udp: again }], udpWorkers: 1 });
    expect(told(await late)).toBe(answer);
  });
});
