import { execFileSync, spawnSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type CertifiedKey,
  createAuthority,
  issueNodeCertificate,
  newKeyPair,
  serialOf,
} from '../../../src/cluster/identity/certificate.ts';
import { checkNodeCertificate } from '../../../src/cluster/identity/check-certificate.ts';
import { Stage } from './given.ts';

const stage = new Stage();
afterEach(() => stage.clear());

const CLUSTER = 'c'.repeat(32);
const DAY_MS = 24 * 60 * 60 * 1000;
const nowMs = Date.parse('2026-06-01T12:00:00Z');

function issue(authority: CertifiedKey, name: string, clusterId = CLUSTER, atMs = nowMs): string {
  const signer = { ...authority, privateKey: createPrivateKey(authority.privateKeyPem) };
  return issueNodeCertificate(signer, { clusterId, name, publicKey: newKeyPair().publicKey }, atMs);
}

/** What Debian's openssl says of a node's certificate, at a moment. */
function verify(caPem: string, certificatePem: string, atMs: number, purpose: string): string {
  const directory = stage.directory();
  const [ca, certificate] = [join(directory, 'ca.crt'), join(directory, 'node.crt')];
  writeFileSync(ca, caPem);
  writeFileSync(certificate, certificatePem);
  const seconds = String(Math.floor(atMs / 1000));
  const strict = ['-x509_strict', '-check_ss_sig', '-purpose', purpose, '-attime', seconds];
  const { status, stderr } = spawnSync('openssl', ['verify', ...strict, '-CAfile', ca, certificate], {
    encoding: 'utf8',
  });
  return status === 0 ? 'good' : (/error \d+ at \d+ depth lookup: (.*)/.exec(stderr)?.[1] ?? stderr);
}

describe('openssl', () => {
  const authority = createAuthority(CLUSTER, nowMs);
  const certificate = issue(authority, 'fra-1');

  it.each(['sslserver', 'sslclient'])('accepts a node as %s', (purpose) => {
    expect(verify(authority.certificatePem, certificate, nowMs, purpose)).toBe('good');
  });

  it.each([
    { name: 'four weeks before it was made', atMs: nowMs - 28 * DAY_MS, want: 'good' },
    { name: 'on the last day', atMs: nowMs + 89 * DAY_MS, want: 'good' },
    { name: 'after 90 days', atMs: nowMs + 91 * DAY_MS, want: 'certificate has expired' },
    { name: 'long before', atMs: nowMs - 31 * DAY_MS, want: 'certificate is not yet valid' },
  ])('tells of a certificate $name: $want', ({ atMs, want }) => {
    expect(verify(authority.certificatePem, certificate, atMs, 'sslserver')).toContain(want);
  });

  it('accepts neither the CA of another cluster, nor a node that signs', () => {
    const other = createAuthority(CLUSTER, nowMs);
    expect(verify(other.certificatePem, certificate, nowMs, 'sslserver')).not.toBe('good');
    const pair = { certificatePem: certificate, privateKeyPem: authority.privateKeyPem };
    expect(verify(certificate, issue(pair, 'mallory'), nowMs, 'sslserver')).not.toBe('good');
  });

  it('reads what we wrote', () => {
    const text = execFileSync('openssl', ['x509', '-noout', '-text'], {
      input: certificate,
      encoding: 'utf8',
    });
    for (const line of [
      'Version: 3 (0x2)',
      'Signature Algorithm: ecdsa-with-SHA256',
      `Issuer: CN = Meridian cluster ${CLUSTER}`,
      'Not Before: May  2 12:00:00 2026 GMT',
      'Not After : Aug 30 12:00:00 2026 GMT',
      'Subject: CN = fra-1',
      'ASN1 OID: prime256v1',
      `URI:meridian://${CLUSTER}/fra-1`,
      'CA:FALSE',
      'Digital Signature',
      'TLS Web Server Authentication, TLS Web Client Authentication',
    ])
      expect(text.replaceAll('CN=', 'CN = ')).toContain(line);
  });
});

describe('a certificate', () => {
  it('has a serial number of its own, 128 bits long', () => {
    const authority = createAuthority(CLUSTER, nowMs);
    const serials = Array.from({ length: 20 }, () => serialOf(issue(authority, 'fra-1')));
    expect(new Set(serials).size).toBe(20);
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9a-f]{31}$/);
  });

  it('does not outlive its CA', () => {
    const authority = createAuthority(CLUSTER, nowMs);
    const late = issue(authority, 'fra-1', CLUSTER, nowMs + 3640 * DAY_MS);
    const end = (pem: string): string => new X509Certificate(pem).validTo;
    expect(end(late)).toBe(end(authority.certificatePem));
  });

  const authority = createAuthority(CLUSTER, nowMs);
  const claim = {
    clusterId: CLUSTER,
    name: 'fra-1',
    authority: new X509Certificate(authority.certificatePem),
  };
  it.each([
    { name: 'the right one', pem: issue(authority, 'fra-1'), want: [] },
    { name: 'one of another node', pem: issue(authority, 'fra-2'), want: ['wrong-certificate-name'] },
    {
      name: 'one of another cluster',
      pem: issue(authority, 'fra-1', 'd'.repeat(32)),
      want: ['wrong-certificate-name'],
    },
    {
      name: 'one of another CA',
      pem: issue(createAuthority(CLUSTER, nowMs), 'fra-1'),
      want: ['foreign-certificate'],
    },
    {
      name: "the CA's own",
      pem: authority.certificatePem,
      want: ['wrong-certificate-name', 'wrong-certificate-use'],
    },
  ])('is checked: $name', ({ pem, want }) => {
    expect(checkNodeCertificate(new X509Certificate(pem), claim, 'node.crt').map(({ code }) => code)).toEqual(
      want,
    );
  });
});
