import { readCompressedName } from '../dns/hashed-name.ts';
import { putUint32 } from '../dns/put-integer.ts';
import { RCODE_NXDOMAIN, RCODE_SERVFAIL } from '../dns/rcode.ts';
import { TYPE_ANY, TYPE_CNAME } from '../dns/type.ts';
import {
  NONE,
  nodeNameLength,
  rrsetNumbered,
  rrsetRecordCount,
  rrsetTtlSeconds,
  STEERED_FALLBACK,
  STEERED_FALLBACK_COUNT,
  STEERED_TTL,
  steeredWord,
  type ZoneImage,
} from '../snapshot/zone-image.ts';
import type { ChoiceOutcome } from '../steering/choose.ts';
import type { Outcome } from './decision.ts';
import { truncate } from './reply.ts';
import { type AnswerScratch, MAX_CNAME_STEPS } from './scratch.ts';
import { RDATA_OFFSET, TTL_OFFSET, writeAdditional, writeAddress, writeHinfo, writeRRset } from './write.ts';

/** RFC 8482 section 4.2: long enough to keep askers from asking again. */
const ANY_TTL_SECONDS = 3600;

/** What follows a step: the query's outcome, or the next name of a CNAME chain, in `scratch.target`. */
export type Step = Outcome | 'follow';

/** Answers with an RRset and the addresses that its records lead to. */
export function answerRRset(scratch: AnswerScratch, zone: ZoneImage, rrset: number): Outcome {
  const { decision, query, reply } = scratch;
  const rrsetAt = reply.at;
  if (reply.answerCount === 0) decision.ttlSeconds = rrsetTtlSeconds(zone, rrset);
  if (!writeRRset(reply, zone, rrset, reply.ownerAt)) truncate(reply, query);
  else {
    reply.answerCount += rrsetRecordCount(zone, rrset);
    // Additional data is a kindness: what does not fit is left out (RFC 2181 section 9), and ANY is to be answered
    // with as little as can be.
    if (query.type !== TYPE_ANY) writeAdditional(reply, zone, rrset, rrsetAt);
  }
  return 'answer';
}

/** Answers with a CNAME and reads its target, unless the chain has become too long or has come back to itself. */
export function followCname(
  scratch: AnswerScratch,
  zone: ZoneImage,
  rrset: number,
  ttlSeconds: number,
): Step {
  const { decision, followed, query, reply, target } = scratch;
  for (let step = 0; step < decision.cnameSteps; step++) {
    if (followed[2 * step] === scratch.zone && followed[2 * step + 1] === rrset) return 'answer';
  }
  if (decision.cnameSteps === MAX_CNAME_STEPS) return 'answer';
  const start = reply.at;
  if (reply.answerCount === 0) decision.ttlSeconds = ttlSeconds;
  if (!writeRRset(reply, zone, rrset, reply.ownerAt)) {
    truncate(reply, query);
    return 'answer';
  }
  putUint32(reply.octets, start + TTL_OFFSET, ttlSeconds);
  reply.answerCount++;
  if (query.type === TYPE_CNAME) return 'answer';
  followed[2 * decision.cnameSteps] = scratch.zone;
  followed[2 * decision.cnameSteps + 1] = rrset;
  decision.cnameSteps++;
  reply.ownerAt = start + RDATA_OFFSET;
  return readCompressedName(target, reply.octets, reply.ownerAt, reply.at) ? 'follow' : 'answer';
}

/** Answers with what was chosen for a steered name. */
export function answerSteered(
  scratch: AnswerScratch,
  zone: ZoneImage,
  steered: number,
  outcome: ChoiceOutcome,
): Step {
  switch (outcome) {
    case 'endpoints':
      return answerEndpoints(scratch, zone, steeredWord(zone, steered, STEERED_TTL));
    case 'fallback':
      return answerFallback(scratch, zone, steered);
    case 'nodata':
      return answerNegative(scratch, zone, 'nodata');
    case 'servfail':
      return failSteered(scratch);
  }
}

function answerEndpoints(scratch: AnswerScratch, zone: ZoneImage, ttlSeconds: number): Step {
  const { choice, decision, query, reply } = scratch;
  if (choice.type === TYPE_CNAME) {
    const rrset = rrsetNumbered(zone, zone.words[(choice.endpoints[0] as number) + 2] as number);
    return followCname(scratch, zone, rrset, ttlSeconds);
  }
  if (reply.answerCount === 0) decision.ttlSeconds = ttlSeconds;
  for (let i = 0; i < choice.count; i++) {
    const address = zone.words[(choice.endpoints[i] as number) + 2] as number;
    if (!writeAddress(reply, zone, choice.type, address, ttlSeconds)) {
      truncate(reply, query);
      break;
    }
  }
  return 'answer';
}

function answerFallback(scratch: AnswerScratch, zone: ZoneImage, steered: number): Outcome {
  const { decision, query, reply } = scratch;
  const ttlSeconds = steeredWord(zone, steered, STEERED_TTL);
  const first = zone.pools + steeredWord(zone, steered, STEERED_FALLBACK);
  const end = first + 2 * steeredWord(zone, steered, STEERED_FALLBACK_COUNT);
  let written = 0;
  for (let pair = first; pair < end; pair += 2) {
    if (zone.words[pair] !== query.type) continue;
    if (written === 0 && reply.answerCount === 0) decision.ttlSeconds = ttlSeconds;
    written++;
    if (!writeAddress(reply, zone, query.type, zone.words[pair + 1] as number, ttlSeconds)) {
      truncate(reply, query);
      break;
    }
  }
  return written > 0 ? 'answer' : answerNegative(scratch, zone, 'nodata');
}

/** The chain so far depends on a name that cannot be answered: the resolver is to try another of our nodes. */
function failSteered(scratch: AnswerScratch): Outcome {
  const { decision, query, reply } = scratch;
  truncate(reply, query);
  reply.truncated = false;
  reply.authoritative = false;
  decision.rcode = RCODE_SERVFAIL;
  return 'servfail';
}

/** RFC 8482 section 4.2. */
export function answerHinfo(scratch: AnswerScratch): Outcome {
  const { decision, query, reply } = scratch;
  decision.ttlSeconds = ANY_TTL_SECONDS;
  if (!writeHinfo(reply, ANY_TTL_SECONDS)) truncate(reply, query);
  return 'answer';
}

/** RFC 2308 section 2: the zone's SOA in authority; after a CNAME the rcode tells of its target (RFC 6604 section 2). */
export function answerNegative(
  scratch: AnswerScratch,
  zone: ZoneImage,
  outcome: 'nodata' | 'nxdomain',
): Outcome {
  const { decision, query, reply } = scratch;
  if (outcome === 'nxdomain') decision.rcode = RCODE_NXDOMAIN;
  if (zone.negativeSoa !== NONE) {
    if (writeRRset(reply, zone, zone.negativeSoa, reply.apexAt)) reply.authorityCount++;
    else truncate(reply, query);
  }
  return outcome;
}

/** RFC 1034 section 4.3.2 step 3b: the cut's NS RRset in authority, the addresses of its name servers as glue. */
export function answerDelegation(
  scratch: AnswerScratch,
  zone: ZoneImage,
  cut: number,
  rrset: number,
  nameLength: number,
): Outcome {
  const { decision, query, reply } = scratch;
  // AA tells of the name that was asked for, which may be a CNAME of ours (RFC 1035 section 4.1.1).
  if (decision.cnameSteps === 0) reply.authoritative = false;
  const ownerAt = reply.ownerAt + nameLength - nodeNameLength(zone, cut) - zone.apexLength;
  const rrsetAt = reply.at;
  if (!writeRRset(reply, zone, rrset, ownerAt)) truncate(reply, query);
  else {
    reply.authorityCount += rrsetRecordCount(zone, rrset);
    if (!writeAdditional(reply, zone, rrset, rrsetAt)) reply.truncated = true;
  }
  return 'delegation';
}
