import { expect, it } from 'vitest';
import { reasonOfError } from '../../src/probing/socket-error.ts';

const cases = [
  { name: 'refused', given: 'ECONNREFUSED', want: 'connection-refused' },
  { name: 'reset', given: 'ECONNRESET', want: 'connection-reset' },
  { name: 'no route', given: 'EHOSTUNREACH', want: 'unreachable' },
  { name: 'kernel timeout', given: 'ETIMEDOUT', want: 'timeout' },
  { name: 'HTTP parser', given: 'HPE_INVALID_CONSTANT', want: 'malformed-response' },
  { name: 'HTTP header overflow', given: 'HPE_HEADER_OVERFLOW', want: 'response-too-large' },
  { name: 'TLS', given: 'ERR_SSL_WRONG_VERSION_NUMBER', want: 'tls-failed' },
  { name: 'our own descriptors', given: 'EMFILE', want: 'internal-error' },
  { name: 'our own ports', given: 'EADDRNOTAVAIL', want: 'internal-error' },
  { name: 'anything else that came over the connection', given: 'ENEWCODE', want: 'connection-reset' },
];

it.each(cases)('$name: $given', ({ given, want }) => {
  expect(reasonOfError(Object.assign(new Error('x'), { code: given }))).toBe(want);
});

it.each([new Error('no code'), 'a text', undefined])('no code is our own mistake', (given) => {
  expect(reasonOfError(given)).toBe('internal-error');
});
