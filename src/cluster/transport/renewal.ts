import { createPrivateKey, type KeyObject, sign, verify, X509Certificate } from 'node:crypto';
import { decodeValue, encodeValue } from '../frame.ts';
import { parseCertificate } from '../identity/check-certificate.ts';
import { asRecord } from '../plain-value.ts';
import { MAX_CONTROL_OCTETS } from './limits.ts';
import type { Judgement, ProvedCertificate, Roster } from './roster.ts';
import type { RefusalReason, TransportIdentity } from './transport.ts';

/**
 * A renewed certificate is told on sessions that are up, so that peers know when it ends and need no new session.
 * The signature is over what only this session has (`binding`), so it proves nothing anywhere else.
 */
export function encodeRenewal(identity: TransportIdentity, binding: Uint8Array): Uint8Array {
  const certificate = new Uint8Array(new X509Certificate(identity.certificatePem).raw);
  const signature = signWith(createPrivateKey(identity.privateKeyPem), Buffer.concat([binding, certificate]));
  return encodeValue({ certificate, signature: new Uint8Array(signature) });
}

/** The renewed certificate of that peer, or why it does not count and the session ends. */
type Renewal =
  | { readonly ok: true; readonly proved: ProvedCertificate }
  | { readonly ok: false; readonly reason: RefusalReason; readonly detail: string };

/** Judges a renewed certificate of a peer like one of a new connection; it must have the peer's name. */
export function judgeRenewal(roster: Roster, peer: string, body: Uint8Array, binding: Uint8Array): Renewal {
  const judgement = judgeBody(roster, body, binding);
  if (judgement === undefined)
    return { ok: false, reason: 'protocol', detail: 'a renewed certificate without proof of its key' };
  if (judgement.ok && judgement.proved.name === peer) return judgement;
  if (judgement.ok || judgement.reason === 'self')
    return { ok: false, reason: 'name-mismatch', detail: 'a renewed certificate with another name' };
  return { ok: false, reason: judgement.reason, detail: judgement.detail };
}

/** Undefined: no such message. */
function judgeBody(roster: Roster, body: Uint8Array, binding: Uint8Array): Judgement | undefined {
  if (body.length > MAX_CONTROL_OCTETS) return undefined;
  const decoded = decodeValue(body);
  const fields = decoded.ok ? asRecord(decoded.value) : undefined;
  const { certificate: raw, signature } = fields ?? {};
  if (!(raw instanceof Uint8Array) || !(signature instanceof Uint8Array)) return undefined;
  const certificate = parseCertificate(raw);
  if (certificate === undefined) return undefined;
  if (!isSignedWith(certificate.publicKey, Buffer.concat([binding, raw]), signature)) return undefined;
  return roster.judge(certificate, Date.now());
}

export function signWith(key: KeyObject, octets: Uint8Array): Uint8Array {
  return sign(digestFor(key), octets, key);
}

export function isSignedWith(key: KeyObject, octets: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(digestFor(key), octets, key, signature);
  } catch {
    // A key of a kind that signs nothing.
    return false;
  }
}

/** Ed25519 hashes by itself. */
function digestFor(key: KeyObject): string | null {
  return key.asymmetricKeyType === 'ed25519' || key.asymmetricKeyType === 'ed448' ? null : 'sha256';
}
