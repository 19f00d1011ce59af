import http2 from 'node:http2';
import type net from 'node:net';
import { boundHttp2, MAX_HTTP2_OCTETS } from './http2-octets.ts';
import type { ProbeRun } from './probe-run.ts';
import { codeOf, reasonOfError } from './socket-error.ts';

/** A header section that is larger is refused, as in HTTP/1.1. */
const MAX_HEADER_OCTETS = 16_384;
/** Header fields of a response; real ones have a third of it. */
const MAX_HEADER_FIELDS = 64;

/** Data that the peer may send ahead of our reading. */
const WINDOW_OCTETS = 16_384;

/** What one session may hold in memory; the least that Node knows. */
const MAX_SESSION_MEGABYTES = 1;

/** A peer that has sent less than this has not sent too many headers, but closed the stream by itself. */
const MIN_HEADERS_REFUSED_OCTETS = 1024;

/**
 * Starts HTTP/2 (RFC 9113) on an open connection, without upgrade, begins one request and bounds what the peer can
 * make us do. The session goes with the run, and its errors and the stream's are the run's.
 */
export function startRequest(
  run: ProbeRun,
  socket: net.Socket,
  headers: http2.OutgoingHttpHeaders,
): http2.ClientHttp2Stream {
  const session = http2.connect('http://localhost', {
    createConnection: () => socket,
    settings: {
      enablePush: false,
      initialWindowSize: WINDOW_OCTETS,
      maxHeaderListSize: MAX_HEADER_OCTETS,
    },
    maxSessionMemory: MAX_SESSION_MEGABYTES,
    maxHeaderListPairs: MAX_HEADER_FIELDS,
  });
  run.hold(session);
  const countOctets = boundHttp2(run, socket, MAX_HTTP2_OCTETS);
  session.on('error', (error) => {
    countOctets();
    failHttp2(run, socket, error);
  });
  session.on('remoteSettings', countOctets);
  const stream = session.request(headers);
  stream.on('error', (error) => {
    countOctets();
    failHttp2(run, socket, error);
  });
  // Interim responses cost the most; the timer alone would let a hundred thousand of them through.
  stream.on('headers', countOctets);
  return stream;
}

function failHttp2(run: ProbeRun, socket: net.Socket, error: unknown): void {
  // Node closes a stream by this code when it has too many or too large headers; so do peers that have enough of us.
  const calm = error instanceof Error && error.message.includes('ENHANCE_YOUR_CALM');
  if (calm && socket.bytesRead >= MIN_HEADERS_REFUSED_OCTETS)
    run.fail(
      'response-too-large',
      `More than ${MAX_HEADER_FIELDS} headers or ${MAX_HEADER_OCTETS} octets of them`,
    );
  else if (codeOf(error) === 'ERR_HTTP2_STREAM_ERROR') failStream(run, error);
  else run.failWith(error);
}

/** A stream that was closed with a code (RFC 9113 section 7): the peer's way to say that it will not answer. */
function failStream(run: ProbeRun, error: unknown): void {
  const name = error instanceof Error ? (/NGHTTP2_\w+/.exec(error.message)?.[0] ?? '') : '';
  const broken = /PROTOCOL|FRAME_SIZE|COMPRESSION|FLOW_CONTROL|SETTINGS/.test(name);
  const reason = broken ? reasonOfError(error) : 'connection-reset';
  run.fail(reason, `Stream closed while ${run.stage} (${name.replace('NGHTTP2_', '')})`);
}
