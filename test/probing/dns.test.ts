import { type ChildProcess, spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ProbeReason, ProbeResult } from '../../src/health/probe-result.ts';
import { dnsProbe } from '../../src/probing/probes/dns.ts';
import { answerDns } from './dns-peer.ts';
import { type Behaviour, type LoopbackServer, startServer } from './loopback-servers.ts';

const AMPLE_MS = 10_000;
const SHORT_MS = 150;

function probe(
  port: number,
  given: object,
  timeoutMs = AMPLE_MS,
  address = '127.0.0.1',
): Promise<ProbeResult> {
  const settings = dnsProbe.settings.parse(given);
  return dnsProbe.run({ address, port, timeoutMs }, settings as never, new AbortController().signal);
}

const name = 'www.example.org';

const ZONE = `$ORIGIN example.org.
$TTL 60
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 192.0.2.53
www A 192.0.2.1
www A 192.0.2.2
www AAAA 2001:db8::1
alias CNAME WWW
@ MX 10 Mail.Example.ORG.
text TXT "all good" "v=2"
below NS ns.below
ns.below A 192.0.2.54
${Array.from({ length: 100 }, (_, i) => `many A 192.0.2.${i}\n`).join('')}`;

function startNsd(folder: string, port: number): ChildProcess {
  const file = join(folder, 'nsd.conf');
  writeFileSync(
    file,
    `server:
  ip-address: 127.0.0.1@${port}
  zonesdir: "${folder}"
  database: ""
  pidfile: ""
  zonelistfile: "${folder}/list"
  xfrdfile: "${folder}/xfrd"
  xfrdir: "${folder}"
  username: ""
  chroot: ""
  server-count: 1
  verbosity: 1
remote-control:
  control-enable: no
zone:
  name: example.org
  zonefile: zone
`,
  );
  return spawn('/usr/sbin/nsd', ['-d', '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** False when it ends instead. */
function hasStarted(nsd: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    nsd.stderr?.on('data', (piece: Uint8Array) => {
      if (Buffer.from(piece).includes('nsd started')) resolve(true);
    });
    nsd.once('exit', () => resolve(false));
    nsd.once('error', () => resolve(false));
  });
}

describe.skipIf(!existsSync('/usr/sbin/nsd'))('against nsd', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dns-probe-'));
  let nsd: ChildProcess;
  let port = 0;

  beforeAll(async () => {
    writeFileSync(join(folder, 'zone'), ZONE);
    // Another program may take the port for TCP in the meantime.
    for (let attempt = 0; attempt < 5; attempt += 1) {
      port = await freePort();
      nsd = startNsd(folder, port);
      if (await hasStarted(nsd)) return;
    }
    throw new Error('nsd does not start');
  });

  afterAll(async () => {
    const exited = nsd.exitCode === null ? once(nsd, 'exit') : undefined;
    nsd.kill();
    await exited;
    rmSync(folder, { recursive: true });
  });

  const cases: readonly { readonly name: string; readonly given: object; readonly want: string }[] = [
    { name: 'an answer, whatever it is', given: { name }, want: 'ok: NOERROR with 2 records' },
    {
      name: 'one of several',
      given: { name, expectAnswers: ['198.51.100.1', '192.0.2.2'] },
      want: 'ok: NOERROR with the expected records',
    },
    {
      name: 'none of several',
      given: { name, expectAnswers: ['198.51.100.1', '198.51.100.2'] },
      want: 'unexpected-reply: NOERROR, but without 198.51.100.1',
    },
    {
      name: 'all of several',
      given: { name, match: 'all', expectAnswers: ['192.0.2.2', '192.0.2.1'] },
      want: 'ok: ',
    },
    {
      name: 'not all of several',
      given: { name, match: 'all', expectAnswers: ['192.0.2.2', '192.0.2.3'] },
      want: 'unexpected-reply: NOERROR, but without 192.0.2.3',
    },
    {
      name: 'an address of IPv6 in another form',
      given: { name, type: 'aaaa', expectAnswers: ['2001:DB8:0::1'] },
      want: 'ok: ',
    },
    {
      name: 'a name behind an alias',
      given: { name: 'alias.example.org', expectAnswers: ['192.0.2.1'] },
      want: 'ok: ',
    },
    {
      name: 'a name in rdata, in another case',
      given: { name: 'example.org', type: 'MX', expectAnswers: ['10 mail.example.org'] },
      want: 'ok: ',
    },
    {
      name: 'texts',
      given: { name: 'text.example.org', type: 'TXT', expectAnswers: ['"all good" "v=2"'] },
      want: 'ok: ',
    },
    {
      name: 'a question in upper case',
      given: { name: 'WWW.Example.ORG', requireAuthoritative: true },
      want: 'ok: ',
    },
    { name: 'NODATA, which will do', given: { name, type: 'TXT' }, want: 'ok: NOERROR with 0 records' },
    {
      name: 'NODATA, which will not',
      given: { name, type: 'TXT', expectAnswers: ['x'] },
      want: 'unexpected-reply: NOERROR, but without x',
    },
    {
      name: 'no such name',
      given: { name: 'no.example.org' },
      want: 'unexpected-status: NXDOMAIN instead of NOERROR',
    },
    {
      name: 'no such name, as it should be',
      given: { name: 'no.example.org', expectRcode: 'NXDOMAIN' },
      want: 'ok: ',
    },
    {
      name: 'no such zone',
      given: { name: 'example.com' },
      want: 'unexpected-status: REFUSED instead of NOERROR',
    },
    {
      name: 'a delegation, where authority is wanted',
      given: { name: 'a.below.example.org', requireAuthoritative: true },
      want: 'unexpected-reply: NOERROR, but not authoritative',
    },
  ];

  describe.each(['udp', 'tcp'])('over %s', (transport) => {
    it.each(cases)('$name', async ({ given, want }) => {
      const result = await probe(port, { ...given, transport });
      expect(`${result.reason}: ${result.detail}`.startsWith(want), result.detail).toBe(true);
    });
  });

  it.each([
    { transport: 'udp', want: 'unexpected-reply: The answer is truncated' },
    { transport: 'tcp', want: 'ok: ' },
  ])('a large answer over $transport', async ({ transport, want }) => {
    const given = { name: 'many.example.org', transport, expectAnswers: ['192.0.2.77'] };
    const result = await probe(port, given);
    expect(`${result.reason}: ${result.detail}`.startsWith(want), result.detail).toBe(true);
    expect(result.evidence).toMatchObject({ rcode: 'NOERROR', truncated: transport === 'udp' });
  });
});

type Peer = (server: dgram.Socket, from: dgram.RemoteInfo, query: Buffer) => void;

const open: dgram.Socket[] = [];
let tcpServer: LoopbackServer | undefined;

afterEach(async () => {
  for (const socket of open.splice(0)) socket.close();
  await tcpServer?.close();
  tcpServer = undefined;
});

async function startPeer(peer: Peer, type: 'udp4' | 'udp6' = 'udp4'): Promise<number> {
  const server = dgram.createSocket(type);
  server.on('message', (query, from) => peer(server, from, query));
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.bind(0, type === 'udp4' ? '127.0.0.1' : '::1', resolve));
  open.push(server);
  return server.address().port;
}

/** A port of UDP where nobody listens. */
async function freePort(): Promise<number> {
  const port = await startPeer(() => undefined);
  open.pop()?.close();
  return port;
}

/** The good answer, as a datagram. */
function good(query: Buffer): Buffer {
  return answerDns(Buffer.concat([Buffer.alloc(2), query]), '192.0.2.1').subarray(2);
}

/** The good answer with octets of it changed. */
function changed(query: Buffer, at: number, value: number): Buffer {
  const answer = good(query);
  answer[at] = value;
  return answer;
}

const send =
  (make: (query: Buffer) => Buffer): Peer =>
  (server, { port, address }, query) =>
    server.send(make(query), port, address);

const both =
  (...makes: readonly ((query: Buffer) => Buffer)[]): Peer =>
  (server, { port, address }, query) => {
    for (const make of makes) server.send(make(query), port, address);
  };

/** Header and question of the query as a response, and then records; `counts` are those of the three sections. */
function response(query: Buffer, counts: readonly [number, number, number], records: Buffer): Buffer {
  const end = query.indexOf(0, 12) + 5;
  const head = Buffer.from(query.subarray(0, end));
  head.writeUInt16BE(0x8400, 2);
  for (const [i, count] of counts.entries()) head.writeUInt16BE(count, 6 + 2 * i);
  return Buffer.concat([head, records]);
}

/** A record whose owner is a pointer to `target`. */
function pointing(target: number, rdata: Buffer = Buffer.of(192, 0, 2, 1), type = 1): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc000 | target, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(rdata.length, 10);
  return Buffer.concat([head, rdata]);
}

/** Where the records of an answer to `name` begin. */
const RECORDS = 12 + name.length + 2 + 4;

const stranger: Peer = (_, { port }, query) => {
  const other = dgram.createSocket('udp4');
  open.push(other);
  other.send(good(query), port, '127.0.0.1');
};

/** One after the other, so that few are dropped by the kernel, until the probe has had enough. */
const flood: Peer = (server, { port, address }, query) => {
  const stray = changed(query, 1, (query[1] ?? 0) ^ 1);
  let sent = 0;
  const again = (): void => {
    sent += 1;
    if (sent < 20_000 && open.includes(server)) server.send(stray, port, address, () => setImmediate(again));
  };
  again();
};

const hostile: readonly {
  readonly name: string;
  readonly peer: Peer;
  readonly want: ProbeReason;
}[] = [
  { name: 'a good answer', peer: send(good), want: 'ok' },
  { name: 'silence', peer: () => undefined, want: 'timeout' },
  { name: 'another id', peer: send((query) => changed(query, 1, (query[1] ?? 0) ^ 1)), want: 'timeout' },
  { name: 'another question', peer: send((query) => changed(query, 13, 0x78)), want: 'timeout' },
  { name: 'another type', peer: send((query) => changed(query, RECORDS - 3, 28)), want: 'timeout' },
  { name: 'the query itself', peer: send((query) => query), want: 'timeout' },
  { name: 'an update', peer: send((query) => changed(query, 2, 0xa8)), want: 'timeout' },
  { name: 'garbage', peer: send(() => Buffer.from('garbage')), want: 'timeout' },
  { name: 'no octets', peer: send(() => Buffer.alloc(0)), want: 'timeout' },
  { name: 'an answer from another address', peer: stranger, want: 'timeout' },
  {
    name: 'forged answers, and then the good one',
    peer: both(
      (query) => changed(query, 1, (query[1] ?? 0) ^ 1),
      (query) => changed(query, 13, 0x78),
      () => Buffer.alloc(9000),
      good,
    ),
    want: 'ok',
  },
  {
    name: 'a refusal without the question',
    peer: send((query) => Buffer.from([query[0] ?? 0, query[1] ?? 0, 0x80, 5, 0, 0, 0, 0, 0, 0, 0, 0])),
    want: 'unexpected-status',
  },
  {
    name: 'success without the question',
    peer: send((query) => Buffer.from([query[0] ?? 0, query[1] ?? 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
    want: 'timeout',
  },
  {
    name: 'more octets than we take',
    peer: send((query) => Buffer.concat([good(query), Buffer.alloc(9000)])),
    want: 'response-too-large',
  },
  {
    name: 'octets after the last record',
    peer: send((query) => Buffer.concat([good(query), Buffer.alloc(9)])),
    want: 'malformed-response',
  },
  {
    name: 'half an answer',
    peer: send((query) => good(query).subarray(0, RECORDS + 5)),
    want: 'malformed-response',
  },
  {
    name: 'a pointer to itself',
    peer: send((query) => response(query, [1, 0, 0], pointing(RECORDS))),
    want: 'malformed-response',
  },
  {
    name: 'pointers in a circle',
    peer: send((query) =>
      response(query, [2, 0, 0], Buffer.concat([pointing(RECORDS + 16), pointing(RECORDS)])),
    ),
    want: 'malformed-response',
  },
  {
    name: 'a chain of pointers without labels',
    peer: send((query) => {
      const chain = Buffer.alloc(1000);
      chain.writeUInt16BE(0xc00c, 0);
      for (let at = 2; at < chain.length; at += 2) chain.writeUInt16BE(0xc000 | (RECORDS + 12 + at - 2), at);
      const records = Buffer.concat([pointing(12, chain, 0xff00), pointing(RECORDS + 12 + 998)]);
      return response(query, [2, 0, 0], records);
    }),
    want: 'malformed-response',
  },
  {
    name: 'more records than there are',
    peer: send((query) => response(query, [0xffff, 0xffff, 0xffff], Buffer.alloc(0))),
    want: 'response-too-large',
  },
];

it.each(hostile)('meets $name', async ({ peer, want }) => {
  const port = await startPeer(peer);
  const result = await probe(
    port,
    { name, expectAnswers: ['192.0.2.1'] },
    want === 'timeout' ? SHORT_MS : AMPLE_MS,
  );
  expect(`${result.reason}: ${result.detail}`).toMatch(new RegExp(`^${want}: `));
  expect(result.detail.length).toBeLessThan(400);
});

it('gives up on a flood of strays', async () => {
  const port = await startPeer(flood);
  expect((await probe(port, { name })).reason).toBe('malformed-response');
});

it('asks over IPv6', async () => {
  const port = await startPeer(send(good), 'udp6');
  expect((await probe(port, { name }, AMPLE_MS, '::1')).reason).toBe('ok');
});

it('asks nobody who refuses', async () => {
  const port = await freePort();
  expect((await probe(port, { name })).reason).toBe('connection-refused');
});

it('draws ids and source ports anew', async () => {
  const ids = new Set<number>();
  const ports = new Set<number>();
  const port = await startPeer((server, from, query) => {
    ids.add(query.readUInt16BE(0));
    ports.add(from.port);
    server.send(good(query), from.port, from.address);
  });
  for (let count = 0; count < 8; count += 1) await probe(port, { name });
  // All alike by chance: once in more than 10^30 runs.
  expect(ids.size).toBeGreaterThan(1);
  expect(ports.size).toBeGreaterThan(1);
});

const framed = (octets: Buffer): Buffer =>
  Buffer.concat([Buffer.of(octets.length >> 8, octets.length & 0xff), octets]);

const overTcp: readonly {
  readonly name: string;
  readonly behaviour: Behaviour;
  readonly want: ProbeReason;
}[] = [
  {
    name: 'an answer octet by octet',
    behaviour: (socket, first) => {
      for (const octet of answerDns(first, '192.0.2.1')) socket.write(Buffer.of(octet));
    },
    want: 'ok',
  },
  {
    name: 'two answers at once',
    behaviour: (socket, first) =>
      socket.write(Buffer.concat([answerDns(first, '192.0.2.1'), answerDns(first, '192.0.2.2')])),
    want: 'ok',
  },
  {
    name: 'an answer to another question',
    behaviour: (socket, first) => socket.write(framed(changed(Buffer.from(first.subarray(2)), 0, 0))),
    want: 'malformed-response',
  },
  { name: 'no octets', behaviour: (socket) => socket.write(Buffer.alloc(2)), want: 'malformed-response' },
  {
    name: 'a length of 65,535',
    behaviour: (socket) => socket.write(Buffer.of(255, 255)),
    want: 'response-too-large',
  },
];

it.each(overTcp)('meets $name over TCP', async ({ behaviour, want }) => {
  tcpServer = await startServer(behaviour);
  const result = await probe(tcpServer.port, { name, transport: 'tcp', expectAnswers: ['192.0.2.1'] });
  expect(`${result.reason}: ${result.detail}`).toMatch(new RegExp(`^${want}: `));
  await tcpServer.idle();
});

it.each([
  { name: 'no name', settings: {}, want: /name/ },
  { name: 'a name that is none', settings: { name: 'a..b' }, want: /empty label/ },
  { name: 'a type that is none', settings: { name, type: 'NONSENSE' }, want: /record type such as/ },
  { name: 'a transfer', settings: { name, type: 'AXFR' }, want: /record type such as/ },
  {
    name: 'an answer of another type',
    settings: { name, expectAnswers: ['mail.example.org'] },
    want: /192\.0\.2|IPv4|address/,
  },
  { name: 'no answers', settings: { name, expectAnswers: [] }, want: /expectAnswers/ },
  { name: 'an rcode that is none', settings: { name, expectRcode: 'FINE' }, want: /expectRcode/ },
])('refuses $name', ({ settings, want }) => {
  expect(JSON.stringify(dnsProbe.settings.safeParse(settings).error?.issues)).toMatch(want);
});
