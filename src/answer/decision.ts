import type { CookieState } from '../protection/cookies.ts';
import type { LimitOutcome } from '../protection/rate-limit.ts';
import type { Tier } from '../steering/choose.ts';

/**
 * What `respond` decided, kept in fixed fields that it overwrites with every query.
 * Counters, logs and explain read it after the call; nothing is allocated to fill it.
 */
export interface Decision {
  /** How the query ended. */
  outcome: Outcome;
  /** RFC 6895 RCODE, extended by EDNS: 0 to 4095. */
  rcode: number;
  /** 0 where no question could be read. */
  queryType: number;
  /**
   * Position in `Snapshot.zones.images`; -1 outside our zones. Of a chain of CNAMEs, the zone of the last steered name,
   * else of the last name.
   */
  zone: number;
  /** Position in the zone image's table of steered names; -1 for a static answer. */
  steered: number;
  /** Number of CNAME steps taken inside the server. */
  cnameSteps: number;
  truncated: boolean;
  /** `denied`: the sender is on the access list; it was refused or dropped. */
  access: 'admitted' | 'denied';
  cookie: CookieState;
  limited: LimitOutcome;
  clientSource: ClientSource;
  /** The address that was located, family 4 or 6; 0 where none was needed. */
  clientFamily: 0 | 4 | 6;
  /** Network order; the first 4 octets for family 4. Bits past the source prefix length are zero. */
  readonly clientAddress: Uint8Array;
  /** Bits of the client's address that were known. */
  sourcePrefixLength: number;
  /** Bits of the map's prefix that holds the client. */
  mapPrefixLength: number;
  /** As sent in the answer (RFC 7871 section 7.2.1); -1 where no option was sent. */
  scopePrefixLength: number;
  /** Data center numbers, best first, `orderLength` of them. */
  readonly order: Uint16Array;
  orderLength: number;
  /** Data center number that was answered; -1 for none. */
  dataCenter: number;
  tier: Tier;
  /** What spills made of the client: see `SpillEffect`. */
  spill: SpillEffect;
  /** Numbers of the data centers that passed the client on, `passedOnCount` of them, in the order of the walk. */
  readonly passedOn: Uint16Array;
  passedOnCount: number;
  /** Verdict slots of the endpoints that were answered, `endpointCount` of them. */
  readonly endpointSlots: Uint32Array;
  endpointCount: number;
  /** TTL of the first record of the answer; 0 where there is none. */
  ttlSeconds: number;
}

/** A query ends in exactly one of these. `dropped` sends nothing; `cookie` asked for nothing but a server cookie. */
export const outcomes = [
  'answer',
  'nodata',
  'nxdomain',
  'delegation',
  'refused',
  'formerr',
  'notimp',
  'badvers',
  'servfail',
  'dropped',
  'cookie',
  'badcookie',
] as const;
export type Outcome = (typeof outcomes)[number];

/**
 * `kept`: the client is not among those that the chosen data center passes on. `passed-on`: at least one passed it on.
 * `ignored`: all did, so that it was kept as if there were no spills.
 */
export type SpillEffect = 'none' | 'kept' | 'passed-on' | 'ignored';

/** Which address was located: RFC 7871 client subnet, else the resolver's own. */
export type ClientSource = 'none' | 'client-subnet' | 'resolver';

export type { Tier };

/** At most this many data centers in one order: the design's 50, with room. */
export const MAX_DATA_CENTERS = 256;

/** At most this many endpoints in one answer; `MAX_STEERED_ANSWERS` of the contract. */
export const MAX_ANSWER_ENDPOINTS = 8;

/** A decision to be reused for every query of one worker. */
export function createDecision(): Decision {
  return {
    outcome: 'dropped',
    rcode: 0,
    queryType: 0,
    zone: -1,
    steered: -1,
    cnameSteps: 0,
    truncated: false,
    access: 'admitted',
    cookie: 'none',
    limited: 'none',
    clientSource: 'none',
    clientFamily: 0,
    clientAddress: new Uint8Array(16),
    sourcePrefixLength: 0,
    mapPrefixLength: 0,
    scopePrefixLength: -1,
    order: new Uint16Array(MAX_DATA_CENTERS),
    orderLength: 0,
    dataCenter: -1,
    tier: 'none',
    spill: 'none',
    passedOn: new Uint16Array(MAX_DATA_CENTERS),
    passedOnCount: 0,
    endpointSlots: new Uint32Array(MAX_ANSWER_ENDPOINTS),
    endpointCount: 0,
    ttlSeconds: 0,
  };
}

/** Makes a decision ready for the next query. */
export function resetDecision(decision: Decision): void {
  decision.outcome = 'dropped';
  decision.rcode = 0;
  decision.queryType = 0;
  decision.zone = -1;
  decision.steered = -1;
  decision.cnameSteps = 0;
  decision.truncated = false;
  decision.access = 'admitted';
  decision.cookie = 'none';
  decision.limited = 'none';
  decision.clientSource = 'none';
  decision.clientFamily = 0;
  decision.sourcePrefixLength = 0;
  decision.mapPrefixLength = 0;
  decision.scopePrefixLength = -1;
  decision.orderLength = 0;
  decision.dataCenter = -1;
  decision.tier = 'none';
  decision.spill = 'none';
  decision.passedOnCount = 0;
  decision.endpointCount = 0;
  decision.ttlSeconds = 0;
}
