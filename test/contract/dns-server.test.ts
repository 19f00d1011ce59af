import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { TYPE_TXT } from '../../src/dns/type.ts';
import { openCounters, readCounter, readCounters } from '../../src/observe/counters.ts';
import { frame } from '../server/framed-client.ts';
import { queryFor, testSnapshot } from '../server/test-snapshot.ts';
import { until } from '../until.ts';
import {
  askTcp,
  askUdp,
  closers,
  decoded,
  kinds,
  loopback,
  portOf,
  serve,
  tcpClient,
  told,
  udpClient,
} from './dns-stage.ts';

const questions = [
  { name: 'an address', given: ['www.example.org', 'A'], want: '0; A 192.0.2.1' },
  { name: 'an IPv6 address', given: ['www.example.org', 'AAAA'], want: '0; AAAA 2001:db8::1' },
  { name: 'a CNAME', given: ['alias.example.org', 'A'], want: '0; CNAME www.example.org.; A 192.0.2.1' },
  { name: 'a wildcard', given: ['x.any.example.org', 'TXT'], want: '0; TXT "from a wildcard"' },
  { name: 'no data', given: ['www.example.org', 'MX'], want: '0' },
  { name: 'no such name', given: ['nothing.example.org', 'A'], want: '3' },
  { name: 'no zone of ours', given: ['www.example.com', 'A'], want: '5' },
] as const;

/** xorshift32, so that a failure can be played back. */
function draws(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** A good query with octets changed, cut or added; every eighth is noise. */
function mutated(draw: () => number): Buffer {
  const query = Buffer.from(queryFor('www.example.org', 'A', draw() & 0xffff));
  if (draw() % 8 === 0) return Buffer.from(Uint8Array.from({ length: draw() % 300 }, () => draw()));
  const packet = Buffer.alloc(draw() % 4 === 0 ? draw() % (query.length + 8) : query.length);
  query.copy(packet);
  for (let flips = draw() % 5; flips > 0 && packet.length > 0; flips--)
    packet[draw() % packet.length] = draw() & 0xff;
  return packet;
}

const SEED = 20_240_601;
const BURST = 50;

/** Sends one UDP packet with source port 0, which only a raw socket can. */
const rawSender = `
import socket, struct, sys
port, payload = int(sys.argv[1]), bytes.fromhex(sys.argv[2])
udp = struct.pack('!HHHH', 0, port, 8 + len(payload), 0) + payload
socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP).sendto(udp, ('127.0.0.1', 0))
`;

async function canSendRaw(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  try {
    // Port 9 is the discard service: nobody listens, and the packet is lost.
    await promisify(execFile)('python3', ['-c', rawSender, '9', '00']);
    return true;
  } catch {
    return false;
  }
}

const raw = await canSendRaw();

describe.each(kinds)('DNS on %s', (sockets) => {
  describe('UDP and TCP', () => {
    it('give the same answers', async () => {
      const server = await serve({ sockets });
      const socket = await udpClient();
      for (const { name, given, want } of questions) {
        const query = queryFor(given[0], given[1]);
        const udp = await askUdp(socket, portOf(server), query);
        const tcp = await askTcp(portOf(server), query);
        expect(told(udp), name).toBe(want);
        expect(tcp.equals(udp), name).toBe(true);
      }
    });

    it('UDP truncates what TCP gives whole', async () => {
      const server = await serve({ sockets });
      const query = queryFor('big.example.org', 'TXT');
      const udp = await askUdp(await udpClient(), portOf(server), query);
      expect([decoded(udp).truncated, udp.length <= 512]).toEqual([true, true]);
      const tcp = decoded(await askTcp(portOf(server), query));
      expect([tcp.truncated, tcp.answers[0]?.type]).toEqual([false, TYPE_TXT]);
      expect(tcp.answers[0]?.rdata.length).toBeGreaterThan(2_000);
    });

    it('serve IPv4 and IPv6, each address with one port for both', async () => {
      const server = await serve({ sockets, addresses: [loopback, { address: '::1', port: 0 }] });
      for (const { address, port } of server.addresses) {
        expect(port).toBeGreaterThan(0);
        const query = queryFor('www.example.org', 'A');
        expect(told(await askUdp(await udpClient(address), port, query, address))).toBe('0; A 192.0.2.1');
        expect(told(await askTcp(port, query, address))).toBe('0; A 192.0.2.1');
      }
    });

    it('TCP answers a hundred queries of one write in their order', async () => {
      const server = await serve({ sockets });
      const client = await tcpClient(portOf(server));
      client.send(...Array.from({ length: 100 }, (_, id) => queryFor('www.example.org', 'A', id)));
      const messages = await client.received(100);
      expect(messages.map((octets) => decoded(octets).id)).toEqual(
        Array.from({ length: 100 }, (_, id) => id),
      );
    });

    it('count what they answer', async () => {
      const server = await serve({ sockets });
      const socket = await udpClient();
      await askUdp(socket, portOf(server), queryFor('www.example.org', 'A'));
      await askUdp(socket, portOf(server), queryFor('nothing.example.org', 'AAAA'));
      await askTcp(portOf(server), queryFor('www.example.org', 'A'));
      const counters = server.counters.map(openCounters);
      const seen = (['udpQueries', 'tcpQueries', 'responses', 'outcomes'] as const).map((block) =>
        readCounters(counters, block)
          .filter(({ value }) => value > 0)
          .map(({ label, value }) => `${label} ${value}`)
          .join(', '),
      );
      expect(seen).toEqual(['A 1, AAAA 1', 'A 1', 'NOERROR 2, NXDOMAIN 1', 'answer 2, nxdomain 1']);
    });
  });

  describe('publish', () => {
    it('is seen by the next query over UDP and TCP', async () => {
      const server = await serve({ sockets });
      const socket = await udpClient();
      const client = await tcpClient(portOf(server));
      const query = queryFor('www.example.org', 'A');
      for (let generation = 2; generation < 20; generation++) {
        await server.publish(testSnapshot(generation, `192.0.2.${generation}`));
        expect(told(await askUdp(socket, portOf(server), query))).toBe(`0; A 192.0.2.${generation}`);
        client.send(query);
        const messages = await client.received(generation - 1);
        expect(told(messages.at(-1) ?? Buffer.alloc(0))).toBe(`0; A 192.0.2.${generation}`);
      }
    });

    it('refuses a snapshot that cannot be opened, and stays with the one before', async () => {
      const server = await serve({ sockets });
      const broken = { ...testSnapshot(2), zones: [new SharedArrayBuffer(64)] };
      await expect(server.publish(broken)).rejects.toThrow('cannot open the snapshot');
      const query = queryFor('www.example.org', 'A');
      expect(told(await askUdp(await udpClient(), portOf(server), query))).toBe('0; A 192.0.2.1');
    });
  });

  describe('addresses', () => {
    it('says what to do about a UDP port in use', async () => {
      const taken = await udpClient();
      const { port } = taken.address();
      const addresses = [{ address: '127.0.0.1', port }];
      await expect(serve({ sockets, addresses })).rejects.toMatchObject({
        code: 'EADDRINUSE',
        message: `port ${port} on 127.0.0.1 is in use by another process; stop it or choose another with --dns`,
      });
    });

    it('says the same of a TCP port, and gives the UDP port back', async () => {
      const taken = createServer();
      taken.listen(0, '127.0.0.1');
      await once(taken, 'listening');
      closers.push(() => new Promise<void>((resolve) => taken.close(() => resolve())));
      const address = taken.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      await expect(serve({ sockets, addresses: [{ address: '127.0.0.1', port }] })).rejects.toThrow(
        `port ${port} on`,
      );
      const socket = createSocket('udp4');
      socket.bind(port, '127.0.0.1');
      await once(socket, 'listening');
      socket.close();
    });

    it('says so when an address is not of this machine', async () => {
      const addresses = [loopback, { address: '192.0.2.1', port: 0 }];
      await expect(serve({ sockets, addresses })).rejects.toThrow(
        '192.0.2.1 is not an address of this machine',
      );
    });

    it('fails with the reason when the first snapshot cannot be opened', async () => {
      const snapshot = { ...testSnapshot(), zones: [new SharedArrayBuffer(64)] };
      await expect(serve({ sockets, snapshot })).rejects.toThrow('ended while it started');
    });

    it('are free again after close', async () => {
      const server = await serve({ sockets });
      const client = await tcpClient(portOf(server));
      client.send(queryFor('www.example.org', 'A'));
      await client.received(1);
      await server.close();
      const again = await serve({ sockets, addresses: server.addresses });
      expect(again.addresses).toEqual(server.addresses);
      expect(told(await askTcp(portOf(again), queryFor('www.example.org', 'A')))).toBe('0; A 192.0.2.1');
    });
  });

  describe('a worker that ends', () => {
    it.each(['udp', 'tcp'])('%s: comes back on the same port with the latest snapshot', async (transport) => {
      const workers = new Map<string, Worker>();
      const server = await serve({
        sockets,
        startWorker: (url, options) => {
          const worker = new Worker(url, options);
          workers.set(options.name ?? '', worker);
          return worker;
        },
      });
      await server.publish(testSnapshot(2, '192.0.2.2'));
      await workers.get(`dns-${transport}`)?.terminate();
      await server.publish(testSnapshot(3, '192.0.2.3'));
      await until(() => server.log.at(-1) === 'a DNS worker serves again');
      const query = queryFor('www.example.org', 'A');
      expect(told(await askUdp(await udpClient(), portOf(server), query))).toBe('0; A 192.0.2.3');
      expect(told(await askTcp(portOf(server), query))).toBe('0; A 192.0.2.3');
      expect(readCounter(server.counters.map(openCounters), 'worker', 'restarts')).toBe(1);
      await server.publish(testSnapshot(4, '192.0.2.4'));
      expect(told(await askUdp(await udpClient(), portOf(server), query))).toBe('0; A 192.0.2.4');
    });
  });

  describe('hostile packets', () => {
    it('leave UDP answering, without a bug', async () => {
      const server = await serve({ sockets });
      const draw = draws(SEED);
      const rude = await udpClient();
      const socket = await udpClient();
      for (let burst = 0; burst < 60; burst++) {
        for (let packet = 0; packet < BURST; packet++) rude.send(mutated(draw), portOf(server), '127.0.0.1');
        const answer = await askUdp(socket, portOf(server), queryFor('www.example.org', 'A'));
        expect(told(answer), `burst ${burst} of seed ${SEED}`).toBe('0; A 192.0.2.1');
      }
      expect(server.log).toEqual([]);
      expect(readCounter(server.counters.map(openCounters), 'errors', 'bug')).toBe(0);
    });

    it('leave TCP answering, without a bug', async () => {
      const server = await serve({ sockets });
      const draw = draws(SEED + 1);
      for (let round = 0; round < 40; round++) {
        const rude = await tcpClient(portOf(server));
        for (let packet = 0; packet < BURST; packet++) {
          const octets = mutated(draw);
          rude.socket.write(draw() % 20 === 0 ? octets : frame(octets));
        }
        rude.socket.end();
        rude.socket.resume();
        await Promise.race([rude.ended, rude.closed]);
        rude.socket.destroy();
        const answer = await askTcp(portOf(server), queryFor('www.example.org', 'A'));
        expect(told(answer), `round ${round} of seed ${SEED + 1}`).toBe('0; A 192.0.2.1');
      }
      expect(server.log).toEqual([]);
    });
  });

  describe(`source port 0${raw ? '' : ' (skipped: needs root and python3 to send from it)'}`, () => {
    it.skipIf(!raw)('is dropped and counted, and the next query is answered', async () => {
      const server = await serve({ sockets });
      const query = Buffer.from(queryFor('www.example.org', 'A')).toString('hex');
      for (let packet = 0; packet < 3; packet++)
        await promisify(execFile)('python3', ['-c', rawSender, String(portOf(server)), query]);
      const answer = await askUdp(await udpClient(), portOf(server), queryFor('www.example.org', 'A'));
      expect(told(answer)).toBe('0; A 192.0.2.1');
      expect(readCounter(server.counters.map(openCounters), 'drops', 'source-port-zero')).toBe(3);
      expect(server.log).toEqual([]);
    });
  });
});
