import { getEventListeners } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ProbeReason, ProbeResult } from '../../src/health/probe-result.ts';
import { type AnyProbeKind, createProbeKinds } from '../../src/probing/probes/index.ts';
import { answerDns } from '../probing/dns-peer.ts';
import { type GrpcServer, startGrpcServer } from '../probing/grpc-server.ts';
import {
  type Behaviour,
  type LoopbackServer,
  pem,
  refusedPort,
  relayTo,
  startServer,
  trickle,
  writeForever,
} from '../probing/loopback-servers.ts';

// One suite for every probe kind: whatever an endpoint does, the probe ends in time with a reason of the closed list,
// with bounded evidence, and leaves no connection behind.

const HEAD = 'HTTP/1.1 200 OK\r\nconnection: close\r\n';

const behaviours = {
  'a good reply': (socket) => socket.end(`${HEAD}content-length: 8\r\n\r\nall good`),
  'a reply without what was asked for': (socket) => socket.end(`${HEAD}content-length: 3\r\n\r\nbad`),
  'no reply at all': () => undefined,
  'a reset': (socket) => ('encrypted' in socket ? socket.destroy() : socket.resetAndDestroy()),
  'an orderly close without a reply': (socket) => socket.end(),
  'an endless body': (socket) => {
    socket.write(`${HEAD}\r\n`);
    writeForever(socket, 'x'.repeat(16_384));
  },
  'ten megabytes of headers': (socket) => {
    socket.write(`${HEAD}`);
    for (let count = 0; count < 640; count += 1) socket.write(`x-${count}: ${'y'.repeat(16_000)}\r\n`);
    socket.end('\r\n');
  },
  garbage: (socket) => socket.end(Buffer.from([0, 255, 13, 10, 1, 2, 3, 13, 10, 13, 10, 128, 129])),
  'a redirect to itself': (socket) =>
    socket.end('HTTP/1.1 302 Found\r\nlocation: /\r\nconnection: close\r\ncontent-length: 0\r\n\r\n'),
  'a reply that trickles': (socket) => trickle(socket, `${HEAD}x-slow: aaaa`),
  'a body that trickles': (socket) => {
    socket.write(`${HEAD}\r\n`);
    trickle(socket, 'zzzz');
  },
} satisfies Record<string, Behaviour>;

type Case = keyof typeof behaviours;
type Wants = Readonly<Record<Case, ProbeReason>>;

const httpWants: Wants = {
  'a good reply': 'ok',
  'a reply without what was asked for': 'body-mismatch',
  'no reply at all': 'timeout',
  'a reset': 'connection-reset',
  'an orderly close without a reply': 'connection-reset',
  'an endless body': 'response-too-large',
  'ten megabytes of headers': 'response-too-large',
  garbage: 'malformed-response',
  'a redirect to itself': 'unexpected-status',
  'a reply that trickles': 'timeout',
  'a body that trickles': 'timeout',
};

interface Given {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly certificate?: string;
  /** Left out by a kind that opens no TCP connection; `test/probing/<kind>.test.ts` has its hostile peers. */
  readonly wants?: Wants;
  /** What a peer of this protocol does where the one of HTTP would not do. */
  readonly behaviours?: Partial<Readonly<Record<Case, Behaviour>>>;
}

/** Real servers for the protocols that take more than a text. */
let tlsWithAlpn: LoopbackServer;
let tlsWithoutAlpn: LoopbackServer;
let grpcServing: GrpcServer;
let grpcNotServing: GrpcServer;

beforeAll(async () => {
  tlsWithAlpn = await startServer(() => undefined, 'valid', pem('valid'), ['h2']);
  tlsWithoutAlpn = await startServer(() => undefined, 'valid');
  grpcServing = await startGrpcServer({ status: 1 });
  grpcNotServing = await startGrpcServer({ status: 2 });
});

afterAll(() =>
  Promise.all([tlsWithAlpn, tlsWithoutAlpn, grpcServing, grpcNotServing].map((one) => one.close())),
);

/** What a peer of another protocol than HTTP makes of the octets of HTTP. */
function brokenBy(reason: ProbeReason): Wants {
  return {
    ...httpWants,
    'an endless body': reason,
    'ten megabytes of headers': reason,
    garbage: reason,
    'a redirect to itself': reason,
    'a body that trickles': reason,
  };
}

const probeKinds = createProbeKinds({ execDirectory: '/bin' });

const httpSettings = { path: '/healthz', expectStatus: [200], bodyContains: 'good' };

/** A new probe kind needs a line here. */
const givens: Readonly<Record<string, Given>> = {
  http: { settings: httpSettings, wants: httpWants },
  https: {
    settings: { ...httpSettings, host: 'www.example.org', verifyCertificate: false },
    certificate: 'valid',
    wants: httpWants,
  },
  tcp: {
    settings: { send: 'PING\r\n', expect: 'good' },
    wants: {
      ...httpWants,
      'a reply without what was asked for': 'unexpected-reply',
      'an orderly close without a reply': 'unexpected-reply',
      garbage: 'unexpected-reply',
      'a redirect to itself': 'unexpected-reply',
    },
  },
  tls: {
    settings: { serverName: 'www.example.org', verifyCertificate: false, alpnProtocols: ['h2'] },
    wants: {
      ...brokenBy('tls-failed'),
      'a reply without what was asked for': 'tls-failed',
    },
    behaviours: {
      'a good reply': (socket, first) => relayTo(tlsWithAlpn.port)(socket, first),
      'a reply without what was asked for': (socket, first) => relayTo(tlsWithoutAlpn.port)(socket, first),
      // The head of a handshake record of 12,288 octets (RFC 8446 section 5.1).
      'a reply that trickles': (socket) => trickle(socket, '\x16\x03\x03\x30\x00\x02'),
    },
  },
  grpc: {
    settings: {},
    wants: {
      ...brokenBy('malformed-response'),
      'a reply without what was asked for': 'not-serving',
    },
    behaviours: {
      'a good reply': (socket, first) => relayTo(grpcServing.port)(socket, first),
      'a reply without what was asked for': (socket, first) => relayTo(grpcNotServing.port)(socket, first),
      // SETTINGS, and the head of a frame of 12,288 octets whose type is unknown (RFC 9113 section 4.1).
      'a reply that trickles': (socket) => trickle(socket, '\0\0\0\x04\0\0\0\0\0\0\x30\0\x0b\0\0\0\0\0'),
    },
  },
  dns: {
    settings: { name: 'www.example.org', transport: 'tcp', expectAnswers: ['192.0.2.1'] },
    wants: {
      // The first two letters of HTTP are a length of 18,516.
      ...brokenBy('response-too-large'),
      'a reply without what was asked for': 'unexpected-reply',
      garbage: 'malformed-response',
    },
    behaviours: {
      'a good reply': (socket, first) => socket.end(answerDns(first, '192.0.2.1')),
      'a reply without what was asked for': (socket, first) => socket.end(answerDns(first, '192.0.2.2')),
      'a reply that trickles': (socket) => trickle(socket, '\x20\x00a'),
    },
  },
  udp: { settings: { send: 'PING', expect: 'good' } },
  icmp: { settings: { count: 2 } },
  exec: { settings: { program: '/bin/true', arguments: ['{address}', '{port}'] } },
};

/** Long enough for a loopback exchange on a busy machine. */
const AMPLE_MS = 10_000;
/** Of the cases that can only end by their timeout. */
const SHORT_MS = 150;

/** Of the case in which this process stands still for longer. */
const STALLED_MS = 500;

/** Keeps the event loop from turning, as a large zone that is parsed. */
function standStill(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

let server: LoopbackServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

function run(
  kind: AnyProbeKind,
  given: Given,
  port: number,
  timeoutMs: number,
  stopped: AbortSignal,
): Promise<ProbeResult> {
  const settings = kind.settings.parse(given.settings);
  return kind.run({ address: '127.0.0.1', port, timeoutMs }, settings, stopped);
}

function givenOf(kind: AnyProbeKind): Given {
  const given = givens[kind.kind];
  if (given === undefined) throw new Error(`the contract suite has no case for probe kind ${kind.kind}`);
  return given;
}

function behaviourOf(given: Given, name: Case): Behaviour {
  return given.behaviours?.[name] ?? behaviours[name];
}

const streamKinds = probeKinds.flatMap((kind) => {
  const given = givenOf(kind);
  return given.wants === undefined ? [] : [{ name: kind.kind, kind, given, wants: given.wants }];
});

describe.each(streamKinds)('probe kind $name over TCP', ({ kind, given, wants }) => {
  it.each(Object.keys(behaviours) as Case[])('meets %s', async (name) => {
    const want = wants[name];
    server = await startServer(behaviourOf(given, name), given.certificate);
    const stopping = new AbortController();
    const timeoutMs = want === 'timeout' ? SHORT_MS : AMPLE_MS;

    const result = await run(kind, given, server.port, timeoutMs, stopping.signal);

    expect(`${result.reason}: ${result.detail}`).toMatch(new RegExp(`^${want}: `));
    expect(result.ok).toBe(want === 'ok');
    expect(result.detail).toContain(`127.0.0.1:${server.port}`);
    expect(result.detail.length).toBeLessThan(400);
    expect(JSON.stringify(result.evidence).length).toBeLessThan(2000);
    // The probe has let go: of its connection, and of the signal.
    await server.idle();
    expect(server.accepted()).toBe(1);
    expect(getEventListeners(stopping.signal, 'abort')).toEqual([]);
  });

  it('meets a refused connection', async () => {
    const port = await refusedPort();
    const result = await run(kind, given, port, AMPLE_MS, new AbortController().signal);
    expect(result).toMatchObject({ ok: false, reason: 'connection-refused' });
  });

  it('ends at once when it is stopped', async () => {
    const stopping = new AbortController();
    server = await startServer(() => stopping.abort(), given.certificate);
    const result = await run(kind, given, server.port, AMPLE_MS, stopping.signal);
    expect(result).toMatchObject({ ok: false, reason: 'internal-error' });
    await server.idle();
  });

  it('does not blame the endpoint for a time in which this node itself stood still', async () => {
    server = await startServer(behaviourOf(given, 'a good reply'), given.certificate);
    const probing = run(kind, given, server.port, STALLED_MS, new AbortController().signal);
    standStill(3 * STALLED_MS);
    expect(await probing).toMatchObject({ reason: 'ok' });
  });

  it('opens nothing when it was stopped before it began', async () => {
    server = await startServer(() => undefined, given.certificate);
    const result = await run(kind, given, server.port, AMPLE_MS, AbortSignal.abort());
    expect(result.ok).toBe(false);
    expect(server.accepted()).toBe(0);
  });
});

describe.each(probeKinds.map((kind) => ({ name: kind.kind, kind })))('probe kind $name', ({ kind }) => {
  const given = givenOf(kind);

  it('does nothing when it was stopped before it began', async () => {
    const stopped = AbortSignal.abort();
    const result = await run(kind, given, 9, AMPLE_MS, stopped);
    expect(result).toMatchObject({ ok: false, reason: 'internal-error' });
    expect(getEventListeners(stopped, 'abort')).toEqual([]);
  });

  it.each(['not-an-address', '', '256.0.0.1'])('blames itself for the address "%s"', async (address) => {
    const settings = kind.settings.parse(given.settings);
    const target = { address, port: 9, timeoutMs: AMPLE_MS };
    const result = await kind.run(target, settings, new AbortController().signal);
    expect(result).toMatchObject({ ok: false, reason: 'internal-error' });
  });

  it('has a one-sentence summary and accepts no unknown setting', () => {
    expect(kind.summary).toMatch(/^[A-Z].*\.$/);
    expect(kind.settings.safeParse({ ...given.settings, nonsense: 1 }).success).toBe(false);
  });
});
