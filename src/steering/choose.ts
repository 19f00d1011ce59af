import { TYPE_A, TYPE_AAAA, TYPE_CNAME } from '../dns/type.ts';
import {
  ENDPOINT_WORDS,
  endpointWords,
  findGroup,
  groupField,
  POOL_TYPES,
  poolTypeBit,
} from './pool-image.ts';
import type { RandomSource } from './program.ts';
import { createSpillScratch, passesOn, type SpillScratch } from './spill.ts';
import {
  LAST_KNOWN_UP,
  VERDICT_DOWN,
  VERDICT_DRAINED,
  VERDICT_MASK,
  VERDICT_UNKNOWN,
  VERDICT_UP,
} from './verdict.ts';

/** On what footing the chosen endpoints were answered; the first tier that has any wins. */
export type Tier = 'none' | 'up' | 'unknown' | 'fail-open' | 'last-known' | 'fallback';

/** What to do when no endpoint that the policy names is up or unknown, as an image says it. */
export const ALL_DOWN_FAIL_OPEN = 0;
export const ALL_DOWN_LAST_KNOWN = 1;
export const ALL_DOWN_FALLBACK = 2;
export const ALL_DOWN_NODATA = 3;
export const ALL_DOWN_SERVFAIL = 4;

/** Most endpoints of one data center that a choice weighs: a pool holds no more (`MAX_ENDPOINTS_PER_POOL`). */
export const MAX_CANDIDATES = 1024;

/** What is chosen from, and what was chosen; one object is written anew for every query. */
export interface Choice {
  tier: Tier;
  /** Data center number; -1 where none was chosen. */
  dataCenter: number;
  /** Type of the chosen endpoints: A, AAAA or CNAME. */
  type: number;
  /** Word offsets of the chosen endpoints, `count` of them, in the order to answer them. */
  readonly endpoints: Int32Array;
  count: number;
  /** Who the client is to data centers that spill, and which of them passed it on. */
  readonly spill: SpillScratch;
  readonly scratch: ChoiceScratch;
}

/** The arguments of the choice under way, and what it has come across. */
interface ChoiceScratch {
  words: Int32Array;
  pool: number;
  /** Word offset of the pool's first endpoint. */
  endpoints: number;
  answers: number;
  verdicts: Uint8Array;
  order: Uint16Array;
  orderLength: number;
  type: number;
  random: RandomSource;
  /** Word offsets of the endpoints to draw from. */
  readonly candidates: Int32Array;
  /** Whether a data center was passed over that has addresses in the tiers so far, if not of the type asked for. */
  passedAddresses: boolean;
}

/** What to answer: the chosen endpoints, the fallback addresses, or nothing. */
export type ChoiceOutcome = 'endpoints' | 'fallback' | 'nodata' | 'servfail';

/** `maxAnswers`: most endpoints of any choice. */
export function createChoice(maxAnswers: number, random: RandomSource): Choice {
  return {
    tier: 'none',
    dataCenter: -1,
    type: 0,
    endpoints: new Int32Array(maxAnswers),
    count: 0,
    spill: createSpillScratch(),
    scratch: {
      words: new Int32Array(0),
      pool: 0,
      endpoints: 0,
      answers: 0,
      verdicts: new Uint8Array(0),
      order: new Uint16Array(0),
      orderLength: 0,
      type: 0,
      random,
      candidates: new Int32Array(MAX_CANDIDATES),
      passedAddresses: false,
    },
  };
}

/** Whether a pool has any endpoint. */
export function poolHasEndpoints(words: Int32Array, pool: number): boolean {
  return words[pool + POOL_TYPES] !== 0;
}

/** Whether a pool has an endpoint that could answer a type; where not, the answer is the same for every client. */
export function poolAnswersType(words: Int32Array, pool: number, type: number): boolean {
  const types = words[pool + POOL_TYPES] as number;
  return (types & (poolTypeBit(type) | poolTypeBit(TYPE_CNAME))) !== 0;
}

/**
 * Checks the verdicts of the pool's endpoints along the policy's order and chooses: the first data center with an
 * endpoint that is up, else with one that is unknown, else what `allDown` says. Endpoints outside the order are never
 * chosen, and none that is down or drained while another of the pool, in the order, is up or unknown; not even of
 * another type: a client without a healthy IPv6 endpoint gets NODATA for AAAA and takes the healthy IPv4 one.
 *
 * A canonical name answers every type, and resolvers keep it for every type. So it is chosen only where no data center
 * before it, nor its own, has addresses in the same tier: else AAAA would take A's place.
 *
 * Allocates nothing; writes `choice` and its arrays.
 */
export function choose(
  choice: Choice,
  words: Int32Array,
  pool: number,
  allDown: number,
  answers: number,
  verdicts: Uint8Array,
  order: Uint16Array,
  orderLength: number,
  type: number,
): ChoiceOutcome {
  resetChoice(choice);
  const { scratch } = choice;
  scratch.words = words;
  scratch.pool = pool;
  scratch.endpoints = endpointWords(words, pool, 0);
  scratch.answers = answers;
  scratch.verdicts = verdicts;
  scratch.order = order;
  scratch.orderLength = orderLength;
  scratch.type = type;
  // A policy that names no data center for this client means it; a pool without endpoints is all down.
  if (orderLength === 0 && poolHasEndpoints(words, pool)) return 'nodata';
  if (pickUp(choice)) return 'endpoints';
  if (pick(choice, 'unknown', VERDICT_MASK, VERDICT_UNKNOWN, KEEP_ALL)) return 'endpoints';
  if (scratch.passedAddresses) return 'nodata';
  return chooseAllDown(choice, allDown);
}

function chooseAllDown(choice: Choice, allDown: number): ChoiceOutcome {
  if (allDown === ALL_DOWN_NODATA) return 'nodata';
  if (allDown === ALL_DOWN_SERVFAIL) return 'servfail';
  if (allDown === ALL_DOWN_FALLBACK) {
    choice.tier = 'fallback';
    return 'fallback';
  }
  const lastKnown = VERDICT_DOWN | LAST_KNOWN_UP;
  if (
    allDown === ALL_DOWN_LAST_KNOWN &&
    pick(choice, 'last-known', VERDICT_MASK | LAST_KNOWN_UP, lastKnown, KEEP_ALL)
  ) {
    return 'endpoints';
  }
  choice.scratch.passedAddresses = false;
  // A drained endpoint was taken out by the operator, a down one only by probes: the drained ones come last.
  if (pick(choice, 'fail-open', VERDICT_MASK, VERDICT_DOWN, KEEP_ALL)) return 'endpoints';
  if (pick(choice, 'fail-open', VERDICT_MASK, VERDICT_DRAINED, KEEP_ALL)) return 'endpoints';
  return 'nodata';
}

/** Forgets the last choice. */
export function resetChoice(choice: Choice): void {
  choice.tier = 'none';
  choice.dataCenter = -1;
  choice.type = 0;
  choice.count = 0;
  choice.scratch.passedAddresses = false;
  choice.spill.passedCount = 0;
  choice.spill.bears = 0;
  choice.spill.ignored = 0;
}

/** Whether data centers pass clients on while one chooses. */
const KEEP_ALL = 0;
const SPILL = 1;
type Spilling = typeof KEEP_ALL | typeof SPILL;

/**
 * Chooses what is up, past the data centers that pass this client on. Where all of them do, spills have nowhere to take
 * it, and it is kept as if there were none: a full data center serves better than one that nobody knows to be up.
 */
function pickUp(choice: Choice): boolean {
  if (pick(choice, 'up', VERDICT_MASK, VERDICT_UP, SPILL)) return true;
  if (choice.spill.passedCount === 0) return false;
  choice.spill.ignored = 1;
  choice.scratch.passedAddresses = false;
  return pick(choice, 'up', VERDICT_MASK, VERDICT_UP, KEEP_ALL);
}

/** Chooses among the endpoints whose verdict octet, masked, is as wanted; false where the order leads to none. */
function pick(choice: Choice, tier: Tier, mask: number, want: number, spilling: Spilling): boolean {
  const { scratch, spill } = choice;
  const { words, order, orderLength, pool, type } = scratch;
  const field = type === TYPE_CNAME ? -1 : groupField(type);
  for (let i = 0; i < orderLength; i++) {
    const dataCenter = order[i] as number;
    const group = findGroup(words, pool, dataCenter);
    if (group < 0) continue;
    const addresses = field < 0 ? 0 : gather(scratch, group + field, mask, want);
    if (addresses > 0) {
      // A client that is passed on goes by all of the data center, as if it were not up.
      if (spilling === SPILL && passesOn(spill, dataCenter, i)) continue;
      draw(choice, addresses, scratch.answers);
      return settle(choice, tier, dataCenter, type);
    }
    if (hasAddress(scratch, group, mask, want)) {
      if (spilling === KEEP_ALL || !passesOn(spill, dataCenter, i)) scratch.passedAddresses = true;
    } else if (!scratch.passedAddresses) {
      const names = gather(scratch, group + groupField(TYPE_CNAME), mask, want);
      if (names > 0) {
        if (spilling === SPILL && passesOn(spill, dataCenter, i)) continue;
        // An owner has one CNAME record at most (RFC 2181 section 10.1).
        draw(choice, names, 1);
        return settle(choice, tier, dataCenter, TYPE_CNAME);
      }
    }
  }
  return false;
}

function settle(choice: Choice, tier: Tier, dataCenter: number, type: number): boolean {
  choice.tier = tier;
  choice.dataCenter = dataCenter;
  choice.type = type;
  return true;
}

/** Collects the endpoints from the group's word `field` on whose verdict is as wanted; returns how many. */
function gather(scratch: ChoiceScratch, field: number, mask: number, want: number): number {
  const { words, verdicts, candidates, endpoints } = scratch;
  const end = endpoints + ENDPOINT_WORDS * (words[field + 1] as number);
  let endpoint = endpoints + ENDPOINT_WORDS * (words[field] as number);
  let count = 0;
  for (; endpoint < end && count < MAX_CANDIDATES; endpoint += ENDPOINT_WORDS) {
    if (((verdicts[words[endpoint] as number] as number) & mask) === want) candidates[count++] = endpoint;
  }
  return count;
}

function hasAddress(scratch: ChoiceScratch, group: number, mask: number, want: number): boolean {
  const { words, verdicts, endpoints } = scratch;
  const end = endpoints + ENDPOINT_WORDS * (words[group + groupField(TYPE_AAAA) + 1] as number);
  let endpoint = endpoints + ENDPOINT_WORDS * (words[group + groupField(TYPE_A)] as number);
  for (; endpoint < end; endpoint += ENDPOINT_WORDS) {
    if (((verdicts[words[endpoint] as number] as number) & mask) === want) return true;
  }
  return false;
}

/** Draws up to `answers` of the candidates without replacement, each draw in proportion to the weights left. */
function draw(choice: Choice, candidateCount: number, answers: number): void {
  const { words, candidates, random } = choice.scratch;
  if (candidateCount === 1) {
    choice.endpoints[0] = candidates[0] as number;
    choice.count = 1;
    return;
  }
  const count = Math.min(candidateCount, answers, choice.endpoints.length);
  let left = candidateCount;
  let weightLeft = 0;
  for (let i = 0; i < left; i++) weightLeft += weightOf(words, candidates[i] as number);
  for (let drawn = 0; drawn < count; drawn++) {
    let position = 0;
    if (left > 1) {
      let ticket = Math.floor((random.nextUint32() / 2 ** 32) * weightLeft);
      while (position < left - 1 && ticket >= weightOf(words, candidates[position] as number)) {
        ticket -= weightOf(words, candidates[position] as number);
        position++;
      }
    }
    const endpoint = candidates[position] as number;
    choice.endpoints[drawn] = endpoint;
    weightLeft -= weightOf(words, endpoint);
    left--;
    candidates[position] = candidates[left] as number;
  }
  choice.count = count;
}

function weightOf(words: Int32Array, endpoint: number): number {
  return words[endpoint + 1] as number;
}
