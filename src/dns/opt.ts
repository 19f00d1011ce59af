import { putUint16 } from './put-integer.ts';
import {
  EDNS_FLAG_DO,
  OPTION_CLIENT_SUBNET,
  OPTION_COOKIE,
  OPTION_NSID,
  OPTION_TCP_KEEPALIVE,
  type Query,
} from './query.ts';
import { TYPE_OPT } from './type.ts';

/**
 * Most octets of a UDP answer, and what we say we take: fits an IPv6 path of 1280 octets, so that nothing is ever
 * fragmented (DNS flag day 2020).
 */
export const MAX_UDP_PAYLOAD = 1232;

/** A longer identifier is not sent: it would eat the room of answers. */
const MAX_SERVER_ID_LENGTH = 128;

/** Root owner, type, class, TTL and rdlength. */
const OPT_FIXED_LENGTH = 11;
const OPTION_HEADER_LENGTH = 4;
const SUBNET_HEADER_LENGTH = 4;
/** RFC 7828 section 3.1. */
const KEEPALIVE_TIMEOUT_LENGTH = 2;

/** Client cookie, and behind it version, reserved, timestamp and hash (RFC 9018 section 4). */
export const ANSWER_COOKIE_LENGTH = 24;

/** What the OPT of an answer says beside what its query asked; one object is written anew for every answer. */
export interface OptAnswer {
  /** For the client subnet of the query, where it had one (RFC 7871 section 7.2.1). */
  scopePrefixLength: number;
  /** In units of 100 ms up to 65,535, for a query that asked for it (RFC 7828). */
  keepaliveTimeout: number;
  /** Whether the answer's cookie stands in the query's. */
  hasCookie: boolean;
}

export function createOptAnswer(): OptAnswer {
  return {
    scopePrefixLength: 0,
    keepaliveTimeout: 0,
    hasCookie: false,
  };
}

/** Octets of the OPT that answers this query; 0 where the query had none (RFC 6891 section 6.1.1). */
export function optLength(query: Query, answer: OptAnswer, serverId: Uint8Array): number {
  if (!query.hasEdns) return 0;
  const cookie = answer.hasCookie ? OPTION_HEADER_LENGTH + ANSWER_COOKIE_LENGTH : 0;
  return (
    OPT_FIXED_LENGTH + nsidLength(query, serverId) + subnetLength(query) + cookie + keepaliveLength(query)
  );
}

/**
 * Writes the OPT that answers this query and returns the offset after it; `optLength` tells the room it needs.
 * Further options, such as extended errors (RFC 8914), belong here and in `optLength`.
 */
export function encodeOpt(
  bytes: Uint8Array,
  start: number,
  query: Query,
  answer: OptAnswer,
  rcode: number,
  serverId: Uint8Array,
): number {
  const rdlength = optLength(query, answer, serverId) - OPT_FIXED_LENGTH;
  bytes[start] = 0;
  putUint16(bytes, start + 1, TYPE_OPT);
  putUint16(bytes, start + 3, MAX_UDP_PAYLOAD);
  bytes[start + 5] = rcode >> 4;
  bytes[start + 6] = 0;
  // RFC 3225 section 3: the DO bit is copied.
  putUint16(bytes, start + 7, query.dnssecOk ? EDNS_FLAG_DO : 0);
  putUint16(bytes, start + 9, rdlength);
  let at = start + OPT_FIXED_LENGTH;
  if (nsidLength(query, serverId) > 0) at = encodeNsid(bytes, at, serverId);
  if (query.hasSubnet) at = encodeSubnet(bytes, at, query, answer.scopePrefixLength);
  if (answer.hasCookie) at = encodeCookie(bytes, at, query.cookie);
  if (query.keepalive === 'asked') at = encodeKeepalive(bytes, at, answer.keepaliveTimeout);
  return at;
}

function nsidLength(query: Query, serverId: Uint8Array): number {
  if (!query.nsidAsked || serverId.length === 0 || serverId.length > MAX_SERVER_ID_LENGTH) return 0;
  return OPTION_HEADER_LENGTH + serverId.length;
}

function subnetLength(query: Query): number {
  return query.hasSubnet
    ? OPTION_HEADER_LENGTH + SUBNET_HEADER_LENGTH + ((query.sourcePrefixLength + 7) >> 3)
    : 0;
}

function keepaliveLength(query: Query): number {
  return query.keepalive === 'asked' ? OPTION_HEADER_LENGTH + KEEPALIVE_TIMEOUT_LENGTH : 0;
}

/** RFC 7873 section 4. */
function encodeCookie(bytes: Uint8Array, start: number, cookie: Uint8Array): number {
  putUint16(bytes, start, OPTION_COOKIE);
  putUint16(bytes, start + 2, ANSWER_COOKIE_LENGTH);
  const at = start + OPTION_HEADER_LENGTH;
  for (let i = 0; i < ANSWER_COOKIE_LENGTH; i++) bytes[at + i] = cookie[i] as number;
  return at + ANSWER_COOKIE_LENGTH;
}

/** RFC 7828 section 3.1. */
function encodeKeepalive(bytes: Uint8Array, start: number, keepaliveTimeout: number): number {
  putUint16(bytes, start, OPTION_TCP_KEEPALIVE);
  putUint16(bytes, start + 2, KEEPALIVE_TIMEOUT_LENGTH);
  putUint16(bytes, start + OPTION_HEADER_LENGTH, keepaliveTimeout);
  return start + OPTION_HEADER_LENGTH + KEEPALIVE_TIMEOUT_LENGTH;
}

/** RFC 5001 section 2.3. */
function encodeNsid(bytes: Uint8Array, start: number, serverId: Uint8Array): number {
  putUint16(bytes, start, OPTION_NSID);
  putUint16(bytes, start + 2, serverId.length);
  const at = start + OPTION_HEADER_LENGTH;
  for (let i = 0; i < serverId.length; i++) bytes[at + i] = serverId[i] as number;
  return at + serverId.length;
}

/** RFC 7871 section 7.2.1: family, source prefix length and address as in the query. */
function encodeSubnet(bytes: Uint8Array, start: number, query: Query, scopePrefixLength: number): number {
  const octets = (query.sourcePrefixLength + 7) >> 3;
  putUint16(bytes, start, OPTION_CLIENT_SUBNET);
  putUint16(bytes, start + 2, SUBNET_HEADER_LENGTH + octets);
  putUint16(bytes, start + 4, query.subnetFamily);
  bytes[start + 6] = query.sourcePrefixLength;
  bytes[start + 7] = scopePrefixLength;
  const at = start + OPTION_HEADER_LENGTH + SUBNET_HEADER_LENGTH;
  for (let i = 0; i < octets; i++) bytes[at + i] = query.subnetAddress[i] as number;
  return at + octets;
}
