/**
 * Which clients a data center passes on to the next of their order, as the spill table says: two numbers for each
 * data center number, for clients that it is the first choice of (home) and for those that an earlier one could not
 * take (guest).
 *
 *     [ home 0 ][ guest 0 ][ home 1 ][ guest 1 ] ...     0 keeps everybody, 65,535 passes everybody on
 *
 * Who is passed on is decided by a hash of the client's prefix, not by a coin: a client gets the same answer each
 * time, and all answers within the prefix are the same, so that resolvers may share them.
 */
export const SPILL_WORDS = 2;
export const SPILL_HOME = 0;
export const SPILL_GUEST = 1;

/** Passes everybody on. */
export const SPILL_ALL = 65_535;

/** What is hashed of a client's address: /24 is what resolvers send of IPv4 (RFC 7871 section 11.1). */
export const SPILL_V4_PREFIX = 24;
/** A /48 is one site, and what some resolvers send; longer ones would split its answers for nothing. */
export const SPILL_V6_PREFIX = 48;

/** The most data centers that a walk passes; see `MAX_DATA_CENTERS`. */
const MAX_PASSED = 256;

/** The client of the choice under way, and what spills made of it; one object is written anew for every query. */
export interface SpillScratch {
  table: Uint16Array;
  client: Uint8Array;
  /** 4, 6, or 0 where nobody was located. */
  family: number;
  /** Numbers of the data centers that passed the client on, `passedCount` of them. */
  readonly passed: Uint16Array;
  passedCount: number;
  /** 1 where the choice depends on the client's prefix by a spill, else 0. */
  bears: number;
  /** 1 where all passed the client on, so that it was kept as if there were no spills. */
  ignored: number;
}

/** A table that keeps everybody. */
export const NO_SPILLS = new Uint16Array(SPILL_WORDS * MAX_PASSED);

export function createSpillScratch(): SpillScratch {
  return {
    table: NO_SPILLS,
    client: new Uint8Array(16),
    family: 0,
    passed: new Uint16Array(MAX_PASSED),
    passedCount: 0,
    bears: 0,
    ignored: 0,
  };
}

/** Makes ready for a client: its address in network order, and its family, 0 where nobody was located. */
export function admitClient(
  scratch: SpillScratch,
  table: Uint16Array,
  client: Uint8Array,
  family: number,
): void {
  scratch.table = table;
  scratch.client = client;
  scratch.family = family;
}

/** Whether a data center, at that position of the order, passes the client on. Allocates nothing. */
export function passesOn(scratch: SpillScratch, dataCenter: number, position: number): boolean {
  const spill = scratch.table[
    SPILL_WORDS * dataCenter + (position === 0 ? SPILL_HOME : SPILL_GUEST)
  ] as number;
  return spill !== 0 && passesShare(scratch, dataCenter, spill);
}

function passesShare(scratch: SpillScratch, dataCenter: number, spill: number): boolean {
  // Where everybody is passed on, it does not matter who the client is.
  if (spill !== SPILL_ALL) {
    scratch.bears = 1;
    if (ticketOf(scratch.client, scratch.family, dataCenter) >= spill) return false;
  }
  scratch.passed[scratch.passedCount++] = dataCenter;
  return true;
}

/** Odd constants with evenly spread bits, as multiplicative mixing needs. */
const FIRST_MULTIPLIER = 0x85eb_ca6b;
const SECOND_MULTIPLIER = 0xc2b2_ae35;

/**
 * A number below `SPILL_ALL` from a client's prefix and a data center's number, so that who is passed on by one says
 * nothing about who is by another. No defence against clients that choose their address: they would move themselves.
 */
export function ticketOf(client: Uint8Array, family: number, dataCenter: number): number {
  const octets = (family === 6 ? SPILL_V6_PREFIX : SPILL_V4_PREFIX) >>> 3;
  let hash = Math.imul(dataCenter + 1, SECOND_MULTIPLIER);
  for (let i = 0; i < octets; i++) {
    hash = Math.imul(hash ^ (client[i] as number), FIRST_MULTIPLIER);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 13), SECOND_MULTIPLIER);
  hash ^= hash >>> 16;
  // The upper 16 bits, brought below 65,535 without a remainder's bias.
  return ((hash >>> 16) * SPILL_ALL) >>> 16;
}
