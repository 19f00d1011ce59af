import { type Parsed, parsed, refused } from '../config/problem.ts';
import { clearPast } from './address.ts';
import { MAX_LABEL_LENGTH, MAX_NAME_LENGTH } from './name.ts';
import { HEADER_LENGTH, MAX_MESSAGE_LENGTH } from './query.ts';
import { formatRdata, rdataKind } from './rdata/index.ts';
import { CLASS_IN, TYPE_OPT } from './type.ts';

/*
 * A whole message as plain values (RFC 1035 section 4, RFC 6891), for explain, the command line and tests.
 * The query path has its own reader, query.ts, which allocates nothing.
 *
 *     +--------+-----------+---------+-------------+-------------+
 *     | header | questions | answers | authorities | additionals |
 *     +--------+-----------+---------+-------------+-------------+
 *      12 octets            each record: owner, type, class, TTL, rdata length, rdata
 */
export interface Message {
  readonly id: number;
  readonly isResponse: boolean;
  /** 0 is QUERY. */
  readonly opcode: number;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  readonly recursionDesired: boolean;
  readonly recursionAvailable: boolean;
  readonly authenticData: boolean;
  readonly checkingDisabled: boolean;
  /** With the upper bits of EDNS, where there is any: 0 to 4095. */
  readonly rcode: number;
  readonly questions: readonly MessageQuestion[];
  readonly answers: readonly MessageRecord[];
  readonly authorities: readonly MessageRecord[];
  /** Without OPT, which is `edns`. */
  readonly additionals: readonly MessageRecord[];
  readonly edns: Edns | undefined;
}

export interface MessageQuestion {
  readonly name: Uint8Array;
  readonly type: number;
  readonly class: number;
}

export interface MessageRecord {
  /** Uncompressed, in the message's case. */
  readonly owner: Uint8Array;
  readonly type: number;
  readonly class: number;
  readonly ttlSeconds: number;
  /** Names in it uncompressed, where the type's fields are known and these are they. */
  readonly rdata: Uint8Array;
  /** The rdata in presentation form; `\# length hex` where it is not known or not well-formed. */
  readonly text: string;
}

/** The OPT record (RFC 6891 section 6.1). */
export interface Edns {
  /** Octets of UDP payload that the sender takes. */
  readonly payloadSize: number;
  readonly version: number;
  readonly dnssecOk: boolean;
  /** In the order of the message. */
  readonly options: readonly EdnsOption[];
  /** The first client subnet option (RFC 7871), where it is well-formed. */
  readonly clientSubnet: ClientSubnet | undefined;
  /** The name server identifier (RFC 5001); empty in a query. */
  readonly nsid: Uint8Array | undefined;
}

export interface EdnsOption {
  readonly code: number;
  readonly octets: Uint8Array;
}

export interface ClientSubnet {
  readonly family: 4 | 6;
  /** The whole address, 4 or 16 octets; those that were not sent are zero. */
  readonly octets: Uint8Array;
  readonly sourcePrefixLength: number;
  readonly scopePrefixLength: number;
}

/** A question to encode. */
export interface QueryDraft {
  readonly name: Uint8Array;
  readonly type: number;
  /** 0 to 65535; 0 unless told. */
  readonly id?: number;
  readonly recursionDesired: boolean;
  readonly edns?: {
    readonly payloadSize: number;
    readonly dnssecOk: boolean;
    readonly clientSubnet?: {
      readonly family: 4 | 6;
      /** 4 or 16 octets. */
      readonly octets: Uint8Array;
      readonly sourcePrefixLength: number;
    };
    /** Ask for the name server identifier (RFC 5001). */
    readonly nsid?: boolean;
  };
}

/** Type, class, TTL and rdata length of a record, after its owner. */
const RECORD_FIXED_LENGTH = 10;
/**
 * Each pointer must lead further back, so a walk ends anyway; this bounds its cost. Even a name in which each
 * of the 127 labels follows a pointer of its own is read.
 */
const MAX_POINTERS = 128;

const OPTION_NSID = 3;
const OPTION_CLIENT_SUBNET = 8;
const FAMILY_IPV4 = 1;
const FAMILY_IPV6 = 2;
const DNSSEC_OK_FLAG = 0x8000;
const RECURSION_DESIRED_FLAG = 0x0100;

/** Decodes a message whole. Any octets give a value, in bounded time; what is malformed is a problem. */
export function decodeMessage(octets: Uint8Array): Parsed<Message> {
  if (octets.length < HEADER_LENGTH) return malformed('is shorter than its header');
  if (octets.length > MAX_MESSAGE_LENGTH) return malformed('is longer than 65535 octets');

  const questionCount = uint16At(octets, 4);
  const questions: MessageQuestion[] = [];
  let offset = HEADER_LENGTH;
  for (let i = 0; i < questionCount; i += 1) {
    const name = readName(octets, offset, octets.length);
    if (name === undefined || name.end + 4 > octets.length)
      return malformed(`breaks off in question ${i + 1}`);
    questions.push({
      name: name.wire,
      type: uint16At(octets, name.end),
      class: uint16At(octets, name.end + 2),
    });
    offset = name.end + 4;
  }

  const answers = readSection(octets, offset, uint16At(octets, 6));
  if (answers === undefined) return malformed('has a malformed answer section');
  const authorities = readSection(octets, answers.end, uint16At(octets, 8));
  if (authorities === undefined) return malformed('has a malformed authority section');
  const additionals = readSection(octets, authorities.end, uint16At(octets, 10));
  if (additionals === undefined) return malformed('has a malformed additional section');
  if (additionals.end !== octets.length) return malformed('goes on after its last record');

  const opts = additionals.records.filter((record) => record.type === TYPE_OPT);
  const [opt] = opts;
  if (opts.length > 1) return malformed('has more than one OPT record (RFC 6891 section 6.1.1)');
  const edns = opt === undefined ? undefined : readEdns(opt);
  if (edns === null) return malformed('has malformed EDNS options');

  const flags = uint16At(octets, 2);
  return parsed({
    ...readFlags(flags),
    id: uint16At(octets, 0),
    rcode: ((opt === undefined ? 0 : opt.ttlSeconds >>> 24) << 4) | (flags & 0x0f),
    questions,
    answers: answers.records.map(toMessageRecord),
    authorities: authorities.records.map(toMessageRecord),
    additionals: additionals.records.filter((record) => record.type !== TYPE_OPT).map(toMessageRecord),
    edns,
  });
}

/** Encodes one question of class IN, with EDNS where it is asked for. */
export function encodeQuery(draft: QueryDraft): Uint8Array {
  const { name, type, id = 0, edns } = draft;
  const octets: number[] = [];
  const put16 = (value: number): void => {
    octets.push((value >> 8) & 0xff, value & 0xff);
  };
  put16(id);
  put16(draft.recursionDesired ? RECURSION_DESIRED_FLAG : 0);
  for (const count of [1, 0, 0, edns === undefined ? 0 : 1]) put16(count);
  octets.push(...name);
  put16(type);
  put16(CLASS_IN);
  if (edns === undefined) return Uint8Array.from(octets);

  const options = encodeOptions(edns);
  octets.push(0);
  put16(TYPE_OPT);
  put16(edns.payloadSize);
  put16(0);
  put16(edns.dnssecOk ? DNSSEC_OK_FLAG : 0);
  put16(options.length);
  octets.push(...options);
  return Uint8Array.from(octets);
}

function encodeOptions({ clientSubnet, nsid }: NonNullable<QueryDraft['edns']>): number[] {
  const options: number[] = [];
  if (nsid === true) options.push(0, OPTION_NSID, 0, 0);
  if (clientSubnet !== undefined) {
    const { family, octets, sourcePrefixLength } = clientSubnet;
    // RFC 7871 section 6: only as many octets as the prefix needs, and zeros past its last bit.
    const address = clearPast(octets, sourcePrefixLength).subarray(0, Math.ceil(sourcePrefixLength / 8));
    options.push(0, OPTION_CLIENT_SUBNET, 0, 4 + address.length);
    options.push(0, family === 4 ? FAMILY_IPV4 : FAMILY_IPV6, sourcePrefixLength, 0, ...address);
  }
  return options;
}

type Flags = Omit<Message, 'id' | 'rcode' | 'questions' | 'answers' | 'authorities' | 'additionals' | 'edns'>;

function readFlags(flags: number): Flags {
  return {
    isResponse: (flags & 0x8000) !== 0,
    opcode: (flags >> 11) & 0x0f,
    authoritative: (flags & 0x0400) !== 0,
    truncated: (flags & 0x0200) !== 0,
    recursionDesired: (flags & RECURSION_DESIRED_FLAG) !== 0,
    recursionAvailable: (flags & 0x0080) !== 0,
    authenticData: (flags & 0x0020) !== 0,
    checkingDisabled: (flags & 0x0010) !== 0,
  };
}

type RawRecord = Omit<MessageRecord, 'text'>;

interface Section {
  readonly records: readonly RawRecord[];
  readonly end: number;
}

function readSection(octets: Uint8Array, start: number, count: number): Section | undefined {
  const records: RawRecord[] = [];
  let offset = start;
  for (let i = 0; i < count; i += 1) {
    const owner = readName(octets, offset, octets.length);
    if (owner === undefined || owner.end + RECORD_FIXED_LENGTH > octets.length) return undefined;
    const type = uint16At(octets, owner.end);
    const rdataStart = owner.end + RECORD_FIXED_LENGTH;
    const end = rdataStart + uint16At(octets, owner.end + 8);
    if (end > octets.length) return undefined;
    const rdata = readRdata(octets, rdataStart, end, type);
    if (rdata === undefined) return undefined;
    const ttlSeconds = uint16At(octets, owner.end + 4) * 0x10000 + uint16At(octets, owner.end + 6);
    records.push({ owner: owner.wire, type, class: uint16At(octets, owner.end + 2), ttlSeconds, rdata });
    offset = end;
  }
  return { records, end: offset };
}

/**
 * The rdata with its names uncompressed (also those that RFC 3597 section 4 forbids to compress), or as it is where
 * its fields are not the type's: empty in an update, an SOA time out of range. Undefined where a name is malformed.
 */
function readRdata(octets: Uint8Array, start: number, end: number, type: number): Uint8Array | undefined {
  const { fields } = rdataKind(type);
  if (start === end || !fields.some((form) => form.isName)) return octets.slice(start, end);
  const rdata: number[] = [];
  const bounded = octets.subarray(0, end);
  let offset = start;
  for (const form of fields) {
    if (form.isName) {
      const name = readName(octets, offset, end);
      if (name === undefined) return undefined;
      rdata.push(...name.wire);
      offset = name.end;
    } else {
      const length = form.measure(bounded, offset);
      if (length < 0) return octets.slice(start, end);
      rdata.push(...octets.subarray(offset, offset + length));
      offset += length;
    }
  }
  return offset === end ? Uint8Array.from(rdata) : octets.slice(start, end);
}

function toMessageRecord(record: RawRecord): MessageRecord {
  return { ...record, text: formatRdata(record.type, record.rdata) };
}

/**
 * Reads a name that starts at `offset` and, up to its first pointer, ends before `limit`; undefined where it is
 * malformed. A pointer leads to before the labels that led to it, so no walk goes in circles.
 */
function readName(
  octets: Uint8Array,
  offset: number,
  limit: number,
): { readonly wire: Uint8Array; readonly end: number } | undefined {
  const wire: number[] = [];
  let at = offset;
  let segmentStart = offset;
  let end = -1;
  let bound = limit;
  for (let pointers = 0; pointers <= MAX_POINTERS; ) {
    if (at >= bound) return undefined;
    const length = octets[at] ?? 0;
    if (length >= 0xc0) {
      if (at + 2 > bound) return undefined;
      const target = uint16At(octets, at) & 0x3fff;
      if (target < HEADER_LENGTH || target >= segmentStart) return undefined;
      if (end < 0) end = at + 2;
      at = target;
      segmentStart = target;
      bound = octets.length;
      pointers += 1;
      continue;
    }
    // 0x40 and 0x80 begin label types that were given up (RFC 6891 section 5).
    if (length > MAX_LABEL_LENGTH || at + 1 + length > bound) return undefined;
    if (wire.length + 1 + length > MAX_NAME_LENGTH) return undefined;
    for (let i = at; i <= at + length; i += 1) wire.push(octets[i] ?? 0);
    at += length + 1;
    if (length === 0) return { wire: Uint8Array.from(wire), end: end < 0 ? at : end };
  }
  return undefined;
}

/** Null where the options do not fill the record exactly. */
function readEdns(opt: RawRecord): Edns | null {
  const { rdata } = opt;
  const options: EdnsOption[] = [];
  let offset = 0;
  while (offset < rdata.length) {
    if (offset + 4 > rdata.length) return null;
    const end = offset + 4 + uint16At(rdata, offset + 2);
    if (end > rdata.length) return null;
    options.push({ code: uint16At(rdata, offset), octets: rdata.slice(offset + 4, end) });
    offset = end;
  }
  const clientSubnet = options.find((option) => option.code === OPTION_CLIENT_SUBNET);
  return {
    payloadSize: opt.class,
    version: (opt.ttlSeconds >>> 16) & 0xff,
    dnssecOk: (opt.ttlSeconds & DNSSEC_OK_FLAG) !== 0,
    options,
    clientSubnet: clientSubnet === undefined ? undefined : readClientSubnet(clientSubnet.octets),
    nsid: options.find((option) => option.code === OPTION_NSID)?.octets,
  };
}

function readClientSubnet(option: Uint8Array): ClientSubnet | undefined {
  if (option.length < 4) return undefined;
  const familyNumber = uint16At(option, 0);
  if (familyNumber !== FAMILY_IPV4 && familyNumber !== FAMILY_IPV6) return undefined;
  const family = familyNumber === FAMILY_IPV4 ? 4 : 6;
  const octets = new Uint8Array(family === 4 ? 4 : 16);
  const sourcePrefixLength = option[2] ?? 0;
  const scopePrefixLength = option[3] ?? 0;
  const sent = option.subarray(4);
  const bits = octets.length * 8;
  if (sourcePrefixLength > bits || scopePrefixLength > bits) return undefined;
  if (sent.length !== Math.ceil(sourcePrefixLength / 8)) return undefined;
  octets.set(sent);
  return { family, octets: clearPast(octets, sourcePrefixLength), sourcePrefixLength, scopePrefixLength };
}

function malformed(sentence: string): Parsed<never> {
  return refused('malformed-message', '', `The message ${sentence}.`);
}

function uint16At(octets: Uint8Array, offset: number): number {
  return ((octets[offset] ?? 0) << 8) | (octets[offset + 1] ?? 0);
}
