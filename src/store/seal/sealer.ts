import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

/**
 * A secret as it lies in a document, which every node has and every backup holds:
 *
 *     sealed:v1:<key id>:<base64url of>  nonce, 12 octets | tag, 16 octets | ciphertext
 *
 * AES-256-GCM; the associated data is the secret's place, so that nobody can move one secret into the place of another.
 * The key id is the start of the key's SHA-256: it says which key is needed, and nothing about the key.
 */
const PREFIX = 'sealed:v1:';

/** Octets of a key, AES-256. */
export const SEAL_KEY_LENGTH = 32;

/** The nonce that GCM is made for (NIST SP 800-38D, 5.2.1.1); drawn at random, for far fewer secrets than 2^32. */
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;

/** Hex digits of a key's name. */
const KEY_ID_LENGTH = 16;

/** Hides secrets in documents. */
export interface Sealer {
  /** The text, sealed with the present key for one place, such as `alertChannels/on-call/secret`. */
  seal(text: string, place: string): string;
  /** The text that was sealed for that place; undefined when its key is not here, or it is not what was sealed. */
  open(sealed: string, place: string): string | undefined;
}

export function isSealed(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** The name of the key that a sealed text needs. */
export function sealKeyIdOf(sealed: string): string {
  return sealed.slice(PREFIX.length).split(':', 1)[0] ?? '';
}

export function sealKeyId(key: Uint8Array): string {
  return createHash('sha256').update(key).digest('hex').slice(0, KEY_ID_LENGTH);
}

/** A sealer that seals with the first key and opens with any of them. */
export function createSealer(keys: readonly [Uint8Array, ...Uint8Array[]]): Sealer {
  const [present] = keys;
  const byId = new Map(keys.map((key) => [sealKeyId(key), key]));
  return {
    seal: (text, place) => {
      const nonce = randomBytes(NONCE_LENGTH);
      const cipher = createCipheriv('aes-256-gcm', present, nonce).setAAD(Buffer.from(place));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      const sealed = Buffer.concat([nonce, cipher.getAuthTag(), body]);
      return `${PREFIX}${sealKeyId(present)}:${sealed.toString('base64url')}`;
    },
    open: (sealed, place) => {
      const key = byId.get(sealKeyIdOf(sealed));
      return key === undefined ? undefined : openWith(key, sealed, place);
    },
  };
}

function openWith(key: Uint8Array, sealed: string, place: string): string | undefined {
  const bytes = Buffer.from(sealed.slice(sealed.lastIndexOf(':') + 1), 'base64url');
  if (bytes.length < NONCE_LENGTH + TAG_LENGTH) return undefined;
  const nonce = bytes.subarray(0, NONCE_LENGTH);
  const tag = bytes.subarray(NONCE_LENGTH, NONCE_LENGTH + TAG_LENGTH);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_LENGTH });
  decipher.setAAD(Buffer.from(place)).setAuthTag(tag);
  try {
    const text = Buffer.concat([
      decipher.update(bytes.subarray(NONCE_LENGTH + TAG_LENGTH)),
      decipher.final(),
    ]);
    return text.toString('utf8');
  } catch {
    // The tag does not match: somebody changed it, or moved it here from another place.
    return undefined;
  }
}
