import { createPublicKey, type KeyObject } from 'node:crypto';
import { decodeValue, encodeValue } from '../../frame.ts';
import { seal, unseal } from '../../identity/derived-secrets.ts';
import { asRecord, type Hello, isText, parseHello } from '../hello.ts';
import { MAX_CONTROL_OCTETS } from '../limits.ts';

/**
 * How two nodes come to a session over a broker. The node with the lesser name offers:
 *
 *   greater name                     lesser name
 *        | -- call: I have no session -->  |
 *        | <-- offer: key, nonce --------- |
 *        | -- answer: key, that nonce -->  |
 *        | <-- first sealed message -----  |   proves the offering node fresh, and brings the session up
 *
 * Each of the three is signed with the sender's certificate's key and says for whom it is; all of it is sealed with a
 * key of the cluster, so that strangers on the broker learn nothing and cannot make us check signatures.
 */
export const STATEMENT_KIND = 1;

export type StatementType = 'call' | 'offer' | 'answer';

export interface Statement {
  readonly type: StatementType;
  readonly to: string;
  readonly hello: Hello;
  /** Certificate of the sender, DER. */
  readonly certificate: Uint8Array;
  /** X25519 public key (raw), new for each offer and answer. */
  readonly key: Uint8Array;
  /** Of an offer: drawn for it. Of an answer: the offer's. */
  readonly nonce: Uint8Array;
  /** The session with the receiver that the sender believes to be up. */
  readonly session?: string;
}

export interface SignedStatement {
  readonly statement: Statement;
  /** The octets that are signed. */
  readonly octets: Uint8Array;
  readonly signature: Uint8Array;
}

export const X25519_OCTETS = 32;

export function sealStatement(
  key: Uint8Array,
  statement: Statement,
  sign: (octets: Uint8Array) => Uint8Array,
): { readonly message: Uint8Array; readonly octets: Uint8Array } {
  const octets = encodeValue(statement);
  const body = encodeValue({ octets, signature: new Uint8Array(sign(octets)) });
  return { message: Buffer.concat([Uint8Array.of(STATEMENT_KIND), seal(key, body)]), octets };
}

/** Undefined for what the cluster's key did not seal, or is no statement. Never throws. Signatures are not checked here. */
export function openStatement(key: Uint8Array, message: Uint8Array): SignedStatement | undefined {
  if (message.length > MAX_CONTROL_OCTETS) return undefined;
  const body = unseal(key, message.subarray(1));
  return body === undefined ? undefined : parseSigned(body);
}

function parseSigned(body: Uint8Array): SignedStatement | undefined {
  const decoded = decodeValue(body);
  const { octets, signature } = (decoded.ok ? asRecord(decoded.value) : undefined) ?? {};
  if (!(octets instanceof Uint8Array) || !(signature instanceof Uint8Array)) return undefined;
  const inner = decodeValue(octets);
  const statement = inner.ok ? parseStatement(inner.value) : undefined;
  return statement === undefined ? undefined : { statement, octets, signature };
}

function parseStatement(value: unknown): Statement | undefined {
  const { type, to, hello: said, certificate, key, nonce, session } = asRecord(value) ?? {};
  const hello = parseHello(said);
  if (type !== 'call' && type !== 'offer' && type !== 'answer') return undefined;
  if (!isText(to) || hello === undefined || !(certificate instanceof Uint8Array)) return undefined;
  if (!(key instanceof Uint8Array) || key.length !== X25519_OCTETS || !(nonce instanceof Uint8Array))
    return undefined;
  const statement: Statement = { type, to, hello, certificate, key, nonce };
  return isText(session) ? { ...statement, session } : statement;
}

/** RFC 8410 section 4: what stands before the 32 octets of an X25519 public key in DER. */
const x25519Prefix = Buffer.from('302a300506032b656e032100', 'hex');

export function rawPublicKey(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ format: 'der', type: 'spki' }).subarray(-X25519_OCTETS));
}

export function publicKeyOf(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([x25519Prefix, raw]), format: 'der', type: 'spki' });
}
