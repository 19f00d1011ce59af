import { encodeOpt, optLength } from '../dns/opt.ts';
import { decodeQuery } from '../dns/query.ts';
import {
  RCODE_BADCOOKIE,
  RCODE_BADVERS,
  RCODE_FORMERR,
  RCODE_NOERROR,
  RCODE_NOTIMP,
  RCODE_REFUSED,
} from '../dns/rcode.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { NO_ZONE } from '../snapshot/zone-directory.ts';
import { rrsetTtlSeconds, type ZoneImage } from '../snapshot/zone-image.ts';
import type { SenderAddress } from './client.ts';
import { type Outcome, resetDecision } from './decision.ts';
import { lookup, zoneFor } from './lookup.ts';
import { admitQuery, admitSender, checkCookie, limitAnswer } from './protect.ts';
import { admitKeepalive, CLASS_ANY } from './question.ts';
import { beginReply, encodeHeader, findApex, type Transport } from './reply.ts';
import type { AnswerScratch } from './scratch.ts';
import {
  answerDelegation,
  answerHinfo,
  answerNegative,
  answerRRset,
  answerSteered,
  followCname,
  type Step,
} from './section.ts';
import { steer } from './steer.ts';

export type { SenderAddress } from './client.ts';
export type { Transport } from './reply.ts';
export { type AnswerScratch, createAnswerScratch } from './scratch.ts';

/** For queries that end without a lookup. */
const RCODES = {
  cookie: RCODE_NOERROR,
  formerr: RCODE_FORMERR,
  notimp: RCODE_NOTIMP,
  refused: RCODE_REFUSED,
  badvers: RCODE_BADVERS,
  badcookie: RCODE_BADCOOKIE,
} as const;

/**
 * Answers one query: reads `requestLength` octets of `request`, writes the answer into `response` and returns its
 * length; 0 to send nothing. Every packet gets a value, and none an exception. `response` needs room for a header, the
 * question and the OPT, and may be `request` itself. Allocates nothing; what was decided stands in `scratch.decision`.
 */
export function respond(
  scratch: AnswerScratch,
  snapshot: Snapshot,
  request: Uint8Array,
  requestLength: number,
  client: SenderAddress,
  transport: Transport,
  response: Uint8Array,
): number {
  const { decision, opt, query, reply } = scratch;
  const { protection, serverId } = snapshot;
  resetDecision(decision);
  if (admitSender(decision, protection, client) === 'drop') return 0;
  const decoded = admitKeepalive(decodeQuery(request, requestLength, query), query, transport);
  if (decoded === 'drop') return 0;
  decision.queryType = query.type;
  scratch.scope = 0;
  checkCookie(scratch, protection, client);
  const reserved = optLength(query, opt, serverId);
  beginReply(reply, query, request, transport, response, reserved, protection.maxUdpAnswerOctets);

  const admitted = admitQuery(scratch, protection, decoded, transport);
  decision.outcome = admitted === 'answer' ? answerQuestion(scratch, snapshot, client) : admitted;
  if (admitted !== 'answer') decision.rcode = RCODES[admitted];
  if (transport === 'udp' && limitAnswer(scratch, protection, client) === 'drop') return 0;
  return finish(scratch, snapshot);
}

/** RFC 1034 section 4.3.2: finds the zone and looks the name up, again for each CNAME on the way. */
function answerQuestion(scratch: AnswerScratch, snapshot: Snapshot, client: SenderAddress): Outcome {
  const { decision, found, query, reply } = scratch;
  let name = query.name;
  let previous = NO_ZONE;
  for (;;) {
    const position = zoneFor(snapshot.zones, name, query.type);
    if (position === NO_ZONE) return leaveZones(scratch);
    const zone = snapshot.zones.images[position] as ZoneImage;
    if (position !== previous) findApex(reply, name.labelCount - zone.apexLabels);
    previous = position;
    scratch.zone = position;
    if (decision.steered < 0) decision.zone = position;
    // RFC 1034 section 3.7.1 with QCLASS *: we cannot speak for all classes.
    reply.authoritative = query.class !== CLASS_ANY;
    lookup(found, zone, name, query.type);
    const step = answerFound(scratch, snapshot, zone, name.length, client);
    if (step !== 'follow') return step;
    name = scratch.target;
  }
}

function answerFound(
  scratch: AnswerScratch,
  snapshot: Snapshot,
  zone: ZoneImage,
  nameLength: number,
  client: SenderAddress,
): Step {
  const { found } = scratch;
  switch (found.kind) {
    case 'rrset':
      return answerRRset(scratch, zone, found.rrset);
    case 'cname':
      return followCname(scratch, zone, found.rrset, rrsetTtlSeconds(zone, found.rrset));
    case 'steered':
      return answerSteered(scratch, zone, found.at, steer(scratch, snapshot, zone, found.at, client));
    case 'hinfo':
      return answerHinfo(scratch);
    case 'delegation':
      return answerDelegation(scratch, zone, found.at, found.rrset, nameLength);
    case 'nodata':
    case 'nxdomain':
      return answerNegative(scratch, zone, found.kind);
  }
}

/** Where a chain leaves our zones, what we have is the answer, and the resolver goes on from there. */
function leaveZones({ decision }: AnswerScratch): Outcome {
  if (decision.cnameSteps > 0) return 'answer';
  decision.rcode = RCODES.refused;
  return 'refused';
}

/** Appends the OPT and writes the header. */
function finish(scratch: AnswerScratch, snapshot: Snapshot): number {
  const { decision, opt, query, reply } = scratch;
  decision.truncated = reply.truncated;
  if (reply.answerCount === 0) decision.ttlSeconds = 0;
  if (query.hasSubnet) {
    // RFC 7871 section 7.4: a negative answer holds for everybody; so does whatever no steered name had a part in.
    decision.scopePrefixLength = reply.answerCount > 0 || reply.truncated ? scratch.scope : 0;
  }
  let end = reply.at;
  if (query.hasEdns) {
    opt.scopePrefixLength = Math.max(0, decision.scopePrefixLength);
    end = encodeOpt(reply.octets, end, query, opt, decision.rcode, snapshot.serverId);
    reply.additionalCount++;
  }
  encodeHeader(reply, query, decision.rcode);
  return end;
}
