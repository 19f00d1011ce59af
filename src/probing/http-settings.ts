import { z } from 'zod';

/** Default bound on how much of a body is searched. */
export const DEFAULT_BODY_LIMIT_OCTETS = 65_536;

/** Bound on that bound: with a thousand probes at once it is still a gigabyte, so more is refused. */
export const MAX_BODY_LIMIT_OCTETS = 1_048_576;

/** Request headers per monitor; a health check needs one or two. */
const MAX_REQUEST_HEADERS = 20;

/** A request's body; fits into the first segments, so that sending it never waits for the endpoint. */
const MAX_REQUEST_BODY_LENGTH = 4096;

const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, 'must be a header name');

/** These are the probe's own to write: the body's length, the connection's end, and `host`, which has its field. */
const RESERVED_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
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
  /** With `h2` a plain connection speaks HTTP/2 at once (RFC 9113 section 3.3), and over TLS nothing else is offered. */
  protocol: z.enum(['http/1.1', 'h2']).default('http/1.1'),
  method: z.enum(['GET', 'HEAD', 'OPTIONS', 'POST']).default('GET'),
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
      headerName.refine((name) => !RESERVED_HEADERS.has(name.toLowerCase()), {
        error: 'is set by the probe itself',
      }),
      z.string().regex(/^[\x20-\x7e\t]{0,1000}$/, 'must be printable ASCII of at most 1000 characters'),
    )
    .refine((headers) => Object.keys(headers).length <= MAX_REQUEST_HEADERS, {
      error: `must not be more than ${MAX_REQUEST_HEADERS}`,
    })
    .default({}),
  /** Sent as UTF-8 with a POST; its `content-type` is one of the headers. */
  body: z.string().min(1).max(MAX_REQUEST_BODY_LENGTH).optional(),
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
  /** Response headers by which the endpoint tells its load and, if it likes, its capacity, as decimal numbers. */
  loadHeaders: z.strictObject({ load: headerName, capacity: headerName.optional() }).optional(),
  /** Holds an idle connection open beside the probes, whose end starts a burst of them. */
  watch: z.boolean().default(false),
};

/** Refuses a body that no method would carry. */
export function bodyHasMethod(settings: {
  readonly method: string;
  readonly body?: string | undefined;
}): boolean {
  return settings.body === undefined || settings.method === 'POST';
}

/** What to say where `bodyHasMethod` does not hold. */
export const BODY_WITHOUT_POST = { error: 'is only sent with the method POST', path: ['body'] };

export const httpSettings = z.strictObject(httpSettingsFields).refine(bodyHasMethod, BODY_WITHOUT_POST);

/** What an exchange needs to know. */
export type HttpSettings = Readonly<z.infer<typeof httpSettings>>;

/** Whether a status is among numbers and ranges such as `200-299`. */
export function expectsStatus(expected: HttpSettings['expectStatus'], status: number): boolean {
  return expected.some((entry) => {
    if (typeof entry === 'number') return entry === status;
    return Number(entry.slice(0, 3)) <= status && status <= Number(entry.slice(4));
  });
}
