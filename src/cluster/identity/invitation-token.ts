import {
  createHash,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { z } from 'zod';
import { parseBody } from '../../config/contract.ts';
import { type Parsed, parsed, refused } from '../../config/problem.ts';
import { MAX_NODE_ADDRESSES, membershipId, peerAddress } from '../../config/resources/cluster-node.ts';

/** Cannot be guessed in any number of tries. */
export const INVITATION_SECRET_OCTETS = 32;

/** With all its addresses; longer is no token. */
const MAX_TOKEN_LENGTH = 8192;

const base64url = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** One letter each, because people carry tokens over narrow channels. */
const tokenSchema = z.strictObject({
  v: z.literal(1),
  a: z.array(peerAddress).min(1).max(MAX_NODE_ADDRESSES),
  c: membershipId,
  h: base64url,
  i: membershipId,
  s: base64url,
  e: z.int().min(0),
});

/** What somebody needs to join: where to, whom to believe, and a secret that works once. */
export interface InvitationToken {
  /** Where nodes of the cluster listen. */
  readonly addresses: readonly string[];
  readonly clusterId: string;
  /** SHA-256 of the certificate of the cluster's CA. */
  readonly caFingerprint: Uint8Array;
  readonly invitation: string;
  readonly secret: Uint8Array;
  readonly expiresAtMs: number;
}

export function formatToken(token: InvitationToken): string {
  const body: z.infer<typeof tokenSchema> = {
    v: 1,
    a: [...token.addresses],
    c: token.clusterId,
    h: Buffer.from(token.caFingerprint).toString('base64url'),
    i: token.invitation,
    s: Buffer.from(token.secret).toString('base64url'),
    e: Math.floor(token.expiresAtMs / 1000),
  };
  return Buffer.from(JSON.stringify(body)).toString('base64url');
}

/** What is wrong is never told with the token's own text: it is a secret, and messages end up in logs. */
export function parseToken(text: string): Parsed<InvitationToken> {
  const trimmed = text.trim();
  const broken = refused(
    'bad-token',
    'TOKEN',
    'The token is not whole; copy it again, all of it, without spaces.',
  );
  if (trimmed.length > MAX_TOKEN_LENGTH || !/^[A-Za-z0-9_-]+$/.test(trimmed)) return broken;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(trimmed, 'base64url').toString('utf8'));
  } catch {
    return broken;
  }
  const body = parseBody(tokenSchema, value, 'TOKEN');
  if (!body.ok) return broken;
  const { a, c, h, i, s, e } = body.value;
  return parsed({
    addresses: a,
    clusterId: c,
    caFingerprint: new Uint8Array(Buffer.from(h, 'base64url')),
    invitation: i,
    secret: new Uint8Array(Buffer.from(s, 'base64url')),
    expiresAtMs: e * 1000,
  });
}

/** RFC 8410 section 7: what stands before the 32 octets of an Ed25519 key in PKCS#8, and in SubjectPublicKeyInfo. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * What the cluster keeps of a secret, in base64url: the public half of a key that the secret gives. Whoever reads it
 * can check a proof and cannot make one.
 */
export function verifierOf(secret: Uint8Array): string {
  const spki = createPublicKey(proofKey(secret)).export({ type: 'spki', format: 'der' });
  return spki.subarray(SPKI_PREFIX.length).toString('base64url');
}

/** Proves knowledge of the secret for one request on one connection; the secret itself never travels. */
export function proveSecret(secret: Uint8Array, binding: Uint8Array, request: string): string {
  return sign(null, statement(binding, request), proofKey(secret)).toString('base64url');
}

/** Whether a proof is one of the secret behind the verifier, for that request on that connection. */
export function isProven(verifier: string, proof: string, binding: Uint8Array, request: string): boolean {
  try {
    const spki = Buffer.concat([SPKI_PREFIX, Buffer.from(verifier, 'base64url')]);
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    return verify(null, statement(binding, request), key, Buffer.from(proof, 'base64url'));
  } catch {
    // Not a point of the curve, or not the length of a signature.
    return false;
  }
}

function proofKey(secret: Uint8Array): KeyObject {
  const seed = Buffer.from(hkdfSync('sha256', secret, new Uint8Array(), 'meridian invitation 1', 32));
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
}

/** The connection's own secret (RFC 8446 section 7.5) makes a proof worthless on any other. */
function statement(binding: Uint8Array, request: string): Buffer {
  const digest = createHash('sha256').update(request).digest();
  return Buffer.concat([Buffer.from('meridian join 1\0'), binding, digest]);
}
