import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { httpsProbe } from '../../src/probing/probes/https.ts';
import { type LoopbackServer, pem, startServer } from './loopback-servers.ts';

const trustedBefore = tls.getCACertificates('default');
let server: LoopbackServer | undefined;

beforeAll(() => tls.setDefaultCACertificates([pem('valid'), pem('expired')]));
afterAll(() => tls.setDefaultCACertificates(trustedBefore));
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const cases = [
  {
    name: 'a certificate that holds, for the name in Host',
    certificate: 'valid',
    settings: { host: 'www.example.org:8443' },
    want: 'ok',
  },
  {
    name: 'a certificate that holds, for the server name',
    certificate: 'valid',
    settings: { host: 'other.example.org', serverName: 'WWW.example.org' },
    want: 'ok',
  },
  {
    name: 'a certificate for another name',
    certificate: 'valid',
    settings: { host: 'other.example.org' },
    want: 'certificate-invalid ERR_TLS_CERT_ALTNAME_INVALID',
  },
  {
    name: 'a certificate that is not for the address, where no name is given',
    certificate: 'valid',
    settings: {},
    want: 'certificate-invalid ERR_TLS_CERT_ALTNAME_INVALID',
  },
  {
    name: 'an expired certificate',
    certificate: 'expired',
    settings: { serverName: 'www.example.org' },
    want: 'certificate-invalid CERT_HAS_EXPIRED',
  },
  {
    name: 'an expired certificate that nobody checks',
    certificate: 'expired',
    settings: { serverName: 'www.example.org', verifyCertificate: false },
    want: 'ok',
  },
];

async function probe(given: Readonly<Record<string, unknown>>): ReturnType<typeof httpsProbe.run> {
  const target = { address: '127.0.0.1', port: server?.port, timeoutMs: 10_000 };
  return httpsProbe.run(target, httpsProbe.settings.parse(given) as never, new AbortController().signal);
}

/** UTCTime of thirteen octets (X.690 section 11.8). */
const UTC_TIME = Buffer.from([0x17, 13]);
/** GeneralizedTime of fifteen octets (X.690 section 11.7). */
const GENERALIZED_TIME = Buffer.from([0x18, 15]);

/** The certificate with letters in its `notAfter`; OpenSSL serves it all the same. */
function withoutExpiry(certificate: string): string {
  const der = Buffer.from(certificate.replace(/-----[^-]*-----/g, ''), 'base64');
  const notBefore = der.indexOf(UTC_TIME);
  const notAfter = der.indexOf(GENERALIZED_TIME, notBefore);
  der.write('x'.repeat(4), notAfter + 2, 'latin1');
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
}

it.each(cases)('$name', async ({ certificate, settings, want }) => {
  server = await startServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'), certificate);
  const result = await probe(settings);
  const why = /Certificate refused \((\w+)\)/.exec(result.detail)?.[1];
  expect(why === undefined ? result.reason : `${result.reason} ${why}`).toBe(want);
  expect(result.evidence).toMatchObject({
    tlsProtocol: 'TLSv1.3',
    certificateIssuer: 'www.example.org',
    certificateExpiresAt: expect.stringMatching(certificate === 'valid' ? /^2126-/ : /^2020-02-01T/),
  });
  // An impostor never sees the request.
  if (want !== 'ok') expect(server.received()).toBe('');
  await server.idle();
});

it('an untrusted certificate', async () => {
  tls.setDefaultCACertificates([]);
  server = await startServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'), 'valid');
  expect(await probe({ serverName: 'www.example.org' })).toMatchObject({ reason: 'certificate-invalid' });
  tls.setDefaultCACertificates([pem('valid'), pem('expired')]);
});

it('a certificate whose expiry is no time', async () => {
  server = await startServer(
    (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'),
    'valid',
    withoutExpiry(pem('valid')),
  );
  const result = await probe({ serverName: 'www.example.org', verifyCertificate: false });
  expect(result).toMatchObject({ reason: 'ok', evidence: { certificateExpiresAt: 'Bad time value' } });
});

it.each([
  { name: 'a server without TLS', behaviour: 'HTTP/1.1 400 Bad Request\r\n\r\n', want: 'tls-failed' },
  { name: 'a close in the middle of the handshake', behaviour: '', want: 'connection-reset' },
])('$name', async ({ behaviour, want }) => {
  server = await startServer((socket) => socket.end(behaviour));
  expect(await probe({})).toMatchObject({ ok: false, reason: want });
  await server.idle();
});
