import type http2 from 'node:http2';
import type net from 'node:net';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ProbeResult } from '../../src/health/probe-result.ts';
import { grpcProbe } from '../../src/probing/probes/grpc.ts';
import { type GrpcReply, type GrpcServer, startGrpcServer } from './grpc-server.ts';
import { type LoopbackServer, pem, startServer, writeForever } from './loopback-servers.ts';

const trustedBefore = tls.getCACertificates('default');
let server: GrpcServer | undefined;
let hostile: LoopbackServer | undefined;

beforeAll(() => tls.setDefaultCACertificates([pem('valid')]));
afterAll(() => tls.setDefaultCACertificates(trustedBefore));
afterEach(async () => {
  await server?.close();
  await hostile?.close();
  server = undefined;
  hostile = undefined;
});

const AMPLE_MS = 10_000;
const SHORT_MS = 150;

function probe(port: number, given: object = {}, timeoutMs = AMPLE_MS): Promise<ProbeResult> {
  const settings = grpcProbe.settings.parse(given);
  const target = { address: '127.0.0.1', port, timeoutMs };
  return grpcProbe.run(target, settings as never, new AbortController().signal);
}

const trailersOnly = (trailers: Readonly<Record<string, string>>): GrpcReply => ({ trailers });

const replies: readonly { readonly name: string; readonly given: GrpcReply; readonly want: string }[] = [
  { name: 'SERVING', given: { status: 1 }, want: 'ok: SERVING' },
  { name: 'UNKNOWN', given: { status: 0 }, want: 'not-serving: UNKNOWN' },
  { name: 'NOT_SERVING', given: { status: 2 }, want: 'not-serving: NOT_SERVING' },
  { name: 'SERVICE_UNKNOWN', given: { status: 3 }, want: 'not-serving: SERVICE_UNKNOWN' },
  {
    name: 'a service that is not known',
    given: trailersOnly({ 'grpc-status': '5', 'grpc-message': 'unknown service' }),
    want: 'unexpected-status: gRPC status NOT_FOUND',
  },
  {
    name: 'a server without health checks',
    given: trailersOnly({ 'grpc-status': '12' }),
    want: 'unexpected-status: gRPC status UNIMPLEMENTED',
  },
  {
    name: 'SERVING, and an error in the trailers',
    given: { status: 1, trailers: { 'grpc-status': '14' } },
    want: 'unexpected-status: gRPC status UNAVAILABLE',
  },
  {
    name: 'a status code of later versions',
    given: trailersOnly({ 'grpc-status': '99' }),
    want: 'unexpected-status: gRPC status 99',
  },
  {
    name: 'a status that is none',
    given: trailersOnly({ 'grpc-status': 'fine' }),
    want: 'malformed-response: A response without a gRPC status',
  },
  {
    name: 'trailers without a status',
    given: { status: 1, trailers: { 'x-status': '0' } },
    want: 'malformed-response: A response without a gRPC status',
  },
  {
    name: 'no trailers',
    given: { status: 1, trailers: {} },
    want: 'malformed-response: A response without a gRPC status',
  },
  {
    name: 'success without a message',
    given: trailersOnly({ 'grpc-status': '0' }),
    want: 'malformed-response: A response that is no HealthCheckResponse',
  },
  {
    name: 'a message that is none',
    given: { octets: Buffer.from('all good') },
    want: 'malformed-response: A response that is no HealthCheckResponse',
  },
  {
    name: 'a message that is too large',
    given: { octets: Buffer.alloc(10_000) },
    want: 'response-too-large: More than',
  },
  {
    name: 'an error of a proxy',
    given: { status: 1, headers: { ':status': 503, 'content-type': 'text/html' } },
    want: 'unexpected-status: HTTP 503',
  },
  {
    name: 'a web page',
    given: { octets: Buffer.from('<html>'), headers: { 'content-type': 'text/html' } },
    want: 'malformed-response: A response of type "text/html", not of gRPC',
  },
];

it.each(replies)('$name', async ({ given, want }) => {
  server = await startGrpcServer(given);
  const result = await probe(server.port);
  expect(`${result.reason}: ${result.detail}`.startsWith(want), result.detail).toBe(true);
});

it('sends what gRPC asks for', async () => {
  server = await startGrpcServer({ status: 1 });
  await probe(server.port, { service: 'example.v1.Orders', authority: 'orders.example.org' });
  expect(server.headers()).toMatchObject({
    ':method': 'POST',
    ':scheme': 'http',
    ':authority': 'orders.example.org',
    ':path': '/grpc.health.v1.Health/Check',
    'content-type': 'application/grpc',
    te: 'trailers',
    'grpc-timeout': '10000m',
  });
  expect(server.request().subarray(5).toString('latin1')).toBe('\n\x11example.v1.Orders');
});

describe('over TLS', () => {
  it.each([
    { name: 'a certificate that holds', settings: { serverName: 'www.example.org' }, want: 'ok' },
    {
      name: 'a certificate for another name',
      settings: { serverName: 'a.example.org' },
      want: 'certificate-invalid',
    },
    {
      name: 'a certificate that nobody checks',
      settings: { verifyCertificate: false },
      want: 'ok',
    },
  ])('$name', async ({ settings, want }) => {
    server = await startGrpcServer({ status: 1 }, 'tls');
    const result = await probe(server.port, { tls: true, ...settings });
    expect(result.reason).toBe(want);
    expect(result.evidence).toMatchObject({ tlsProtocol: 'TLSv1.3', certificateIssuer: 'www.example.org' });
    if (want === 'ok') expect(server.headers()[':scheme']).toBe('https');
  });

  it('a server that knows no HTTP/2', async () => {
    hostile = await startServer(() => undefined, 'valid');
    const result = await probe(hostile.port, { tls: true, verifyCertificate: false });
    expect(`${result.reason}: ${result.detail}`).toMatch(/^tls-failed: The server did not choose HTTP\/2/);
    await hostile.idle();
  });

  it('a server without TLS', async () => {
    server = await startGrpcServer({ status: 1 });
    expect(await probe(server.port, { tls: true })).toMatchObject({ ok: false });
  });
});

it.each([
  { name: 'a server name without TLS', settings: { serverName: 'www.example.org' }, want: /needs tls: true/ },
  { name: 'an address as server name', settings: { tls: true, serverName: '192.0.2.1' }, want: /a name/ },
  { name: 'a blank in the authority', settings: { authority: 'a b' }, want: /must be a host name/ },
  { name: 'a service without end', settings: { service: 'x'.repeat(1025) }, want: /service/ },
])('refuses $name', ({ settings, want }) => {
  expect(JSON.stringify(grpcProbe.settings.safeParse(settings).error?.issues)).toMatch(want);
});

describe('a stream that is closed', () => {
  it.each([
    { name: 'because the server takes no more', code: 7, want: 'connection-reset' },
    { name: 'because the server has enough of us', code: 11, want: 'connection-reset' },
    { name: 'without a word', code: 8, want: 'connection-reset' },
    { name: 'because of a broken frame', code: 1, want: 'malformed-response' },
  ])('$name', async ({ code, want }) => {
    server = await startGrpcServer((stream: http2.ServerHttp2Stream) => stream.close(code));
    expect((await probe(server.port)).reason).toBe(want);
  });
});

/** A frame (RFC 9113 section 4.1). */
function frame(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const DATA = 0;
const HEADERS = 1;
const SETTINGS = 4;
const PUSH_PROMISE = 5;
const PING = 6;
const GOAWAY = 7;
const WINDOW_UPDATE = 8;
const CONTINUATION = 9;
const UNKNOWN = 0x4d;
const END_HEADERS = 4;

const settings = frame(SETTINGS, 0, 0);
/** `:status: 200` and `content-type: application/grpc`, both as literals or from the static table (RFC 7541). */
const grpcHeaders = Buffer.concat([Buffer.of(0x88, 0x0f, 0x10, 16), Buffer.from('application/grpc')]);
/** A field of 4,000 octets that goes into the dynamic table, and then 12,000 references to it. */
const headerBomb = Buffer.concat([
  Buffer.of(0x88, 0x40, 1, 0x61, 0x7f, 0xa1, 0x1e),
  Buffer.alloc(4000, 0x62),
  Buffer.alloc(12_000, 0xbe),
]);

/**
 * What a peer that speaks frames sends without end. nghttp2 has limits of its own on how many frames it takes of most
 * kinds; whichever limit is reached first names the reason.
 */
const floods: readonly {
  readonly name: string;
  readonly first: Buffer;
  readonly again: Buffer;
  readonly want: string;
}[] = [
  { name: 'settings', first: settings, again: settings, want: 'response-too-large|malformed-response' },
  {
    name: 'pings',
    first: settings,
    again: frame(PING, 0, 0, Buffer.alloc(8)),
    want: 'response-too-large|malformed-response',
  },
  {
    name: 'frames of an unknown type',
    first: settings,
    again: frame(UNKNOWN, 0, 0),
    want: 'response-too-large|malformed-response',
  },
  {
    name: 'windows',
    first: settings,
    again: frame(WINDOW_UPDATE, 0, 0, Buffer.of(0, 0, 0, 1)),
    want: 'response-too-large|malformed-response',
  },
  {
    name: 'settings of unknown kinds',
    first: settings,
    again: frame(SETTINGS, 0, 0, Buffer.alloc(16_380, 0x7f)),
    want: 'response-too-large|malformed-response',
  },
  {
    name: 'empty data',
    first: Buffer.concat([settings, frame(HEADERS, END_HEADERS, 1, grpcHeaders)]),
    again: frame(DATA, 0, 1),
    want: 'response-too-large|malformed-response',
  },
  {
    name: 'data past the window',
    first: Buffer.concat([settings, frame(HEADERS, END_HEADERS, 1, grpcHeaders)]),
    again: frame(DATA, 0, 1, Buffer.alloc(16_384)),
    want: 'response-too-large|malformed-response',
  },
  {
    name: 'interim responses',
    first: settings,
    again: frame(HEADERS, END_HEADERS, 1, Buffer.from([0x08, 3, 0x31, 0x30, 0x33])),
    want: 'response-too-large|malformed-response',
  },
  {
    name: 'header fields that are small to send and large to keep',
    first: settings,
    again: frame(HEADERS, END_HEADERS, 1, headerBomb),
    want: 'response-too-large',
  },
  {
    name: 'continuations',
    first: Buffer.concat([settings, frame(HEADERS, 0, 1, grpcHeaders)]),
    again: frame(CONTINUATION, 0, 1, Buffer.concat([Buffer.of(0, 1, 0x61, 1, 0x62)])),
    want: 'response-too-large|malformed-response',
  },
  {
    name: 'pushes that nobody wants',
    first: settings,
    again: frame(PUSH_PROMISE, END_HEADERS, 1, Buffer.from([0, 0, 0, 2, 0x82])),
    want: 'malformed-response',
  },
  {
    name: 'farewells',
    first: settings,
    again: frame(GOAWAY, 0, 0, Buffer.alloc(8)),
    want: 'connection-reset|response-too-large|malformed-response',
  },
];

it.each(floods)('is not flooded by $name', async ({ first, again, want }) => {
  const many = Buffer.concat(Array.from({ length: Math.ceil(16_384 / again.length) }, () => again));
  hostile = await startServer((socket) => {
    socket.write(first);
    writeForever(socket, many);
  });
  const before = process.memoryUsage().rss;
  const result = await probe(hostile.port);
  expect(`${result.reason}: ${result.detail}`).toMatch(new RegExp(`^(${want}): `));
  await hostile.idle();
  expect(process.memoryUsage().rss - before).toBeLessThan(128 * 1024 * 1024);
});

it('is not flooded over TLS either', async () => {
  const many = Buffer.concat(Array.from({ length: 16 }, () => frame(UNKNOWN, 0, 0, Buffer.alloc(1000))));
  const behaviour = (socket: net.Socket): void => {
    socket.write(settings);
    writeForever(socket, many);
  };
  hostile = await startServer(behaviour, 'valid', pem('valid'), ['h2']);
  const result = await probe(hostile.port, { tls: true, verifyCertificate: false });
  expect(result.reason).toBe('response-too-large');
  await hostile.idle();
});

it.each([
  { name: 'settings and then nothing', sent: settings, want: 'timeout' },
  {
    name: 'headers and then nothing',
    sent: Buffer.concat([settings, frame(HEADERS, END_HEADERS, 1, grpcHeaders)]),
    want: 'timeout',
  },
])('waits no longer than it may for $name', async ({ sent, want }) => {
  hostile = await startServer((socket) => socket.write(sent));
  expect((await probe(hostile.port, {}, SHORT_MS)).reason).toBe(want);
  await hostile.idle();
});
