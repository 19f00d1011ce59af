import http2 from 'node:http2';
import type net from 'node:net';
import type { ProbeReason } from '../health/probe-result.ts';
import { authorityOf, createJudge, requestHeaders } from './http-exchange.ts';
import { MAX_HEADER_OCTETS } from './http-reader.ts';
import type { HttpSettings } from './http-settings.ts';
import { boundHttp2, MAX_HTTP2_OCTETS } from './http2-octets.ts';
import type { ProbeTarget } from './probe.ts';
import type { ProbeRun } from './probe-run.ts';
import { codeOf } from './socket-error.ts';

/** Megabytes that one session may hold: headers and a window of body are a hundredth of it. */
const MAX_SESSION_MEMORY = 1;

/** Header fields of a response; a hostile server could otherwise send ten thousand empty ones. */
const MAX_HEADER_FIELDS = 200;

/** SETTINGS entries that are taken in from the other end; RFC 9113 defines six. */
const MAX_SETTINGS = 32;

/**
 * Sends one request by HTTP/2 (RFC 9113) over an open connection and judges the response as `exchange` does.
 * Pushes are refused, more body than `bodyContains` asks for is not taken off the wire, and neither are frames without
 * end beside it.
 */
export function exchangeHttp2(
  run: ProbeRun,
  target: ProbeTarget & { readonly port: number },
  socket: net.Socket,
  scheme: 'http' | 'https',
  settings: HttpSettings,
): void {
  run.stage = 'waiting for the response';
  const authority = authorityOf(target, settings);
  const session = http2.connect(`${scheme}://${authority}`, {
    createConnection: () => socket,
    settings: { enablePush: false, maxHeaderListSize: MAX_HEADER_OCTETS },
    maxSessionMemory: MAX_SESSION_MEMORY,
    maxHeaderListPairs: MAX_HEADER_FIELDS,
    maxSettings: MAX_SETTINGS,
    maxReservedRemoteStreams: 0,
  });
  run.hold(session);
  boundHttp2(run, socket, MAX_HTTP2_OCTETS + settings.bodyLimitOctets);
  session.on('error', (error) => failHttp2(run, error));
  session.once('goaway', (code) => run.fail('connection-reset', `GOAWAY ${code} while ${run.stage}`));
  session.once('close', () =>
    run.fail('connection-reset', 'Connection closed before the response was there'),
  );
  const body = settings.method === 'POST' ? (settings.body ?? '') : undefined;
  const stream = session.request(
    {
      ...Object.fromEntries(requestHeaders(settings)),
      ':method': settings.method,
      ':path': settings.path,
      ':scheme': scheme,
      ':authority': authority,
    },
    { endStream: body === undefined },
  );
  run.hold(stream);
  judgeStream(run, stream, settings);
  if (body !== undefined) stream.end(body);
}

function judgeStream(run: ProbeRun, stream: http2.ClientHttp2Stream, settings: HttpSettings): void {
  const judge = createJudge(run, settings);
  stream.on('error', (error) => failHttp2(run, error));
  stream.once('response', (headers) => {
    const { location } = headers;
    const fields = new Map<string, string>();
    for (const name of judge.fields ?? []) {
      const value = headers[name];
      if (value !== undefined) fields.set(name, String(Array.isArray(value) ? value[0] : value));
    }
    const status = Number(headers[':status'] ?? 0);
    judge.onHead({ status, location, framing: { kind: 'close' }, fields });
  });
  stream.on('data', (octets: Buffer) => judge.onBody(octets));
  stream.once('end', () => {
    if (!run.decided && run.evidence.status !== undefined) judge.onComplete();
  });
  stream.once('close', () => run.fail('connection-reset', `Stream closed (code ${stream.rstCode})`));
}

/** RFC 9113 section 7, as Node names them in the texts of its errors. */
const STREAM_REASONS: readonly (readonly [string, ProbeReason])[] = [
  // Our own bounds on header fields make nghttp2 say so to the other end.
  ['NGHTTP2_ENHANCE_YOUR_CALM', 'response-too-large'],
  ['NGHTTP2_PROTOCOL_ERROR', 'malformed-response'],
  ['NGHTTP2_FRAME_SIZE_ERROR', 'malformed-response'],
  ['NGHTTP2_COMPRESSION_ERROR', 'malformed-response'],
  ['NGHTTP2_FLOW_CONTROL_ERROR', 'malformed-response'],
];

function failHttp2(run: ProbeRun, error: Error): void {
  const code = codeOf(error);
  if (!code.startsWith('ERR_HTTP2_')) {
    run.failWith(error);
    return;
  }
  const named = STREAM_REASONS.find(([name]) => error.message.includes(name))?.[1];
  const broken = code === 'ERR_HTTP2_ERROR' ? 'malformed-response' : 'connection-reset';
  run.fail(named ?? broken, `${error.message} while ${run.stage}`);
}
