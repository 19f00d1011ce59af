import type { ProbeReason } from '../health/probe-result.ts';

/** Error codes of the operating system, of Node's HTTP parser and of TLS, by what they say about the endpoint. */
const REASONS: Readonly<Record<string, ProbeReason>> = {
  ECONNREFUSED: 'connection-refused',
  ECONNRESET: 'connection-reset',
  ECONNABORTED: 'connection-reset',
  EPIPE: 'connection-reset',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETDOWN: 'unreachable',
  HPE_HEADER_OVERFLOW: 'response-too-large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'response-too-large',
  EPROTO: 'tls-failed',
  // Our own want of descriptors, memory, ports or rights says nothing about the endpoint.
  EMFILE: 'internal-error',
  ENFILE: 'internal-error',
  ENOMEM: 'internal-error',
  ENOBUFS: 'internal-error',
  EADDRNOTAVAIL: 'internal-error',
  // More than the path takes in one piece; the monitor asks for it.
  EMSGSIZE: 'internal-error',
  EAFNOSUPPORT: 'internal-error',
  EACCES: 'internal-error',
  EPERM: 'internal-error',
  EINVAL: 'internal-error',
};

/** Families of codes too many to list. */
const REASONS_BY_PREFIX: readonly (readonly [string, ProbeReason])[] = [
  ['HPE_', 'malformed-response'],
  ['ERR_HTTP_', 'malformed-response'],
  ['ERR_HTTP2_', 'malformed-response'],
  ['ERR_SSL_', 'tls-failed'],
  ['ERR_TLS_', 'tls-failed'],
  ['ERR_INVALID_ARG', 'internal-error'],
  ['ERR_SOCKET_BAD_PORT', 'internal-error'],
];

/**
 * The reason an error stands for. An error without a code is a mistake of this program; one with a code that is not
 * known here came over the connection, and counts against the endpoint.
 */
export function reasonOfError(error: unknown): ProbeReason {
  const code = codeOf(error);
  if (code === '') return 'internal-error';
  const known = REASONS[code] ?? REASONS_BY_PREFIX.find(([prefix]) => code.startsWith(prefix))?.[1];
  return known ?? 'connection-reset';
}

/** An error's code, or an empty string. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}
