import { decodeValue, encodeValue } from '../frame.ts';
import { asRecord, isText } from '../plain-value.ts';
import { quoted } from './roster.ts';
import type { RefusalReason } from './transport.ts';

/** Versions of what two peers say to each other, both ends included. */
export interface ProtocolRange {
  readonly min: number;
  readonly max: number;
}

/**
 * What this release speaks. A release speaks its own version and the one before, so that a cluster is upgraded node
 * by node; a new version may add fields, which older peers ignore, and messages that it sends only to who knows them.
 */
export const spokenProtocol: ProtocolRange = { min: 1, max: 1 };

/** The first message each way. */
export interface Hello {
  readonly protocol: ProtocolRange;
  readonly clusterId: string;
  readonly node: string;
  /** Of the software; for people to read. */
  readonly version: string;
  /** Drawn when the sender's transport starts: another one means that it has started again. */
  readonly sessionNonce: string;
  /** The id of the last session between the two, when the sender knows that it has ended. */
  readonly endedSession?: string;
}

export function encodeHello(hello: Hello): Uint8Array {
  return encodeValue(hello);
}

export function decodeHello(octets: Uint8Array): Hello | undefined {
  const decoded = decodeValue(octets);
  return decoded.ok ? parseHello(decoded.value) : undefined;
}

/** Undefined when it is not one. Fields that are not known are ignored: they are of a later version. */
export function parseHello(value: unknown): Hello | undefined {
  const fields = asRecord(value);
  const protocol = asRecord(fields?.protocol);
  if (fields === undefined || protocol === undefined) return undefined;
  const { min, max } = protocol;
  const { clusterId, node, version, sessionNonce, endedSession } = fields;
  if (!isVersion(min) || !isVersion(max) || min > max) return undefined;
  if (!isText(clusterId) || !isText(node) || !isText(version) || !isText(sessionNonce)) return undefined;
  const hello = { protocol: { min, max }, clusterId, node, version, sessionNonce };
  return isText(endedSession) ? { ...hello, endedSession } : hello;
}

/** The newest version that both speak. */
export function commonProtocol(ours: ProtocolRange, theirs: ProtocolRange): number | undefined {
  const newest = Math.min(ours.max, theirs.max);
  return newest >= Math.max(ours.min, theirs.min) ? newest : undefined;
}

/** What stands against a session with who sent this hello, and has proved by a certificate that its name is `peer`. */
export function faultOf(
  theirs: Hello,
  ours: Hello,
  peer: string,
): { readonly reason: RefusalReason; readonly detail: string } | undefined {
  if (theirs.clusterId !== ours.clusterId)
    return {
      reason: 'wrong-cluster',
      detail: `it says that it belongs to cluster ${quoted(theirs.clusterId)}`,
    };
  if (theirs.node !== peer)
    return { reason: 'name-mismatch', detail: `it says that its name is ${quoted(theirs.node)}` };
  if (commonProtocol(ours.protocol, theirs.protocol) !== undefined) return undefined;
  const [its, own] = [theirs.protocol, ours.protocol].map(({ min, max }) => `${min} to ${max}`);
  return { reason: 'protocol', detail: `it speaks protocol versions ${its}, this node ${own}` };
}

function isVersion(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535;
}
