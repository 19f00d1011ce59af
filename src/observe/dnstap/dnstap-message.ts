import type { Sample } from '../samples/sample.ts';

/*
 * Messages of dnstap (https://dnstap.info, dnstap.proto), in Protocol Buffers' wire format: each field is a tag,
 * number << 3 | kind, then a varint, four octets (little endian), or a length and octets. The dozen fields that a
 * server fills do not need a library with a schema compiler.
 */
const VARINT = 0;
const OCTETS = 2;
const FIXED32 = 5;

/** Fields of `Dnstap`. */
const IDENTITY = 1;
const VERSION = 2;
const MESSAGE = 14;
const TYPE = 15;
const TYPE_MESSAGE = 1;

/** Fields of `Message`. */
const MESSAGE_TYPE = 1;
const SOCKET_FAMILY = 2;
const SOCKET_PROTOCOL = 3;
const QUERY_ADDRESS = 4;
const QUERY_PORT = 6;
const QUERY_TIME_SEC = 8;
const QUERY_TIME_NSEC = 9;
const QUERY_MESSAGE = 10;
const QUERY_ZONE = 11;
const RESPONSE_TIME_SEC = 12;
const RESPONSE_TIME_NSEC = 13;
const RESPONSE_MESSAGE = 14;

const INET = 1;
const INET6 = 2;
const UDP = 1;
const TCP = 2;
const AUTH_QUERY = 1;
const AUTH_RESPONSE = 2;

/** Beyond the octets of its fields, a message has tags, lengths, times and a port. */
const MAX_FIXED_OCTETS = 160;

/** Who is speaking, in every message. */
export interface DnstapIdentity {
  readonly identity: string;
  readonly version: string;
}

/** Encodes samples as dnstap messages, into one buffer that grows to the largest of them. */
export class DnstapEncoder {
  readonly #identity: Buffer;
  readonly #version: Buffer;
  #octets = Buffer.alloc(4096);
  #at = 0;

  constructor({ identity, version }: DnstapIdentity) {
    this.#identity = Buffer.from(identity);
    this.#version = Buffer.from(version);
  }

  /** The query as it came. */
  encodeQuery(sample: Sample): Buffer {
    return this.#encode(sample, AUTH_QUERY);
  }

  /** The answer as it was sent; without its octets where it was too long to be kept. */
  encodeResponse(sample: Sample): Buffer {
    return this.#encode(sample, AUTH_RESPONSE);
  }

  #encode(sample: Sample, type: typeof AUTH_QUERY | typeof AUTH_RESPONSE): Buffer {
    const { apex, query, resolver, response } = sample;
    const most = MAX_FIXED_OCTETS + apex.length + query.length + resolver.length + response.length;
    const start = MAX_FIXED_OCTETS + this.#identity.length + this.#version.length;
    if (start + most > this.#octets.length) this.#octets = Buffer.alloc(2 * (start + most));
    // The inner message first, behind where the outer one will end: its length stands before it.
    this.#at = start;
    this.#putMessage(sample, type);
    const message = this.#octets.subarray(start, this.#at);
    this.#at = 0;
    if (this.#identity.length > 0) this.#putOctets(IDENTITY, this.#identity);
    this.#putOctets(VERSION, this.#version);
    this.#putNumber(TYPE, TYPE_MESSAGE);
    this.#putOctets(MESSAGE, message);
    return Buffer.from(this.#octets.subarray(0, this.#at));
  }

  #putMessage(sample: Sample, type: typeof AUTH_QUERY | typeof AUTH_RESPONSE): void {
    const seconds = Math.floor(sample.timeMs / 1000);
    const nanoseconds = Math.round((sample.timeMs - seconds * 1000) * 1e6);
    this.#putNumber(MESSAGE_TYPE, type);
    this.#putNumber(SOCKET_FAMILY, sample.resolver.length === 4 ? INET : INET6);
    this.#putNumber(SOCKET_PROTOCOL, sample.transport === 'udp' ? UDP : TCP);
    this.#putOctets(QUERY_ADDRESS, sample.resolver);
    if (sample.port !== 0) this.#putNumber(QUERY_PORT, sample.port);
    this.#putNumber(QUERY_TIME_SEC, seconds);
    this.#putFixed32(QUERY_TIME_NSEC, nanoseconds);
    if (sample.apex.length > 0) this.#putOctets(QUERY_ZONE, sample.apex);
    if (type === AUTH_QUERY) {
      // Half a message would be read as a broken one.
      if (sample.query.length === sample.queryLength) this.#putOctets(QUERY_MESSAGE, sample.query);
      return;
    }
    // A sample has one time, in milliseconds; between query and answer lie microseconds.
    this.#putNumber(RESPONSE_TIME_SEC, seconds);
    this.#putFixed32(RESPONSE_TIME_NSEC, nanoseconds);
    if (sample.response.length > 0) this.#putOctets(RESPONSE_MESSAGE, sample.response);
  }

  #putNumber(field: number, value: number): void {
    this.#putVarint((field << 3) | VARINT);
    this.#putVarint(value);
  }

  #putFixed32(field: number, value: number): void {
    this.#putVarint((field << 3) | FIXED32);
    this.#at = this.#octets.writeUInt32LE(value, this.#at);
  }

  #putOctets(field: number, value: Uint8Array): void {
    this.#putVarint((field << 3) | OCTETS);
    this.#putVarint(value.length);
    this.#octets.set(value, this.#at);
    this.#at += value.length;
  }

  /** Seven bits an octet, the lowest first; exact up to 2^53. */
  #putVarint(value: number): void {
    let left = value;
    while (left >= 0x80) {
      this.#octets[this.#at++] = (left % 0x80) | 0x80;
      left = Math.floor(left / 0x80);
    }
    this.#octets[this.#at++] = left;
  }
}
