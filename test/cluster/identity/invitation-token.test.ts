import { describe, expect, it } from 'vitest';
import {
  formatToken,
  type InvitationToken,
  isProven,
  parseToken,
  proveSecret,
  verifierOf,
} from '../../../src/cluster/identity/invitation-token.ts';

const token: InvitationToken = {
  addresses: ['fra-1.example.net:7053', '[2001:db8::1]:7053'],
  clusterId: 'c'.repeat(32),
  caFingerprint: new Uint8Array(32).fill(1),
  invitation: 'd'.repeat(32),
  secret: new Uint8Array(32).fill(2),
  expiresAtMs: 1_767_225_600_000,
};

describe('a token', () => {
  it('is one word, and read as it was written', () => {
    const text = formatToken(token);
    expect(text).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(parseToken(` ${text}\n`)).toEqual({ ok: true, value: token });
  });

  const text = formatToken(token);
  it.each([
    { name: 'nothing', given: '' },
    { name: 'a piece of one', given: text.slice(0, -20) },
    { name: 'one with a space', given: `${text.slice(0, 50)} ${text.slice(50)}` },
    { name: 'another word', given: 'correct-horse-battery-staple' },
    { name: 'JSON of something else', given: Buffer.from('{"v":1}').toString('base64url') },
    { name: 'one without end', given: 'A'.repeat(100_000) },
  ])('is not whole and never told again: $name', ({ given }) => {
    const read = parseToken(given);
    expect(read.ok ? 'good' : read.problems.map(({ code }) => code)).toEqual(['bad-token']);
    expect(JSON.stringify(read)).not.toContain(given.slice(10, 30) || 'none');
  });
});

describe('a proof', () => {
  const binding = new Uint8Array(32).fill(3);
  const verifier = verifierOf(token.secret);
  const proof = proveSecret(token.secret, binding, 'request');

  it('is one for that request on that connection only', () => {
    const tries = [
      isProven(verifier, proof, binding, 'request'),
      isProven(verifier, proof, binding, 'another request'),
      isProven(verifier, proof, new Uint8Array(32).fill(4), 'request'),
      isProven(verifierOf(new Uint8Array(32).fill(5)), proof, binding, 'request'),
      isProven(verifier, '', binding, 'request'),
      isProven(verifier, 'A'.repeat(86), binding, 'request'),
      isProven('A'.repeat(43), proof, binding, 'request'),
    ];
    expect(tries).toEqual([true, false, false, false, false, false, false]);
  });

  it('cannot be made from what the cluster keeps', () => {
    const kept = new Uint8Array(Buffer.from(verifier, 'base64url'));
    expect(isProven(verifier, proveSecret(kept, binding, 'request'), binding, 'request')).toBe(false);
  });
});
