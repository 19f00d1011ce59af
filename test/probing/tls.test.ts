import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type net from 'node:net';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { tlsProbe } from '../../src/probing/probes/tls.ts';
import { type LoopbackServer, pem, startServer, trickle, writeForever } from './loopback-servers.ts';

const trustedBefore = tls.getCACertificates('default');
let server: LoopbackServer | undefined;
let child: ChildProcess | undefined;

beforeAll(() => tls.setDefaultCACertificates([pem('valid'), pem('expired')]));
afterAll(() => tls.setDefaultCACertificates(trustedBefore));
afterEach(async () => {
  await server?.close();
  child?.kill();
  server = undefined;
  child = undefined;
});

const AMPLE_MS = 10_000;
const SHORT_MS = 150;

async function probe(
  given: Readonly<Record<string, unknown>>,
  port = server?.port,
  timeoutMs = AMPLE_MS,
): ReturnType<typeof tlsProbe.run> {
  const settings = tlsProbe.settings.parse(given);
  const target = { address: '127.0.0.1', port, timeoutMs };
  return tlsProbe.run(target, settings as never, new AbortController().signal);
}

const serverName = 'www.example.org';

const cases = [
  { name: 'a certificate that holds', certificate: 'valid', settings: { serverName }, want: 'ok' },
  {
    name: 'a certificate for another name',
    certificate: 'valid',
    settings: { serverName: 'other.example.org' },
    want: 'certificate-invalid',
  },
  {
    name: 'an expired certificate',
    certificate: 'expired',
    settings: { serverName },
    want: 'certificate-invalid',
  },
  {
    name: 'an expired certificate that nobody checks',
    certificate: 'expired',
    settings: { serverName, verifyCertificate: false },
    want: 'ok',
  },
  {
    name: 'an expired certificate that nobody checks but for its expiry',
    certificate: 'expired',
    settings: { serverName, verifyCertificate: false, failWhenExpiresWithinDays: 0 },
    want: 'certificate-expiring',
  },
  {
    name: 'a certificate that lasts for longer than is asked',
    certificate: 'valid',
    settings: { serverName, failWhenExpiresWithinDays: 400 },
    want: 'ok',
  },
  {
    name: 'ALPN with a protocol the server knows',
    certificate: 'valid',
    settings: { serverName, alpnProtocols: ['imap', 'h2'] },
    want: 'ok',
  },
  {
    name: 'ALPN with none that the server knows',
    certificate: 'valid',
    settings: { serverName, alpnProtocols: ['imap'] },
    want: 'tls-failed',
  },
];

it.each(cases)('$name', async ({ certificate, settings, want }) => {
  server = await startServer(() => undefined, certificate, pem(certificate), ['h2']);
  const result = await probe(settings);
  expect(`${result.reason}: ${result.detail}`).toMatch(new RegExp(`^${want}: `));
  await server.idle();
});

it('tells the days that are left, and whether they are few', async () => {
  server = await startServer(() => undefined, 'expired');
  const expired = await probe({ serverName, verifyCertificate: false });
  expect(expired.evidence).toMatchObject({ certificateExpiresSoon: true, tlsProtocol: 'TLSv1.3' });
  expect(expired.evidence.certificateExpiresInDays).toBeLessThan(-2000);
  await server.close();
  server = await startServer(() => undefined, 'valid');
  const valid = await probe({ serverName });
  expect(valid.evidence).toMatchObject({ certificateExpiresSoon: false, certificateValid: true });
  expect(valid.evidence.certificateExpiresInDays).toBeGreaterThan(30_000);
});

it('lets the server see a whole handshake', async () => {
  const secured = Promise.withResolvers<string>();
  const peer = tls.createServer({ key: pem('valid.key'), cert: pem('valid') }, () =>
    secured.resolve('secured'),
  );
  peer.on('tlsClientError', (error) => secured.resolve(error.message));
  peer.listen(0, '127.0.0.1');
  await once(peer, 'listening');
  await probe({ serverName }, (peer.address() as net.AddressInfo).port);
  expect(await secured.promise).toBe('secured');
  peer.close();
});

describe('against openssl s_server', () => {
  const certificate = fileURLToPath(new URL('./certificates/valid.pem', import.meta.url));

  async function startOpenssl(...options: readonly string[]): Promise<number> {
    const files = ['-cert', certificate, '-key', certificate.replace('.pem', '.key.pem')];
    child = spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', ...files, ...options]);
    for await (const piece of child.stdout ?? []) {
      const port = /ACCEPT 127\.0\.0\.1:(\d+)/.exec(String(piece))?.[1];
      if (port !== undefined) return Number(port);
    }
    throw new Error('openssl has not told its port');
  }

  it.skipIf(!existsSync('/usr/bin/openssl')).each([
    { name: 'TLS 1.2 where it is enough', options: ['-tls1_2'], settings: {}, want: 'ok TLSv1.2' },
    {
      name: 'TLS 1.2 where 1.3 is wanted',
      options: ['-tls1_2'],
      settings: { minProtocol: 'TLSv1.3' },
      want: 'tls-failed undefined',
    },
    { name: 'TLS 1.3', options: ['-tls1_3'], settings: { minProtocol: 'TLSv1.3' }, want: 'ok TLSv1.3' },
  ])('$name', async ({ options, settings, want }) => {
    const port = await startOpenssl(...options);
    const result = await probe({ serverName, ...settings }, port);
    expect(`${result.reason} ${result.evidence.tlsProtocol}`).toBe(want);
  });
});

it.each([
  { name: 'an address as server name', settings: { serverName: '192.0.2.1' }, want: /must be a name/ },
  { name: 'a version that is too old', settings: { minProtocol: 'TLSv1' }, want: /TLSv1\.2/ },
  { name: 'an empty list of protocols', settings: { alpnProtocols: [] }, want: /alpnProtocols/ },
  { name: 'a blank in a protocol', settings: { alpnProtocols: ['h 2'] }, want: /must be a protocol/ },
  { name: 'days below zero', settings: { expiryWarningDays: -1 }, want: /expiryWarningDays/ },
])('refuses $name', ({ settings, want }) => {
  const parsed = tlsProbe.settings.safeParse(settings);
  expect(JSON.stringify(parsed.error?.issues)).toMatch(want);
});

/** The start of a record of handshake messages (RFC 8446 section 5.1): type, version, length. */
const HANDSHAKE_RECORD = Buffer.from([22, 3, 3, 0x40, 0]);

it.each([
  {
    name: 'a reset in the middle of the handshake',
    behaviour: (socket: net.Socket) => socket.write(HANDSHAKE_RECORD, () => socket.resetAndDestroy()),
    want: 'connection-reset',
  },
  {
    name: 'an endless stream of handshake records',
    behaviour: (socket: net.Socket) =>
      writeForever(socket, Buffer.concat([HANDSHAKE_RECORD, Buffer.alloc(0x4000, 1)])),
    want: 'tls-failed',
  },
  {
    name: 'a handshake record that trickles',
    behaviour: (socket: net.Socket) => trickle(socket, '\x16\x03\x03\x40\x00\x02\x00\x10'),
    want: 'timeout',
  },
])('meets $name', async ({ behaviour, want }) => {
  server = await startServer(behaviour);
  const result = await probe({ serverName }, server.port, want === 'timeout' ? SHORT_MS : AMPLE_MS);
  expect(`${result.reason}: ${result.detail}`).toMatch(new RegExp(`^${want}: `));
  await server.idle();
});
