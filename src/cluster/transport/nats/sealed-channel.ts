import { createCipheriv, createDecipheriv, diffieHellman, hkdfSync, type KeyObject } from 'node:crypto';

/**
 * What two nodes say to each other through a broker, so that the broker and whoever else is on it can neither read,
 * change, invent nor repeat it:
 *
 *   +------+------------+----------+----------------------------+-----+
 *   | kind | session id | sequence | AES-256-GCM of the payload | tag |
 *   | 1    | 8 octets   | 8 octets |                            | 16  |
 *   +------+------------+----------+----------------------------+-----+
 *
 * The keys, one each way, come from an X25519 exchange that both signed with their certificates' keys, and from the
 * cluster's key. So each message proves its sender as a signature would, at a hundredth of the cost, and what was
 * recorded stays closed when a key of either kind leaks later.
 */
export const SEALED_KIND = 2;

export const SESSION_ID_OCTETS = 8;
const SEQUENCE_OCTETS = 8;
const HEAD_OCTETS = 1 + SESSION_ID_OCTETS + SEQUENCE_OCTETS;
const TAG_OCTETS = 16;
const KEY_OCTETS = 32;
const GCM_NONCE_OCTETS = 12;

/** What sealing adds to a payload. */
export const SEALED_OVERHEAD_OCTETS = HEAD_OCTETS + TAG_OCTETS;

export type Opened =
  | { readonly ok: true; readonly payload: Uint8Array }
  /** Not of this session, changed, or not a message: as if it had not come. */
  | { readonly ok: false; readonly reason: 'forged' }
  /** Already had: a repetition. As if it had not come. */
  | { readonly ok: false; readonly reason: 'repeated' }
  /** Genuine, and one before it is missing: the session is broken. */
  | { readonly ok: false; readonly reason: 'gap' };

export interface ChannelSecrets {
  readonly privateKey: KeyObject;
  readonly peerPublicKey: KeyObject;
  readonly clusterKey: Uint8Array;
  /** Digest of what both have signed. */
  readonly transcript: Uint8Array;
  /** Which of the two made the offer decides which key is for which way. */
  readonly side: 'offering' | 'answering';
}

export class SealedChannel {
  readonly sessionId: string;
  readonly #sendKey: Uint8Array;
  readonly #receiveKey: Uint8Array;
  readonly #id: Uint8Array;
  #sent = 0;
  #received = 0;

  constructor(secrets: ChannelSecrets) {
    const { privateKey, peerPublicKey: publicKey, clusterKey, transcript, side } = secrets;
    const shared = diffieHellman({ privateKey, publicKey });
    const octets = 2 * KEY_OCTETS + SESSION_ID_OCTETS;
    const material = new Uint8Array(
      hkdfSync(
        'sha256',
        Buffer.concat([shared, clusterKey]),
        transcript,
        'meridian session over a broker',
        octets,
      ),
    );
    const first = material.subarray(0, KEY_OCTETS);
    const second = material.subarray(KEY_OCTETS, 2 * KEY_OCTETS);
    [this.#sendKey, this.#receiveKey] = side === 'offering' ? [first, second] : [second, first];
    this.#id = material.subarray(2 * KEY_OCTETS);
    this.sessionId = Buffer.from(this.#id).toString('hex');
  }

  /** What only the two ends have, for proofs within the session. */
  get binding(): Uint8Array {
    return this.#id;
  }

  seal(payload: Uint8Array): Uint8Array {
    this.#sent += 1;
    const head = Buffer.alloc(HEAD_OCTETS);
    head[0] = SEALED_KIND;
    head.set(this.#id, 1);
    head.writeBigUInt64BE(BigInt(this.#sent), 1 + SESSION_ID_OCTETS);
    const cipher = createCipheriv('aes-256-gcm', this.#sendKey, nonceOf(head));
    cipher.setAAD(head);
    return Buffer.concat([head, cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
  }

  /** Never throws. The payload is in octets of its own. */
  open(message: Uint8Array): Opened {
    if (message.length < SEALED_OVERHEAD_OCTETS || sessionIdOf(message) !== this.sessionId)
      return { ok: false, reason: 'forged' };
    const head = Buffer.from(message.subarray(0, HEAD_OCTETS));
    const sequence = head.readBigUInt64BE(1 + SESSION_ID_OCTETS);
    if (sequence <= BigInt(this.#received)) return { ok: false, reason: 'repeated' };
    const payload = this.#decrypt(head, message);
    if (payload === undefined) return { ok: false, reason: 'forged' };
    if (sequence !== BigInt(this.#received + 1)) return { ok: false, reason: 'gap' };
    this.#received += 1;
    return { ok: true, payload };
  }

  #decrypt(head: Uint8Array, message: Uint8Array): Uint8Array | undefined {
    const decipher = createDecipheriv('aes-256-gcm', this.#receiveKey, nonceOf(head));
    decipher.setAAD(head);
    decipher.setAuthTag(message.subarray(message.length - TAG_OCTETS));
    try {
      const payload = decipher.update(message.subarray(HEAD_OCTETS, message.length - TAG_OCTETS));
      decipher.final();
      return payload;
    } catch {
      return undefined;
    }
  }
}

/** The session that a sealed message says it is of; empty for none. */
export function sessionIdOf(message: Uint8Array): string {
  if (message[0] !== SEALED_KIND || message.length < SEALED_OVERHEAD_OCTETS) return '';
  return Buffer.from(message.subarray(1, 1 + SESSION_ID_OCTETS)).toString('hex');
}

/** Each key is used for one way of one session, where a sequence number comes once. */
function nonceOf(head: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(GCM_NONCE_OCTETS);
  nonce.set(head.subarray(1 + SESSION_ID_OCTETS), GCM_NONCE_OCTETS - SEQUENCE_OCTETS);
  return nonce;
}
