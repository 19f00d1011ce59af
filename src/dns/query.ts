import { BAD_NAME, createHashedName, type HashedName, readPlainName, skipName } from './hashed-name.ts';
import { TYPE_IXFR, TYPE_OPT } from './type.ts';

/** RFC 1035 section 4.1.1. The question's name stands right behind it. */
export const HEADER_LENGTH = 12;

/** The largest that the two octets before a message over TCP can announce (RFC 1035 section 4.2.2). */
export const MAX_MESSAGE_LENGTH = 65_535;

/** Header flags (RFC 1035 section 4.1.1, RFC 4035 section 3), in the 16 bits after the id. */
export const FLAG_QR = 0x8000;
export const FLAG_AA = 0x0400;
export const FLAG_TC = 0x0200;
export const FLAG_RD = 0x0100;
export const FLAG_CD = 0x0010;
export const OPCODE_MASK = 0x7800;

/** EDNS option codes. */
export const OPTION_NSID = 3;
export const OPTION_CLIENT_SUBNET = 8;
export const OPTION_COOKIE = 10;
export const OPTION_TCP_KEEPALIVE = 11;

/** Client subnet families (RFC 7871 section 6: IANA address family numbers); 0 only with source /0. */
const SUBNET_IPV4 = 1;
export const SUBNET_IPV6 = 2;

/** The DO bit in the flags of OPT (RFC 6891 section 6.1.4). */
export const EDNS_FLAG_DO = 0x8000;

/** RFC 7873 section 4: a client cookie of 8 octets, behind it a server cookie of 8 to 32. */
export const CLIENT_COOKIE_LENGTH = 8;
const MIN_WHOLE_COOKIE_LENGTH = CLIENT_COOKIE_LENGTH + 8;
const MAX_COOKIE_LENGTH = CLIENT_COOKIE_LENGTH + 32;

/** A query needs OPT and perhaps a signature (TSIG, SIG(0)); more than twice that is no query. */
const MAX_RECORDS = 4;

/** Type, class, TTL and rdlength (RFC 1035 section 4.1.3). */
const RECORD_FIXED_LENGTH = 10;
const OPTION_HEADER_LENGTH = 4;
/** Family, source and scope prefix length (RFC 7871 section 6). */
const SUBNET_HEADER_LENGTH = 4;

/** A query as read from the wire; one object is written anew for every packet, and nothing else is allocated. */
export interface Query {
  id: number;
  flags: number;
  /** The question's name; its length is 0 where no question could be read. */
  readonly name: HashedName;
  type: number;
  class: number;
  /** Offset after the question; `HEADER_LENGTH` where none could be read. */
  questionEnd: number;
  hasEdns: boolean;
  ednsVersion: number;
  /** Largest UDP answer that the sender takes, as it says (RFC 6891 section 6.2.3). */
  payloadSize: number;
  dnssecOk: boolean;
  nsidAsked: boolean;
  /** RFC 7828: how long an idle TCP connection is kept. Over UDP the option counts as absent, whatever it holds. */
  keepalive: 'absent' | 'asked' | 'malformed';
  hasSubnet: boolean;
  subnetFamily: number;
  sourcePrefixLength: number;
  /** As many octets as `sourcePrefixLength` needs, then zeros. */
  readonly subnetAddress: Uint8Array;
  /** 0 for no DNS cookie, 8 for a client cookie alone, 16 to 40 with a server cookie (RFC 7873 section 4). */
  cookieLength: number;
  /**
   * Client cookie, then server cookie; what is behind `cookieLength` is left from earlier queries. The answer's server
   * cookie is made here, in the place of the query's, because that saves copying it twice.
   */
  readonly cookie: Uint8Array;
  /** The same octets, to read and write 32 bits at once. */
  readonly cookieView: DataView;
}

/**
 * Whether to answer; everything else than `query`, `cookie` and `drop` is the rcode to send back. `cookie` has no
 * question, only a DNS cookie: RFC 7873 section 5.4 gives it a server cookie, who has no cookies takes it as `formerr`.
 */
export type DecodeOutcome = 'query' | 'cookie' | 'drop' | 'formerr' | 'notimp' | 'badvers';

export function createQuery(): Query {
  const cookie = new Uint8Array(MAX_COOKIE_LENGTH);
  return {
    id: 0,
    flags: 0,
    name: createHashedName(),
    type: 0,
    class: 0,
    questionEnd: HEADER_LENGTH,
    hasEdns: false,
    ednsVersion: 0,
    payloadSize: 0,
    dnssecOk: false,
    nsidAsked: false,
    keepalive: 'absent',
    hasSubnet: false,
    subnetFamily: 0,
    sourcePrefixLength: 0,
    subnetAddress: new Uint8Array(16),
    cookieLength: 0,
    cookie,
    cookieView: new DataView(cookie.buffer),
  };
}

/**
 * Reads the first `length` octets of `bytes`. Never throws, allocates nothing, and takes time in proportion to the
 * length. Octets behind the counted records are ignored, as BIND and NSD do by default.
 */
export function decodeQuery(bytes: Uint8Array, length: number, query: Query): DecodeOutcome {
  clear(query);
  // Answering a response would let two servers talk for ever; without a header there is no id to answer with.
  if (length < HEADER_LENGTH || ((bytes[2] as number) & 0x80) !== 0) return 'drop';
  query.id = uint16At(bytes, 0);
  query.flags = uint16At(bytes, 2);
  const other = (query.flags & OPCODE_MASK) !== 0;
  // RFC 9619: a query has exactly one question.
  if (uint16At(bytes, 4) === 0) return decodeQuestionless(bytes, length, query);
  if (uint16At(bytes, 4) !== 1) return other ? 'notimp' : 'formerr';
  // A pointer in the question could only lead into the header.
  const nameEnd = readPlainName(query.name, bytes, HEADER_LENGTH, length);
  if (nameEnd === BAD_NAME || nameEnd + 4 > length) {
    query.name.length = 0;
    return other ? 'notimp' : 'formerr';
  }
  query.type = uint16At(bytes, nameEnd);
  query.class = uint16At(bytes, nameEnd + 2);
  query.questionEnd = nameEnd + 4;
  if (other) {
    findOpt(bytes, length, query.questionEnd, query);
    return 'notimp';
  }
  return decodeRecords(bytes, length, query);
}

/** RFC 7873 section 5.4: without a question, a DNS cookie alone makes a query. */
function decodeQuestionless(bytes: Uint8Array, length: number, query: Query): DecodeOutcome {
  const other = (query.flags & OPCODE_MASK) !== 0;
  const outcome = other ? 'notimp' : decodeRecords(bytes, length, query);
  if (outcome === 'badvers') return outcome;
  if (outcome === 'query' && query.cookieLength > 0) return 'cookie';
  findOpt(bytes, length, HEADER_LENGTH, query);
  return other ? 'notimp' : 'formerr';
}

/** RFC 6891 section 6.1.1: who sent an OPT gets one, also with an error; nothing else of the message counts then. */
function findOpt(bytes: Uint8Array, length: number, start: number, query: Query): void {
  const records = Math.min(uint16At(bytes, 6) + uint16At(bytes, 8) + uint16At(bytes, 10), MAX_RECORDS);
  let at = start;
  for (let record = 0; record < records; record++) {
    const fixed = skipName(bytes, at, length);
    if (fixed === BAD_NAME || fixed + RECORD_FIXED_LENGTH > length) return;
    if (uint16At(bytes, fixed) === TYPE_OPT && bytes[at] === 0) {
      query.hasEdns = true;
      query.payloadSize = uint16At(bytes, fixed + 2);
      return;
    }
    at = fixed + RECORD_FIXED_LENGTH + uint16At(bytes, fixed + 8);
    if (at > length) return;
  }
}

function clear(query: Query): void {
  query.name.length = 0;
  query.name.labelCount = 0;
  query.flags = 0;
  query.type = 0;
  query.class = 0;
  query.questionEnd = HEADER_LENGTH;
  query.hasEdns = false;
  query.ednsVersion = 0;
  query.payloadSize = 0;
  query.dnssecOk = false;
  query.nsidAsked = false;
  query.keepalive = 'absent';
  query.hasSubnet = false;
  query.subnetFamily = 0;
  query.sourcePrefixLength = 0;
  query.cookieLength = 0;
}

/** Only OPT is read; a query has no other record that concerns us, save an IXFR's SOA (RFC 1995 section 3). */
function decodeRecords(bytes: Uint8Array, length: number, query: Query): DecodeOutcome {
  const authorityCount = uint16At(bytes, 8);
  const records = authorityCount + uint16At(bytes, 10);
  if (uint16At(bytes, 6) !== 0 || (authorityCount !== 0 && query.type !== TYPE_IXFR)) return 'formerr';
  if (records > MAX_RECORDS) return 'formerr';
  let at = query.questionEnd;
  let outcome: DecodeOutcome = 'query';
  for (let record = 0; record < records; record++) {
    const fixed = skipName(bytes, at, length);
    if (fixed === BAD_NAME || fixed + RECORD_FIXED_LENGTH > length) return 'formerr';
    const rdata = fixed + RECORD_FIXED_LENGTH;
    const end = rdata + uint16At(bytes, fixed + 8);
    if (end > length) return 'formerr';
    if (uint16At(bytes, fixed) === TYPE_OPT) {
      // RFC 6891 section 6.1.1: one OPT at most, in the additional section; section 6.1.2: its owner is the root.
      if (query.hasEdns || record < authorityCount || bytes[at] !== 0) return 'formerr';
      outcome = decodeOpt(bytes, fixed, rdata, end, query);
      if (outcome === 'formerr') return outcome;
    }
    at = end;
  }
  return outcome;
}

/** RFC 6891 section 6.1.3: the class is the payload size; the TTL holds extended rcode, version and flags. */
function decodeOpt(
  bytes: Uint8Array,
  fixed: number,
  rdata: number,
  end: number,
  query: Query,
): DecodeOutcome {
  query.hasEdns = true;
  query.payloadSize = uint16At(bytes, fixed + 2);
  query.ednsVersion = bytes[fixed + 5] as number;
  query.dnssecOk = (uint16At(bytes, fixed + 6) & EDNS_FLAG_DO) !== 0;
  // Options of a version we do not know may mean anything.
  if (query.ednsVersion > 0) return 'badvers';
  let at = rdata;
  while (at < end) {
    if (at + OPTION_HEADER_LENGTH > end) return 'formerr';
    const code = uint16At(bytes, at);
    const value = at + OPTION_HEADER_LENGTH;
    const valueEnd = value + uint16At(bytes, at + 2);
    if (valueEnd > end) return 'formerr';
    if (!decodeOption(bytes, code, value, valueEnd, query)) return 'formerr';
    at = valueEnd;
  }
  return 'query';
}

/** False where the option is malformed. Of options that come twice the first counts (RFC 7873 section 4). */
function decodeOption(bytes: Uint8Array, code: number, value: number, end: number, query: Query): boolean {
  switch (code) {
    case OPTION_NSID:
      query.nsidAsked = true;
      return true;
    case OPTION_CLIENT_SUBNET:
      return query.hasSubnet || decodeSubnet(bytes, value, end, query);
    case OPTION_COOKIE:
      return query.cookieLength > 0 || decodeCookie(bytes, value, end, query);
    case OPTION_TCP_KEEPALIVE:
      // RFC 7828 section 3.2.1: a query's option is empty.
      query.keepalive = end === value ? 'asked' : 'malformed';
      return true;
    default:
      return true;
  }
}

/** RFC 7873 section 5.2.2: a client cookie of 8 octets, alone or with a server cookie of 8 to 32, else FORMERR. */
function decodeCookie(bytes: Uint8Array, value: number, end: number, query: Query): boolean {
  const length = end - value;
  if (length !== CLIENT_COOKIE_LENGTH && (length < MIN_WHOLE_COOKIE_LENGTH || length > MAX_COOKIE_LENGTH))
    return false;
  for (let i = 0; i < length; i++) query.cookie[i] = bytes[value + i] as number;
  query.cookieLength = length;
  return true;
}

/**
 * RFC 7871 section 6: the address has exactly the octets that the source prefix length needs, bits past
 * it are zero, and a query's scope is 0; anything else is FORMERR, so that the sender gets mended.
 * Family 0 comes with source /0 only, from senders that have no address to speak of.
 */
function decodeSubnet(bytes: Uint8Array, value: number, end: number, query: Query): boolean {
  if (end - value < SUBNET_HEADER_LENGTH) return false;
  const family = uint16At(bytes, value);
  const source = bytes[value + 2] as number;
  const longest = family === SUBNET_IPV4 ? 32 : family === SUBNET_IPV6 ? 128 : 0;
  if (family > SUBNET_IPV6 || source > longest || bytes[value + 3] !== 0) return false;
  const address = value + SUBNET_HEADER_LENGTH;
  const octets = (source + 7) >> 3;
  if (end - address !== octets) return false;
  if ((source & 7) !== 0 && ((bytes[end - 1] as number) & (0xff >> (source & 7))) !== 0) return false;
  for (let i = 0; i < 16; i++) query.subnetAddress[i] = i < octets ? (bytes[address + i] as number) : 0;
  query.hasSubnet = true;
  query.subnetFamily = family;
  query.sourcePrefixLength = source;
  return true;
}

function uint16At(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}
