import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiClient } from './api-client.ts';
import { addressesOf, askUdp, queryOf } from './dns-client.ts';
import { type NodeProcess, startNodeProcess, temporaryDirectory } from './node-process.ts';

const UDP_PACKETS = 80_000;
const TCP_MESSAGES = 20_000;
const TCP_MESSAGES_PER_CONNECTION = 200;
/** Packets in one go before the sender lets others run, so that the kernel's buffers do not hide most of them. */
const BURST = 50;
/** Memory may move by this much; 100,000 packets of 100 octets that were kept would be 10 MB and more. */
const FLAT_MEGABYTES = 60;

/** Small, seeded, and good enough to spread mutations: xorshift32. */
function randomSource(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

const seeds: readonly Uint8Array[] = [
  queryOf({ name: 'www.example.org', type: 'A' }),
  queryOf({ name: 'www.example.org', type: 'AAAA', subnet: '192.0.2.0/24' }),
  queryOf({ name: 'a.b.c.d.example.org', type: 'TXT', subnet: '2001:db8::/56' }),
];

/** A valid query with a few octets changed, cut or added; every tenth is noise from end to end. */
function mutated(random: () => number): Uint8Array {
  if (random() % 10 === 0) return Uint8Array.from({ length: random() % 600 }, () => random() & 0xff);
  const seed = seeds[random() % seeds.length] ?? new Uint8Array();
  const length = random() % 4 === 0 ? random() % (seed.length + 1) : seed.length + (random() % 3);
  const packet = new Uint8Array(length);
  packet.set(seed.subarray(0, length));
  for (let flips = random() % 4; flips > 0 && length > 0; flips--)
    packet[random() % length] = random() & 0xff;
  return packet;
}

function residentMegabytes(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  return (pages * 4096) / 2 ** 20;
}

const data = temporaryDirectory();
let node: NodeProcess;

beforeAll(async () => {
  node = await startNodeProcess(['--data', data.path, '--config', 'none']);
  const api = apiClient(node.api);
  await api.put('/v1/zones/example.org', { name: 'example.org', nameServers: ['ns1.example.org'] });
  await api.put('/v1/zones/example.org/rrsets/www.example.org/A', {
    name: 'www.example.org',
    type: 'A',
    ttlSeconds: 60,
    records: ['192.0.2.1'],
  });
});
afterAll(async () => {
  await node?.stop();
  data.remove();
});

async function control(): Promise<string | undefined> {
  return (await addressesOf(node.dnsPort, { name: 'www.example.org', type: 'A' }))[0];
}

/** Answers of every kind and drops, since the start. */
async function packetsSeen(): Promise<number> {
  const metrics = await (await fetch(`${node.api}/metrics`)).text();
  const outcomes = metrics.matchAll(/^meridian_dns_outcomes_total\{[^}]*\} (\d+)/gm);
  return [...outcomes].reduce((sum, match) => sum + Number(match[1]), 0);
}

async function floodUdp(packets: number, seed: number): Promise<readonly (string | undefined)[]> {
  const random = randomSource(seed);
  const socket = createSocket('udp4');
  socket.on('error', () => undefined);
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const controls: (string | undefined)[] = [];
  for (let sent = 0; sent < packets; sent += BURST) {
    for (let i = 0; i < BURST; i++) socket.send(mutated(random), node.dnsPort, '127.0.0.1');
    await new Promise((resolve) => setImmediate(resolve));
    if (sent % 10_000 === 0) controls.push(await control());
  }
  socket.close();
  return controls;
}

async function floodTcp(seed: number): Promise<void> {
  const random = randomSource(seed);
  for (let sent = 0; sent < TCP_MESSAGES; sent += TCP_MESSAGES_PER_CONNECTION) {
    const socket = createConnection(node.dnsPort, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.resume();
    const closed = once(socket, 'close');
    const messages: Uint8Array[] = [];
    for (let i = 0; i < TCP_MESSAGES_PER_CONNECTION; i++) {
      const message = mutated(random);
      // Mostly well framed, so that the decoder behind the framing is reached.
      const length = random() % 20 === 0 ? random() & 0xffff : message.length;
      messages.push(Uint8Array.of(length >> 8, length & 0xff), message);
    }
    socket.end(Buffer.concat(messages));
    // A message that was announced longer than it is keeps the server waiting for the rest: leave by ourselves.
    const leave = setTimeout(() => socket.destroy(), 300);
    await closed;
    clearTimeout(leave);
  }
}

describe('a node under hostile packets', () => {
  it('lives, answers throughout, and keeps its memory', { timeout: 180_000 }, async () => {
    const seed = (Date.now() & 0x7fff_ffff) | 1;
    // Once before measuring, so that code is compiled and buffers are at their size.
    await floodUdp(20_000, seed ^ 0x5555);
    const before = residentMegabytes(node.pid);
    const controls = [...(await floodUdp(UDP_PACKETS, seed))];
    await floodTcp(seed);
    controls.push(await control());
    expect(await packetsSeen(), 'the packets reached the server').toBeGreaterThan(UDP_PACKETS / 2);
    const grown = residentMegabytes(node.pid) - before;
    expect({ seed, answers: new Set(controls), output: node.output().match(/SERVFAIL|bug/) }).toEqual({
      seed,
      answers: new Set(['192.0.2.1']),
      output: null,
    });
    expect(await control()).toBe('192.0.2.1');
    expect(grown, `memory grew by ${grown} MB with seed ${seed}`).toBeLessThan(FLAT_MEGABYTES);
  });

  it('never answers a response', async () => {
    const response = queryOf({ name: 'www.example.org', type: 'A' });
    response[2] = (response[2] ?? 0) | 0x80;
    const socket = createSocket('udp4');
    let answers = 0;
    socket.on('message', () => answers++);
    socket.send(response, node.dnsPort, '127.0.0.1');
    // A later query that is answered shows that the server has been past the response.
    const message = await askUdp(node.dnsPort, { name: 'www.example.org', type: 'A' });
    socket.close();
    expect([message?.rcode, answers]).toEqual([0, 0]);
  });
});
