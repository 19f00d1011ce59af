import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { z } from 'zod';
import {
  MAX_NODE_ADDRESSES,
  membershipId,
  nodeRoles,
  peerAddress,
} from '../../config/resources/cluster-node.ts';
import { resourceName } from '../../config/resources/fields.ts';
import { clusterSettingsSchema } from './cluster-settings.ts';

/**
 * How a machine joins: one TLS 1.3 connection for each question, one frame each way. A frame is its length in four
 * octets, the highest first, and JSON in UTF-8.
 *
 *     joining node                                      node of the cluster
 *     1. connects, believes nobody
 *        {kind: who}                        ->
 *                                           <-          {kind: cluster, caCertificatePem}
 *        compares with the token's fingerprint
 *     2. connects again, believes that CA alone
 *        {kind: join, request, proof}       ->
 *                                           <-          {kind: welcome, …}   or   {kind: refused, message}
 *
 * The proof binds the request, octet for octet, to the connection's own secret (RFC 8446 section 7.5).
 */

/** RFC 7301: what is spoken after the handshake, on the listener of the peers. */
export const JOIN_PROTOCOL = 'meridian-join/1';

/** RFC 5705 labels of private use begin with EXPERIMENTAL. */
export const EXPORTER_LABEL = 'EXPERIMENTAL meridian join 1';
export const EXPORTER_OCTETS = 32;

/** A request with eight long addresses is 3 KiB. */
export const MAX_REQUEST_OCTETS = 16 * 1024;

/** A welcome names the other nodes. */
export const MAX_REPLY_OCTETS = 256 * 1024;

const LENGTH_OCTETS = 4;

/** Addresses of other nodes that a welcome names: enough to find the cluster, which then tells the rest. */
export const MAX_WELCOME_PEERS = 64;

/** As many as a node keeps. */
export const MAX_SEAL_KEYS = 64;

const base64 = z.string().regex(/^[A-Za-z0-9+/]+={0,2}$/, 'must be base64');

export const joinCallSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('who') }),
  z.strictObject({
    kind: z.literal('join'),
    /** JSON of a `JoinRequest`, as it was signed. */
    request: z.string().max(MAX_REQUEST_OCTETS),
    proof: z.string().max(100),
  }),
]);

export type JoinCall = z.infer<typeof joinCallSchema>;

/** What a machine wants to be. Later versions may add fields, which are passed over. */
export const joinRequestSchema = z.object({
  invitation: membershipId,
  name: resourceName,
  region: resourceName,
  role: z.enum(nodeRoles),
  addresses: z.array(peerAddress).max(MAX_NODE_ADDRESSES),
  /** SubjectPublicKeyInfo in DER, on P-256. */
  publicKey: base64.max(200),
});

export type JoinRequest = Readonly<z.infer<typeof joinRequestSchema>>;

/** Later versions may add fields, which are passed over. */
export const joinReplySchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('cluster'), caCertificatePem: z.string() }),
  z.object({
    kind: z.literal('welcome'),
    clusterId: membershipId,
    certificatePem: z.string(),
    caCertificatePem: z.string(),
    clusterKey: base64,
    sealedCaKey: base64,
    /** Keys that open the secrets in the configuration; the first seals. */
    sealKeys: z.array(base64.max(64)).min(1).max(MAX_SEAL_KEYS),
    transport: clusterSettingsSchema.shape.transport,
    peers: z.array(peerAddress).max(MAX_WELCOME_PEERS),
  }),
  z.object({ kind: z.literal('refused'), message: z.string().max(1000) }),
]);

export type JoinReply = z.infer<typeof joinReplySchema>;

export function encodeFrame(message: JoinCall | JoinReply): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  const head = Buffer.alloc(LENGTH_OCTETS);
  head.writeUInt32BE(body.length);
  return Buffer.concat([head, body]);
}

/** A connection that says nothing, too much, or something else. */
export class JoinProtocolError extends Error {
  override readonly name = 'JoinProtocolError';
}

/**
 * The one frame that the other side sends, as JSON. Rejects where it is longer than it may be, does not come in time,
 * or is no JSON; the connection is then the caller's to end.
 */
export async function readFrame(
  socket: Duplex,
  { maxOctets, signal }: { readonly maxOctets: number; readonly signal: AbortSignal },
): Promise<unknown> {
  const chunks: Buffer[] = [];
  let octets = 0;
  let wanted = Number.POSITIVE_INFINITY;
  while (octets < wanted) {
    const chunk: unknown = socket.read();
    if (!(chunk instanceof Buffer)) {
      if (socket.readableEnded || socket.destroyed) throw new JoinProtocolError('the connection ended early');
      await somethingToRead(socket, signal);
      continue;
    }
    chunks.push(chunk);
    octets += chunk.length;
    if (wanted === Number.POSITIVE_INFINITY && octets >= LENGTH_OCTETS) {
      const length = Buffer.concat(chunks).readUInt32BE(0);
      if (length > maxOctets) throw new JoinProtocolError(`a frame of ${length} octets is too long`);
      wanted = LENGTH_OCTETS + length;
    }
    if (octets > LENGTH_OCTETS + maxOctets) throw new JoinProtocolError('more than one frame');
  }
  if (octets > wanted) throw new JoinProtocolError('more than one frame');
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8', LENGTH_OCTETS));
  } catch {
    throw new JoinProtocolError('the frame is not JSON');
  }
}

async function somethingToRead(socket: Duplex, signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  try {
    await Promise.race(['readable', 'end', 'close'].map((event) => once(socket, event, { signal: either })));
  } finally {
    stop.abort();
  }
}
