import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import type { ProbeReason, ProbeResult } from '../../src/health/probe-result.ts';
import { type AnyProbeKind, probeKinds } from '../../src/probing/probes/index.ts';
import {
  type Behaviour,
  type LoopbackServer,
  refusedPort,
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
  readonly wants: Wants;
}

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

describe.each(probeKinds.map((kind) => ({ name: kind.kind, kind })))('probe kind $name', ({ kind }) => {
  const given = givenOf(kind);

  it.each(Object.keys(behaviours) as Case[])('meets %s', async (name) => {
    const want = given.wants[name];
    server = await startServer(behaviours[name], given.certificate);
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
    server = await startServer(behaviours['a good reply'], given.certificate);
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
