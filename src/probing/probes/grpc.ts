import type http2 from 'node:http2';
import type net from 'node:net';
import type tls from 'node:tls';
import { z } from 'zod';
import { connect, connectSecurely } from '../connection.ts';
import {
  decodeHealthCheckResponse,
  encodeHealthCheckRequest,
  GRPC_PREFIX_OCTETS,
} from '../health-check-message.ts';
import { startRequest } from '../http2-session.ts';
import type { ProbeKind, ProbeTarget } from '../probe.ts';
import { excerpt, formatPlace, type ProbeRun, runProbe } from '../probe-run.ts';
import { tlsSettingsFields, toServerName } from '../tls-settings.ts';

/** Full names of services are a tenth of it. */
const MAX_SERVICE_LENGTH = 1024;

/** A HealthCheckResponse has two octets; there is room for fields that later versions may add. */
const MAX_MESSAGE_OCTETS = GRPC_PREFIX_OCTETS + 4096;

/** The status codes of gRPC by number. */
const GRPC_STATUSES: readonly string[] = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

const grpcSettings = z
  .strictObject({
    /** The service that is asked for, such as `example.v1.Orders`; without it, the server as a whole. */
    service: z.string().max(MAX_SERVICE_LENGTH).default(''),
    tls: z.boolean().default(false),
    ...tlsSettingsFields,
    /** The `:authority` pseudo-header; without it the server name, or the address and port. */
    authority: z
      .string()
      .max(255)
      .regex(/^[A-Za-z0-9._:[\]-]+$/, 'must be a host name, with a port or without')
      .optional(),
  })
  .refine(({ tls, serverName }) => tls || serverName === undefined, {
    error: 'needs tls: true; without TLS there is no SNI',
    path: ['serverName'],
  });

type GrpcSettings = Readonly<z.infer<typeof grpcSettings>>;

type PlacedTarget = ProbeTarget & { readonly port: number };

export const grpcProbe: ProbeKind<GrpcSettings> = {
  kind: 'grpc',
  summary: 'Calls grpc.health.v1.Health/Check over HTTP/2, with TLS or without; only SERVING passes.',
  requiresPort: true,
  settings: grpcSettings,
  run: (target, settings, stopped) => {
    const to = { ...target, port: target.port ?? 0 };
    return runProbe(to, stopped, (run) => {
      if (target.port === undefined)
        run.fail('internal-error', 'The monitor names no port, so nothing was probed');
      else if (settings.tls) connectByTls(run, to, settings);
      else connect(run, to, (socket) => call(run, to, socket, settings));
    });
  },
};

function connectByTls(run: ProbeRun, to: PlacedTarget, settings: GrpcSettings): void {
  const wanted = {
    serverName: toServerName(settings.serverName),
    verifyCertificate: settings.verifyCertificate,
    alpnProtocols: ['h2'],
  };
  connectSecurely(run, to, wanted, (socket: tls.TLSSocket) => {
    // RFC 9113 section 3.2: over TLS, HTTP/2 is what both ends have agreed on.
    if (socket.alpnProtocol === 'h2') call(run, to, socket, settings);
    else run.fail('tls-failed', 'The server did not choose HTTP/2 (h2) by ALPN');
  });
}

function call(run: ProbeRun, to: PlacedTarget, socket: net.Socket, settings: GrpcSettings): void {
  run.stage = 'waiting for the response';
  const stream = startRequest(run, socket, {
    ':method': 'POST',
    ':scheme': settings.tls ? 'https' : 'http',
    ':authority': authorityOf(to, settings),
    ':path': '/grpc.health.v1.Health/Check',
    'content-type': 'application/grpc',
    te: 'trailers',
    'grpc-timeout': `${Math.ceil(to.timeoutMs)}m`,
    'user-agent': 'meridian-probe',
  });
  judgeStream(run, stream);
  stream.end(encodeHealthCheckRequest(settings.service));
}

function authorityOf(to: PlacedTarget, { authority, serverName }: GrpcSettings): string {
  if (authority !== undefined) return authority;
  return serverName === undefined ? formatPlace(to.address, to.port) : toServerName(serverName);
}

/** Headers, one message, trailers with the status; or the status in the headers and nothing else. */
function judgeStream(run: ProbeRun, stream: http2.ClientHttp2Stream): void {
  const pieces: Uint8Array[] = [];
  let messageOctets = 0;
  stream.on('response', (headers) => {
    if (run.decided) return;
    run.evidence.firstByteMs = run.elapsedMs();
    judgeHeaders(run, headers);
    if (headers['grpc-status'] !== undefined) judgeEnd(run, headers, pieces);
  });
  stream.on('data', (piece: Uint8Array) => {
    messageOctets += piece.length;
    if (messageOctets > MAX_MESSAGE_OCTETS)
      run.fail('response-too-large', `More than ${MAX_MESSAGE_OCTETS} octets of response`);
    else pieces.push(piece);
  });
  stream.on('trailers', (trailers) => judgeEnd(run, trailers, pieces));
  stream.on('close', () => {
    // Whoever ends the stream in order has sent a response without trailers; the others have closed the connection.
    if (stream.readableEnded && stream.rstCode === 0 && run.evidence.status !== undefined)
      run.fail('malformed-response', 'A response without a gRPC status');
    else run.fail('connection-reset', `Connection closed while ${run.stage}`);
  });
}

function judgeHeaders(run: ProbeRun, headers: http2.IncomingHttpHeaders): void {
  const status = Number(headers[':status']);
  run.evidence.status = status;
  const contentType = headers['content-type'] ?? '';
  if (status !== 200) run.fail('unexpected-status', `HTTP ${status}`);
  else if (!/^application\/grpc(?:[+;]|$)/.test(contentType))
    run.fail('malformed-response', `A response of type "${excerpt(Buffer.from(contentType))}", not of gRPC`);
}

function judgeEnd(run: ProbeRun, trailers: http2.IncomingHttpHeaders, pieces: readonly Uint8Array[]): void {
  if (run.decided) return;
  const given = String(trailers['grpc-status'] ?? '');
  if (!/^\d{1,3}$/.test(given)) {
    run.fail('malformed-response', 'A response without a gRPC status');
    return;
  }
  const status = GRPC_STATUSES[Number(given)] ?? given;
  run.evidence.grpcStatus = status;
  const message = trailers['grpc-message'];
  if (message !== undefined) run.evidence.grpcMessage = excerpt(Buffer.from(String(message)));
  if (status === 'OK') judgeMessage(run, Buffer.concat(pieces));
  else run.fail('unexpected-status', `gRPC status ${status}`);
}

function judgeMessage(run: ProbeRun, octets: Uint8Array): void {
  const serving = decodeHealthCheckResponse(octets);
  if (serving === undefined) {
    run.evidence.replyStart = excerpt(octets);
    run.fail('malformed-response', 'A response that is no HealthCheckResponse');
    return;
  }
  run.evidence.servingStatus = serving;
  if (serving === 'SERVING') run.pass('SERVING');
  else run.fail('not-serving', serving);
}
