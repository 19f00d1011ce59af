import http2 from 'node:http2';
import type net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { ProbeResult } from '../../src/health/probe-result.ts';
import { probeKinds } from '../../src/probing/probes/index.ts';
import { type LoopbackServer, pem, startServer, writeForever } from './loopback-servers.ts';

let close: () => Promise<unknown> = () => Promise.resolve();
afterEach(() => close());

type Answer = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void;

/** Serves HTTP/2 alone, over TLS when the kind is `https`. Returns the port. */
async function serve(kind: string, answer: Answer): Promise<number> {
  const tls = { key: pem('valid.key'), cert: pem('valid') };
  const server = kind === 'https' ? http2.createSecureServer(tls) : http2.createServer();
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => sockets.add(socket));
  server.on('session', (session) => session.on('error', () => undefined));
  server.on('stream', (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => {
    stream.on('error', () => undefined);
    answer(stream, headers);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  close = () => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  };
  return (server.address() as net.AddressInfo).port;
}

async function serveOctets(behaviour: (socket: net.Socket) => void): Promise<number> {
  const server: LoopbackServer = await startServer(behaviour);
  close = () => server.close();
  return server.port;
}

async function probe(
  name: string,
  port: number,
  given: Readonly<Record<string, unknown>>,
  timeoutMs = 10_000,
): Promise<ProbeResult> {
  const kind = probeKinds.find((one) => one.kind === name);
  if (kind === undefined) throw new Error(`there is no probe kind ${name}`);
  const certificate = name === 'https' ? { verifyCertificate: false } : {};
  const settings = kind.settings.parse({ protocol: 'h2', ...certificate, ...given });
  return kind.run({ address: '127.0.0.1', port, timeoutMs }, settings, new AbortController().signal);
}

describe.each(['http', 'https'])('%s by HTTP/2', (kind) => {
  const cases: readonly {
    readonly name: string;
    readonly answer: Answer;
    readonly settings?: Readonly<Record<string, unknown>>;
    readonly want: string;
    readonly timeoutMs?: number;
  }[] = [
    {
      name: 'a good answer',
      answer: (stream) => {
        stream.respond({ ':status': 200 });
        stream.end('all good');
      },
      settings: { bodyContains: 'good' },
      want: 'ok',
    },
    {
      name: 'a redirect',
      answer: (stream) => stream.respond({ ':status': 302, location: '/' }, { endStream: true }),
      settings: { expectStatus: [200] },
      want: 'unexpected-status',
    },
    {
      name: 'another body',
      answer: (stream) => {
        stream.respond({ ':status': 200 });
        stream.end('bad');
      },
      settings: { bodyContains: 'good' },
      want: 'body-mismatch',
    },
    {
      name: 'an endless body',
      answer: (stream) => {
        stream.respond({ ':status': 200 });
        const more = (): void => {
          while (!stream.destroyed && stream.write('x'.repeat(16_384)));
        };
        stream.on('drain', more);
        more();
      },
      settings: { bodyContains: 'good' },
      want: 'response-too-large',
    },
    { name: 'no answer', answer: () => undefined, want: 'timeout', timeoutMs: 150 },
    { name: 'a stream that is reset', answer: (stream) => stream.close(2), want: 'connection-reset' },
    {
      name: 'a session that is destroyed',
      answer: (stream) => stream.session?.destroy(),
      want: 'connection-reset',
    },
    {
      name: 'a session that goes away',
      answer: (stream) => stream.session?.goaway(11),
      want: 'connection-reset',
    },
    {
      name: 'headers without end',
      answer: (stream) =>
        stream.respond(
          Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`x-${index}`, 'y'.repeat(100)])),
        ),
      want: 'response-too-large',
    },
  ];

  it.each(cases)('meets $name', async ({ answer, settings = {}, want, timeoutMs }) => {
    const port = await serve(kind, answer);
    const result = await probe(kind, port, settings, timeoutMs);
    expect(`${result.reason}: ${result.detail}`).toMatch(new RegExp(`^${want}: .*127.0.0.1:${port}`));
    expect(JSON.stringify(result.evidence).length).toBeLessThan(2000);
  });

  it('sends what the monitor says', async () => {
    const seen: unknown[] = [];
    const port = await serve(kind, (stream, headers) => {
      let body = '';
      stream.on('data', (octets: Buffer) => {
        body += octets.toString();
      });
      stream.on('end', () => {
        seen.push(headers, body);
        stream.respond({ ':status': 200 }, { endStream: true });
      });
    });
    const settings = {
      method: 'POST',
      path: '/a?b',
      host: 'www.example.org',
      headers: { 'X-Probe': 'yes' },
      body: 'ping',
    };
    expect(await probe(kind, port, settings)).toMatchObject({ ok: true, evidence: { status: 200 } });
    expect(seen[0]).toMatchObject({
      ':method': 'POST',
      ':path': '/a?b',
      ':authority': 'www.example.org',
      ':scheme': kind,
      'x-probe': 'yes',
      'content-length': '4',
    });
    expect(seen[1]).toBe('ping');
  });
});

/** WINDOW_UPDATE frames of the connection (RFC 9113 section 6.9), which a peer may send as it likes. */
function floodWindowUpdates(socket: net.Socket): void {
  const settings = Buffer.of(0, 0, 0, 4, 0, 0, 0, 0, 0);
  const update = Buffer.of(0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1);
  socket.write(settings);
  writeForever(socket, Buffer.concat(Array.from({ length: 2000 }, () => update)));
}

describe('by HTTP/2, a server that speaks something else', () => {
  const cases = [
    {
      name: 'HTTP/1.1',
      behaviour: (socket: net.Socket) => socket.end('HTTP/1.1 400 Bad\r\n\r\n'),
      want: 'malformed-response',
    },
    {
      name: 'garbage',
      behaviour: (socket: net.Socket) => socket.end(Buffer.alloc(64, 0xff)),
      want: 'malformed-response',
    },
    {
      name: 'garbage without end',
      behaviour: (socket: net.Socket) => writeForever(socket, 'x'.repeat(9000)),
      want: 'malformed-response',
    },
    {
      name: 'window updates without end',
      behaviour: (socket: net.Socket) => floodWindowUpdates(socket),
      want: 'response-too-large',
    },
    { name: 'nothing and closes', behaviour: (socket: net.Socket) => socket.end(), want: 'connection-reset' },
    {
      name: 'a reset',
      behaviour: (socket: net.Socket) => socket.resetAndDestroy(),
      want: 'connection-reset',
    },
  ];
  it.each(cases)('$name', async ({ behaviour, want }) => {
    const result = await probe('http', await serveOctets(behaviour), {});
    expect(`${result.reason}: ${result.detail}`).toMatch(new RegExp(`^${want}: `));
  });

  it('HTTP/1.1 over TLS', async () => {
    const server = await startServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'), 'valid');
    close = () => server.close();
    expect(await probe('https', server.port, {})).toMatchObject({ ok: false, reason: 'tls-failed' });
  });
});

it('tells how long a certificate still holds, and warns', async () => {
  const server = await startServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'), 'expired');
  close = () => server.close();
  const result = await probe('https', server.port, { protocol: 'http/1.1', expiryWarningDays: 30 });
  expect(result).toMatchObject({
    ok: true,
    evidence: { certificateExpiryWarning: true, certificateExpiresInDays: expect.any(Number) },
  });
});
