import type { ClientSource, Outcome } from '../../answer/decision.ts';
import { outcomes } from '../../answer/decision.ts';
import type { Transport } from '../../answer/respond.ts';

/**
 * One sampled query as a record of the ring: 20 words, in this machine's order, then octets.
 *
 *     0  outcome, rcode << 8, TCP << 20, truncated << 21, steered << 22, client source << 23
 *     1  query type | resolver's port << 16
 *     2  time, as a 64-bit float
 *     4  data center      5  scope         6  queries that it stands for
 *     7  octets of the query, of the response (8), as they were
 *     9  octets kept of the query | of the response << 16
 *     10 octets of the apex | of the last name << 16
 *     11 resolver's family | client's family << 8 | source prefix length << 16 | map's << 24
 *     12 resolver's address (4 words)      16 client's address (4 words)
 *     20 query | response | apex | last name
 */
export const SAMPLE_OUTCOME = 0;
export const SAMPLE_TYPE = 1;
/** In 64-bit floats from the record's start, which is a multiple of 8. */
export const SAMPLE_TIME = 2;
export const SAMPLE_DATA_CENTER = 4;
export const SAMPLE_SCOPE = 5;
export const SAMPLE_WEIGHT = 6;
export const SAMPLE_QUERY_LENGTH = 7;
export const SAMPLE_RESPONSE_LENGTH = 8;
export const SAMPLE_KEPT = 9;
export const SAMPLE_NAMES = 10;
export const SAMPLE_ADDRESSES = 11;
export const SAMPLE_RESOLVER = 12;
export const SAMPLE_CLIENT = 16;
export const SAMPLE_WORDS = 20;

/** In the word at `SAMPLE_OUTCOME`, whose low 8 bits are the outcome. */
export const SAMPLE_RCODE_SHIFT = 8;
/** 12 bits with the extended ones (RFC 6891 section 6.1.3). */
export const SAMPLE_RCODE_MASK = 0xfff;
export const SAMPLE_TCP_BIT = 1 << 20;
export const SAMPLE_TRUNCATED_BIT = 1 << 21;
export const SAMPLE_STEERED_BIT = 1 << 22;
/** Two bits: a position in `clientSources`. */
export const SAMPLE_SOURCE_SHIFT = 23;

/** Name, type and every option that a query in use has; a longer one is kept as its start. */
export const MAX_KEPT_QUERY_OCTETS = 512;
/** Every answer over UDP and all but the rarest over TCP. A longer one is not kept at all: half a message misleads. */
export const MAX_KEPT_RESPONSE_OCTETS = 4096;
/** RFC 1035 section 2.3.4. */
const MAX_NAME_OCTETS = 255;
export const MAX_SAMPLE_OCTETS =
  SAMPLE_WORDS * 4 + MAX_KEPT_QUERY_OCTETS + MAX_KEPT_RESPONSE_OCTETS + 2 * MAX_NAME_OCTETS;

export const clientSources: readonly ClientSource[] = ['none', 'client-subnet', 'resolver'];

/** A sampled query and its answer. The octets are the ring's: they last until it is released. */
export interface Sample {
  /** When it was answered, in milliseconds since 1970. */
  readonly timeMs: number;
  readonly transport: Transport;
  /** Address that sent it: 4 or 16 octets. */
  readonly resolver: Uint8Array;
  /** 0 where it is not known. */
  readonly port: number;
  /** Its first octets, up to `MAX_KEPT_QUERY_OCTETS`. */
  readonly query: Uint8Array;
  readonly queryLength: number;
  /** Empty where nothing was sent, or more than `MAX_KEPT_RESPONSE_OCTETS`. */
  readonly response: Uint8Array;
  readonly responseLength: number;
  readonly outcome: Outcome;
  readonly rcode: number;
  /** 0 where no question could be read. */
  readonly queryType: number;
  readonly truncated: boolean;
  /** Wire form; empty outside our zones. */
  readonly apex: Uint8Array;
  /** Where a chain of CNAMEs led, in wire form and lower case; empty where there was none. */
  readonly lastName: Uint8Array;
  /** Whether a steered name had a part in the answer. */
  readonly steered: boolean;
  /** Number of the data center that was answered; -1 for none. */
  readonly dataCenter: number;
  readonly clientSource: ClientSource;
  /** The address that was located; empty where none was needed. */
  readonly client: Uint8Array;
  readonly sourcePrefixLength: number;
  readonly mapPrefixLength: number;
  /** As sent; -1 where no client subnet option was. */
  readonly scope: number;
  /** How many queries this one stands for. */
  readonly weight: number;
}

/** Reads the record at that offset of the ring's memory. */
export function decodeSample(words: Int32Array, octets: Uint8Array, offset: number): Sample {
  const start = offset / 4;
  const word = (index: number): number => words[start + index] as number;
  const low = (index: number): number => word(index) & 0xffff;
  const high = (index: number): number => word(index) >>> 16;
  const facts = word(SAMPLE_OUTCOME);
  const addresses = word(SAMPLE_ADDRESSES);
  const query = offset + SAMPLE_WORDS * 4;
  const response = query + low(SAMPLE_KEPT);
  const apex = response + high(SAMPLE_KEPT);
  const lastName = apex + low(SAMPLE_NAMES);
  const addressAt = (index: number, family: number): Uint8Array =>
    octets.subarray(offset + index * 4, offset + index * 4 + (family === 6 ? 16 : family));
  return {
    timeMs: new Float64Array(words.buffer, offset + SAMPLE_TIME * 4, 1)[0] as number,
    transport: (facts & SAMPLE_TCP_BIT) === 0 ? 'udp' : 'tcp',
    resolver: addressAt(SAMPLE_RESOLVER, addresses & 0xff),
    port: high(SAMPLE_TYPE),
    query: octets.subarray(query, response),
    queryLength: word(SAMPLE_QUERY_LENGTH),
    response: octets.subarray(response, apex),
    responseLength: word(SAMPLE_RESPONSE_LENGTH),
    outcome: outcomes[facts & 0xff] ?? 'dropped',
    rcode: (facts >>> SAMPLE_RCODE_SHIFT) & SAMPLE_RCODE_MASK,
    queryType: low(SAMPLE_TYPE),
    truncated: (facts & SAMPLE_TRUNCATED_BIT) !== 0,
    apex: octets.subarray(apex, lastName),
    lastName: octets.subarray(lastName, lastName + high(SAMPLE_NAMES)),
    steered: (facts & SAMPLE_STEERED_BIT) !== 0,
    dataCenter: word(SAMPLE_DATA_CENTER),
    clientSource: clientSources[(facts >>> SAMPLE_SOURCE_SHIFT) & 3] ?? 'none',
    client: addressAt(SAMPLE_CLIENT, (addresses >>> 8) & 0xff),
    sourcePrefixLength: (addresses >>> 16) & 0xff,
    mapPrefixLength: addresses >>> 24,
    scope: word(SAMPLE_SCOPE),
    weight: word(SAMPLE_WEIGHT),
  };
}
