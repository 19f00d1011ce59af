import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** The secret that every node of a cluster holds, and nobody else. */
export const CLUSTER_KEY_OCTETS = 32;

const NONCE_OCTETS = 12;
const TAG_OCTETS = 16;
const CIPHER = 'aes-256-gcm';

/**
 * What each derived secret is for. A label is never used for something else, nor changed: other nodes derive the same
 * secret from it, of this version and of others.
 */
const purposes = {
  /** Server secret of DNS cookies (RFC 9018): every node knows the cookies that another has made. */
  cookies: { label: 'meridian dns cookies 1', octets: 16 },
  /** Seals keys and secrets that lie in documents. */
  seal: { label: 'meridian store seal 1', octets: 32 },
  /** Seals what travels over a message broker, which is no member. */
  messages: { label: 'meridian nats messages 1', octets: 32 },
  /** Seals the private key of the cluster's CA. */
  caKey: { label: 'meridian ca key 1', octets: 32 },
} as const;

export type SecretPurpose = keyof typeof purposes;

/** A secret of its own for each purpose, by HKDF-SHA-256 (RFC 5869); none tells anything of another. */
export function deriveSecret(clusterKey: Uint8Array, purpose: SecretPurpose): Uint8Array {
  const { label, octets } = purposes[purpose];
  return new Uint8Array(hkdfSync('sha256', clusterKey, new Uint8Array(), label, octets));
}

/** Nonce, sealed octets and tag, one after the other. */
export function seal(key: Uint8Array, plain: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_OCTETS);
  const cipher = createCipheriv(CIPHER, key, nonce);
  const sealed = Buffer.concat([nonce, cipher.update(plain), cipher.final()]);
  return new Uint8Array(Buffer.concat([sealed, cipher.getAuthTag()]));
}

/** Undefined where another key has sealed it, or something has changed it. */
export function unseal(key: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < NONCE_OCTETS + TAG_OCTETS) return undefined;
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_OCTETS), {
    authTagLength: TAG_OCTETS,
  });
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_OCTETS));
  try {
    const plain = decipher.update(sealed.subarray(NONCE_OCTETS, sealed.length - TAG_OCTETS));
    return new Uint8Array(Buffer.concat([plain, decipher.final()]));
  } catch {
    return undefined;
  }
}
