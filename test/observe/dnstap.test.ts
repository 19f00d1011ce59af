import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCounters, openCounters, readCounters } from '../../src/observe/counters.ts';
import { ControlFrames, encodeControl, encodeFrames } from '../../src/observe/dnstap/control-frame.ts';
import { DnstapEncoder } from '../../src/observe/dnstap/dnstap-message.ts';
import { FrameStream } from '../../src/observe/dnstap/frame-stream.ts';
import { addressOctets, digPacket } from '../answer/world.ts';
import { namedSample } from './samples.ts';

const CONTENT = 'protobuf:dnstap.Dnstap';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'meridian-tap-'));
});
afterEach(() => rm(directory, { recursive: true }));

interface Stage {
  readonly stream: FrameStream;
  readonly changes: (string | undefined)[];
  /** Resolves with the next change: undefined when the stream runs. */
  readonly changed: () => Promise<string | undefined>;
  readonly counted: () => string;
}

function open(socket: string, waitingOctets = 1000): Stage {
  const counters = openCounters(createCounters());
  const changes: (string | undefined)[] = [];
  const waiting: ((change: string | undefined) => void)[] = [];
  const stream = new FrameStream({
    socket,
    contentType: CONTENT,
    counters,
    random: () => 0,
    onChange: (failure) => {
      changes.push(failure);
      for (const resolve of waiting.splice(0)) resolve(failure);
    },
    limits: { firstWaitMs: 4, lastWaitMs: 16, handshakeMs: 2000, waitingOctets },
  });
  return {
    stream,
    changes,
    changed: () => new Promise((resolve) => waiting.push(resolve)),
    counted: () =>
      readCounters([counters], 'dnstap')
        .map(({ label, value }) => `${label} ${value}`)
        .join(', '),
  };
}

/** A collector of ours: what it hears, and a way to speak. */
async function collector(path: string): Promise<{
  readonly server: Server;
  readonly next: () => Promise<Peer>;
}> {
  const peers: Peer[] = [];
  const waiting: ((peer: Peer) => void)[] = [];
  const server = createServer((socket) => {
    const peer = new Peer(socket);
    const resolve = waiting.shift();
    if (resolve === undefined) peers.push(peer);
    else resolve(peer);
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    server,
    next: () => {
      const peer = peers.shift();
      return peer === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(peer);
    },
  };
}

class Peer {
  readonly socket: Socket;
  #octets: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      this.#octets = Buffer.concat([this.#octets, chunk]);
    });
  }

  async take(length: number): Promise<Buffer> {
    while (this.#octets.length < length) await once(this.socket, 'data');
    const taken = this.#octets.subarray(0, length);
    this.#octets = this.#octets.subarray(length);
    return taken;
  }

  /** The kind and content type of the next frame, which is a control frame. */
  async control(): Promise<string> {
    const head = await this.take(8);
    const [frame] = new ControlFrames().read(Buffer.concat([head, await this.take(head.readUInt32BE(4))]));
    return [frame?.kind, ...(frame?.contentTypes ?? [])].join(' ');
  }

  async frame(): Promise<string> {
    return (await this.take((await this.take(4)).readUInt32BE(0))).toString();
  }
}

describe('FrameStream', () => {
  it('greets, sends what waited, and says goodbye', async () => {
    const path = join(directory, 'tap.sock');
    const { server, next } = await collector(path);
    const { stream, changed, counted } = open(path);
    stream.add(Buffer.from('early'));
    stream.flush();
    const peer = await next();
    expect(await peer.control()).toBe(`ready ${CONTENT}`);
    const running = changed();
    peer.socket.write(encodeControl('accept', CONTENT));
    expect(await running).toBeUndefined();
    expect(await peer.control()).toBe(`start ${CONTENT}`);
    expect(await peer.frame()).toBe('early');
    stream.add(Buffer.from('one'));
    stream.add(Buffer.from('two'));
    const closed = stream.close();
    expect([await peer.frame(), await peer.frame()]).toEqual(['one', 'two']);
    expect(await peer.control()).toBe('stop');
    peer.socket.write(encodeControl('finish'));
    await closed;
    expect(counted()).toBe('sent 3, dropped 0, connected 1, failed 0');
    server.close();
  });

  it('counts as dropped what waits for a collector that has not come by the end', async () => {
    const { stream, changed, counted } = open(join(directory, 'tap.sock'));
    expect(await changed()).toMatch(/ENOENT/);
    for (const text of ['one', 'two']) stream.add(Buffer.from(text));
    await stream.close();
    expect(counted()).toMatch(/^sent 0, dropped 2, connected 0, failed [1-9]/);
  });

  it('keeps a bounded number of octets for a collector that is away, and comes back to it', async () => {
    const path = join(directory, 'tap.sock');
    const { stream, changed, changes, counted } = open(path, 10);
    expect(await changed()).toMatch(/ENOENT/);
    for (const text of ['12345', '67890', 'too much']) stream.add(Buffer.from(text));
    const { server, next } = await collector(path);
    const peer = await next();
    await peer.control();
    const running = changed();
    peer.socket.write(encodeControl('accept', CONTENT));
    await running;
    await peer.control();
    expect([await peer.frame(), await peer.frame()]).toEqual(['12345', '67890']);
    const lost = changed();
    peer.socket.destroy();
    expect(await lost).toMatch(/closed/);
    const again = await next();
    await again.control();
    const back = changed();
    again.socket.write(encodeControl('accept', CONTENT));
    await back;
    expect(counted()).toMatch(/^sent 2, dropped 1, connected 2, failed [1-9]/);
    // However often it was tried.
    expect(changes).toHaveLength(4);
    const closed = stream.close();
    again.socket.write(encodeControl('finish'));
    await closed;
    server.close();
  });

  const strangers: readonly { name: string; given: Buffer; want: RegExp }[] = [
    { name: 'another content type', given: encodeControl('accept', 'text/plain'), want: /does not take/ },
    { name: 'a control frame out of turn', given: encodeControl('start', CONTENT), want: /out of turn/ },
    { name: 'a data frame', given: encodeFrames([Buffer.from('hello')]), want: /does not speak/ },
    { name: 'a frame too long', given: Buffer.from('00000000ffffffff', 'hex'), want: /does not speak/ },
    {
      name: 'an unknown control frame',
      given: Buffer.from('000000000000000400000063', 'hex'),
      want: /unknown/,
    },
    {
      name: 'a field beyond its frame',
      given: Buffer.from('000000000000000c000000010000000100000fff', 'hex'),
      want: /cut short/,
    },
  ];
  it.each(strangers)('leaves a collector that sends $name', async ({ given, want }) => {
    const path = join(directory, 'tap.sock');
    const { server, next } = await collector(path);
    const { stream, changed } = open(path);
    const peer = await next();
    await peer.control();
    const lost = changed();
    peer.socket.write(given);
    expect(await lost).toMatch(want);
    await stream.close();
    server.close();
  });
});

it('control frames are read from any cuts', () => {
  const frames = Buffer.concat([encodeControl('accept', CONTENT), encodeControl('finish')]);
  for (let size = 1; size <= frames.length; size++) {
    const controls = new ControlFrames();
    const kinds: string[] = [];
    for (let at = 0; at < frames.length; at += size)
      for (const { kind } of controls.read(frames.subarray(at, at + size))) kinds.push(kind);
    expect(kinds).toEqual(['accept', 'finish']);
  }
});

const hasTools = ['fstrm_capture', 'dnstap-read'].every(
  (tool) => spawnSync(tool, ['-h'], { stdio: 'ignore' }).error === undefined,
);

describe.skipIf(!hasTools)(
  'as fstrm_capture receives it and dnstap-read of BIND reads it (Debian: fstrm-bin, bind9-utils)',
  () => {
    it('every field of a query and its answer', async () => {
      const socket = join(directory, 'tap.sock');
      const file = join(directory, 'tap.fstrm');
      const capture = spawn('fstrm_capture', ['-t', CONTENT, '-u', socket, '-w', file], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const ended = once(capture, 'exit');
      const listening = Promise.withResolvers<void>();
      const look = setInterval(() => existsSync(socket) && listening.resolve(), 5);
      await listening.promise;
      clearInterval(look);

      const { stream, changed } = open(socket, 100_000);
      await changed();
      const encoder = new DnstapEncoder({ identity: 'fra-1', version: 'meridian 0.1.0' });
      const { packet } = digPacket('www.example.org A +subnet=203.0.113.0/24');
      const response = packet.slice();
      // QR: dnstap-read tells a query from a response by the type of the message.
      response[2] = (response[2] ?? 0) | 0x80;
      const v4 = namedSample({ changes: { query: packet, queryLength: packet.length, response } }).sample;
      const v6 = { ...v4, resolver: addressOctets('2001:db8::53'), transport: 'tcp' as const, port: 65_535 };
      for (const sample of [v4, v6]) {
        stream.add(encoder.encodeQuery(sample));
        stream.add(encoder.encodeResponse(sample));
      }
      await stream.close();
      capture.kill('SIGTERM');
      await ended;

      // The YAML form tells whole seconds only.
      expect(
        execFileSync('dnstap-read', [file], { encoding: 'utf8' }).match(/:00\.250 A[QR] /g),
      ).toHaveLength(4);
      const yaml = execFileSync('dnstap-read', ['-y', file], { encoding: 'utf8' });
      const messages = yaml.split(/^---$/m).filter((part) => part.trim() !== '');
      expect(messages).toHaveLength(4);
      const [query, answer, query6] = messages;
      for (const want of [
        /identity: fra-1/,
        /version: meridian 0\.1\.0/,
        /type: AUTH_QUERY/,
        /query_time: !!timestamp 2026-01-01T12:00:00Z/,
        /socket_family: INET$/m,
        /socket_protocol: UDP/,
        /query_address: "?192\.0\.2\.1/,
        /query_port: 5353/,
        /query_zone: example\.org/,
        /CLIENT-SUBNET: 203\.0\.113\.0\/24\/0/,
        /www\.example\.org\.? IN A/,
      ])
        expect(query).toMatch(want);
      for (const want of [/type: AUTH_RESPONSE/, /response_time: !!timestamp 2026-01-01T12:00:00Z/])
        expect(answer).toMatch(want);
      for (const want of [/INET6/, /TCP/, /2001:db8::53/, /65535/]) expect(query6).toMatch(want);
    });
  },
);
