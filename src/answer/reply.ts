import { putUint16 } from '../dns/put-integer.ts';
import {
  FLAG_AA,
  FLAG_CD,
  FLAG_QR,
  FLAG_RD,
  FLAG_TC,
  HEADER_LENGTH,
  MAX_MESSAGE_LENGTH,
  OPCODE_MASK,
  type Query,
} from '../dns/query.ts';

/**
 * The answer under way, in the caller's buffer:
 *
 *     header | question | answer | authority | additional | OPT
 *                                            ^ at           ^ limit: what is behind it is kept for the OPT
 *
 * Two places in it stand for names, so that compression needs no search: `ownerAt`, the name asked for or the last
 * CNAME's target, and `apexAt`, the apex of the zone that answers, which ends that name or an earlier one.
 */
export interface Reply {
  octets: Uint8Array;
  at: number;
  limit: number;
  ownerAt: number;
  apexAt: number;
  questionCount: number;
  answerCount: number;
  authorityCount: number;
  additionalCount: number;
  authoritative: boolean;
  truncated: boolean;
}

export type Transport = 'udp' | 'tcp';

/** RFC 1035 section 4.2.1: what every sender over UDP can take. */
const MIN_UDP_PAYLOAD = 512;

export function createReply(): Reply {
  return {
    octets: new Uint8Array(0),
    at: 0,
    limit: 0,
    ownerAt: HEADER_LENGTH,
    apexAt: HEADER_LENGTH,
    questionCount: 0,
    answerCount: 0,
    authorityCount: 0,
    additionalCount: 0,
    authoritative: false,
    truncated: false,
  };
}

/**
 * Starts an answer with the question as it was asked, in its own case. `octets` may be the request's own buffer.
 * `reserved`: octets that the OPT will need. `maxUdpOctets`: most octets of an answer over UDP.
 */
export function beginReply(
  reply: Reply,
  query: Query,
  request: Uint8Array,
  transport: Transport,
  octets: Uint8Array,
  reserved: number,
  maxUdpOctets: number,
): void {
  if (octets !== request)
    for (let i = HEADER_LENGTH; i < query.questionEnd; i++) octets[i] = request[i] as number;
  reply.octets = octets;
  reply.at = query.questionEnd;
  reply.limit = Math.min(octets.length, messageLimit(query, transport, maxUdpOctets)) - reserved;
  reply.ownerAt = HEADER_LENGTH;
  reply.apexAt = HEADER_LENGTH;
  reply.questionCount = query.questionEnd > HEADER_LENGTH ? 1 : 0;
  reply.answerCount = 0;
  reply.authorityCount = 0;
  reply.additionalCount = 0;
  reply.authoritative = false;
  reply.truncated = false;
}

/** RFC 6891 section 6.2.3: a payload size below 512 counts as 512. */
function messageLimit(query: Query, transport: Transport, maxUdpOctets: number): number {
  if (transport === 'tcp') return MAX_MESSAGE_LENGTH;
  if (!query.hasEdns) return MIN_UDP_PAYLOAD;
  return Math.min(Math.max(query.payloadSize, MIN_UDP_PAYLOAD), maxUdpOctets);
}

/**
 * Sets `apexAt` to that many labels behind the owner, whose name may be compressed: a CNAME's target ends in a pointer
 * to the apex of the zone that holds the CNAME, and the zone that goes on with it may be its parent (DS at its apex).
 */
export function findApex(reply: Reply, labelsBelowApex: number): void {
  const { octets } = reply;
  let at = labelAt(octets, reply.ownerAt);
  for (let label = 0; label < labelsBelowApex; label++) at = labelAt(octets, at + (octets[at] as number) + 1);
  reply.apexAt = at;
}

/** Where the label at `at`, which may be a pointer, stands; what we wrote ourselves has no loops. */
function labelAt(octets: Uint8Array, at: number): number {
  let label = at;
  while ((octets[label] as number) >= 0xc0) {
    label = (((octets[label] as number) & 0x3f) << 8) | (octets[label + 1] as number);
  }
  return label;
}

/** Takes everything behind the question back: RFC 2181 section 9, the sender is to ask again over TCP. */
export function truncate(reply: Reply, query: Query): void {
  reply.at = query.questionEnd;
  reply.answerCount = 0;
  reply.authorityCount = 0;
  reply.additionalCount = 0;
  reply.truncated = true;
}

/** Writes the header last, when everything that it counts is there. */
export function encodeHeader(reply: Reply, query: Query, rcode: number): void {
  const { octets } = reply;
  // RFC 1035 section 4.1.1 and RFC 6840 section 5.7 on CD: opcode, RD and CD are the query's; we neither recurse nor
  // validate, so RA and AD are clear.
  const flags =
    FLAG_QR |
    (query.flags & (OPCODE_MASK | FLAG_RD | FLAG_CD)) |
    (reply.authoritative ? FLAG_AA : 0) |
    (reply.truncated ? FLAG_TC : 0) |
    (rcode & 0xf);
  putUint16(octets, 0, query.id);
  putUint16(octets, 2, flags);
  putUint16(octets, 4, reply.questionCount);
  putUint16(octets, 6, reply.answerCount);
  putUint16(octets, 8, reply.authorityCount);
  putUint16(octets, 10, reply.additionalCount);
}
