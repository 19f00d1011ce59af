import http2 from 'node:http2';
import type net from 'node:net';
import { pem } from './loopback-servers.ts';

export interface GrpcServer {
  readonly port: number;
  /** The newest call's headers, and the octets of its request. */
  readonly headers: () => http2.IncomingHttpHeaders;
  readonly request: () => Buffer;
  close(): Promise<void>;
}

/** What a health check is answered with. */
export interface GrpcReply {
  /** The number of a ServingStatus, in one message; none is sent without it. */
  readonly status?: number;
  /** The octets of the response, instead of a message. */
  readonly octets?: Uint8Array;
  /** The trailers; `grpc-status: 0` unless told. Those of a reply without status or octets come as headers. */
  readonly trailers?: Readonly<Record<string, string>>;
  /** More headers, or others. */
  readonly headers?: Readonly<Record<string, string | number>>;
}

/** What a server does with a call, where a reply will not do. */
export type CallBehaviour = (stream: http2.ServerHttp2Stream) => void;

/** A real HTTP/2 server on 127.0.0.1 that answers every call alike, over TLS when asked for. */
export async function startGrpcServer(
  reply: GrpcReply | CallBehaviour,
  transport: 'plain' | 'tls' = 'plain',
): Promise<GrpcServer> {
  let headers: http2.IncomingHttpHeaders = {};
  let request = Buffer.alloc(0);
  const sessions = new Set<http2.ServerHttp2Session>();
  const server =
    transport === 'plain'
      ? http2.createServer()
      : http2.createSecureServer({ key: pem('valid.key'), cert: pem('valid') });
  server.on('sessionError', () => undefined);
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => undefined);
    session.on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, given) => {
    headers = given;
    request = Buffer.alloc(0);
    stream.on('error', () => undefined);
    stream.on('data', (piece: Uint8Array) => {
      request = Buffer.concat([request, piece]);
    });
    stream.on('end', () => {
      if (typeof reply === 'function') reply(stream);
      else answer(stream, reply);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    headers: () => headers,
    request: () => request,
    close: () => {
      for (const session of sessions) session.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function answer(stream: http2.ServerHttp2Stream, reply: GrpcReply): void {
  const trailers = reply.trailers ?? { 'grpc-status': '0' };
  const octets = reply.octets ?? messageOf(reply.status);
  const headers = { ':status': 200, 'content-type': 'application/grpc', ...reply.headers };
  if (octets === undefined) {
    stream.respond({ ...headers, ...trailers }, { endStream: true });
    return;
  }
  stream.respond(headers, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ ...trailers }));
  stream.end(octets);
}

/** HealthCheckResponse { status } behind gRPC's prefix. */
function messageOf(status: number | undefined): Uint8Array | undefined {
  return status === undefined ? undefined : Uint8Array.of(0, 0, 0, 0, 2, 0x08, status);
}
