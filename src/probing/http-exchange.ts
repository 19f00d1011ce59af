import http from 'node:http';
import type net from 'node:net';
import { z } from 'zod';
import type { ProbeTarget } from './probe.ts';
import { excerpt, formatPlace, type ProbeRun } from './probe-run.ts';
import { createTextSearch } from './text-search.ts';

/** A response whose header section is larger is refused; real ones are a tenth of it. */
export const MAX_HEADER_OCTETS = 16_384;

/** Default bound on how much of a body is searched. */
export const DEFAULT_BODY_LIMIT_OCTETS = 65_536;

/** Bound on that bound: with a thousand probes at once it is still a gigabyte, so more is refused. */
export const MAX_BODY_LIMIT_OCTETS = 1_048_576;

/** Request headers per monitor; a health check needs one or two. */
const MAX_REQUEST_HEADERS = 20;

/** These are the probe's own to write: the body's length, the connection's end, and `host`, which has its field. */
const RESERVED_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const statusCode = z.int().min(100).max(599);
const statusRange = z
  .string()
  .regex(/^[1-5]\d\d-[1-5]\d\d$/, 'must be a status such as 200 or a range such as "200-299"')
  .refine((text) => text.slice(0, 3) <= text.slice(4), { error: 'must not end before it begins' });

/** Settings that HTTP and HTTPS probes share. */
export const httpSettingsFields = {
  method: z.enum(['GET', 'HEAD']).default('GET'),
  /** Path and query. */
  path: z
    .string()
    .max(2048)
    .regex(/^\/[\x21-\x7e]*$/, 'must begin with a slash and hold no spaces')
    .default('/'),
  /** The Host header; without it, the address. */
  host: z
    .string()
    .max(255)
    .regex(/^[A-Za-z0-9._:[\]-]+$/, 'must be a host name, with a port or without')
    .optional(),
  headers: z
    .record(
      z
        .string()
        .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, 'must be a header name')
        .refine((name) => !RESERVED_HEADERS.has(name.toLowerCase()), { error: 'is set by the probe itself' }),
      z.string().regex(/^[\x20-\x7e\t]{0,1000}$/, 'must be printable ASCII of at most 1000 characters'),
    )
    .refine((headers) => Object.keys(headers).length <= MAX_REQUEST_HEADERS, {
      error: `must not be more than ${MAX_REQUEST_HEADERS}`,
    })
    .default({}),
  /** Statuses that count as success. Redirects are never followed: a 3xx is the answer. */
  expectStatus: z
    .array(z.union([statusCode, statusRange]))
    .min(1)
    .max(50)
    .default(['200-399']),
  /** Text, as UTF-8, that must be in the body; without it the body is not waited for. */
  bodyContains: z.string().min(1).max(1024).optional(),
  /** How much of the body is searched. */
  bodyLimitOctets: z.int().min(1).max(MAX_BODY_LIMIT_OCTETS).default(DEFAULT_BODY_LIMIT_OCTETS),
};

export const httpSettings = z.strictObject(httpSettingsFields);

/** What `exchange` needs to know. */
export type HttpSettings = Readonly<z.infer<typeof httpSettings>>;

/**
 * Sends one request over an open connection and judges the response: the status as soon as the header section is
 * there, the body only as far as `bodyContains` asks for it.
 */
export function exchange(
  run: ProbeRun,
  target: ProbeTarget & { readonly port: number },
  socket: net.Socket,
  settings: HttpSettings,
): void {
  run.stage = 'waiting for the response';
  const request = http.request({
    // A connection of its own for every probe: a kept one would hide that no new ones are accepted.
    createConnection: () => socket,
    method: settings.method,
    path: settings.path,
    headers: {
      'user-agent': 'meridian-probe',
      accept: '*/*',
      ...settings.headers,
      host: settings.host ?? formatPlace(target.address, target.port),
    },
    maxHeaderSize: MAX_HEADER_OCTETS,
  });
  run.hold(request);
  request.on('error', (error) => run.failWith(error));
  request.once('response', (response) => judgeResponse(run, response, settings));
  // A switch of protocols is an answer as any other; its connection ends with the run.
  request.once('upgrade', (response) => judgeResponse(run, response, settings));
  request.end();
}

function judgeResponse(run: ProbeRun, response: http.IncomingMessage, settings: HttpSettings): void {
  const status = response.statusCode ?? 0;
  run.evidence.status = status;
  run.evidence.firstByteMs = run.elapsedMs();
  const location = response.headers.location;
  if (location !== undefined) run.evidence.location = excerpt(Buffer.from(location));
  response.on('error', (error) => run.failWith(error));
  if (!expectsStatus(settings.expectStatus, status)) {
    run.fail('unexpected-status', `HTTP ${status}`);
  } else if (settings.bodyContains === undefined) {
    run.pass(`HTTP ${status}`);
  } else {
    searchBody(run, response, status, settings.bodyContains, settings.bodyLimitOctets);
  }
}

/** Whether a status is among numbers and ranges such as `200-299`. */
export function expectsStatus(expected: HttpSettings['expectStatus'], status: number): boolean {
  return expected.some((entry) => {
    if (typeof entry === 'number') return entry === status;
    return Number(entry.slice(0, 3)) <= status && status <= Number(entry.slice(4));
  });
}

function searchBody(
  run: ProbeRun,
  response: http.IncomingMessage,
  status: number,
  wanted: string,
  limitOctets: number,
): void {
  run.stage = 'reading the body';
  const search = createTextSearch(wanted, limitOctets);
  response.on('data', (chunk: Uint8Array) => {
    if (run.decided) return;
    const found = search.add(chunk);
    run.evidence.bodyStart ??= excerpt(chunk);
    if (found === 'found') run.pass(`HTTP ${status} with the expected body`);
    else if (found === 'full')
      run.fail(
        'response-too-large',
        `HTTP ${status} without the expected text in ${limitOctets} octets of body`,
      );
  });
  response.once('end', () =>
    run.fail('body-mismatch', `HTTP ${status} without the expected text in the body`),
  );
}
