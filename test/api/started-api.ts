import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';
import { type AppOptions, createApp } from '../../src/api/create-app.ts';
import { createContract } from '../../src/config/contract.ts';
import { probeKinds } from '../../src/probing/probes/index.ts';
import { createTestPlane, type TestPlane } from './test-plane.ts';

export interface StartedApi {
  readonly url: string;
  readonly port: number;
  readonly plane: TestPlane;
  readonly logged: { readonly level: string; readonly fields: Readonly<Record<string, unknown>> }[];
  /** Sends a body as JSON, texts and octets as they are, or nothing where there is none. */
  readonly send: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON; text where the answer is none. */
  readonly body: unknown;
}

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }
});

export function appOptions(plane: TestPlane, changed: Partial<AppOptions> = {}): AppOptions {
  return {
    plane,
    contract: createContract(probeKinds),
    token: undefined,
    writesNeedToken: false,
    dashboardDirectory: undefined,
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'meridian_up 1\n' }),
    log: () => {},
    now: () => new Date('2026-01-01T00:00:00Z'),
    ...changed,
  };
}

/** A real server on loopback; closed after the test. */
export async function startApi(
  plane: TestPlane = createTestPlane(),
  changed: Partial<AppOptions> = {},
): Promise<StartedApi> {
  const logged: StartedApi['logged'] = [];
  const log: AppOptions['log'] = (level, _, fields) => void logged.push({ level, fields });
  const server = createServer(createApp(appOptions(plane, { log, ...changed })));
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return { url, port, plane, logged, send: (...given) => send(url, ...given) };
}

function isRaw(body: unknown): body is string | Uint8Array<ArrayBuffer> {
  return typeof body === 'string' || body instanceof Uint8Array;
}

async function send(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: isRaw(body) ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '') && text !== '';
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? JSON.parse(text) : text,
  };
}

/** What fetch would not send: a raw path, a Host header of one's own. */
export async function sendRaw(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string>,
): Promise<{ readonly status: number; readonly text: string }> {
  const sent = request({ host: '127.0.0.1', port, method, path, headers });
  sent.end();
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const part of response) text += part;
  return { status: response.statusCode, text };
}
