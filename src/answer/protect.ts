import type { DecodeOutcome } from '../dns/query.ts';
import { RCODE_BADCOOKIE } from '../dns/rcode.ts';
import { answerCookie } from '../protection/cookies.ts';
import { holdsAddress } from '../protection/prefix-set.ts';
import type { Protection } from '../protection/protection.ts';
import { chargeResponse, type LimitOutcome, type ResponseClass } from '../protection/rate-limit.ts';
import { NONE } from '../snapshot/zone-image.ts';
import type { SenderAddress } from './client.ts';
import type { Decision, Outcome } from './decision.ts';
import { admitQuestion, type QuestionOutcome } from './question.ts';
import { type Transport, truncate } from './reply.ts';
import type { AnswerScratch } from './scratch.ts';

/** Whether this address is answered at all; `decision.access` tells whether it is denied. */
export function admitSender(
  decision: Decision,
  { access }: Protection,
  { family, octets }: SenderAddress,
): 'go-on' | 'drop' {
  if (access === undefined || !holdsAddress(access.denied, family, octets)) return 'go-on';
  decision.access = 'denied';
  // A refusal is an answer like any other.
  return access.onDenied === 'drop' ? 'drop' : 'go-on';
}

/** Checks the query's cookie and prepares the one of the answer, whose room the OPT then needs. */
export function checkCookie(
  scratch: AnswerScratch,
  { cookies }: Protection,
  { family, octets }: SenderAddress,
): void {
  const { decision, opt, query } = scratch;
  opt.hasCookie = false;
  if (cookies === undefined || query.cookieLength === 0) return;
  decision.cookie = answerCookie(cookies, scratch.cookies, query, family, octets, scratch.nowSeconds);
  opt.hasCookie = true;
}

/** Whether to look the question up, or how the query ends without. */
export function admitQuery(
  { decision, query }: AnswerScratch,
  { cookies }: Protection,
  decoded: Exclude<DecodeOutcome, 'drop'>,
  transport: Transport,
): QuestionOutcome | 'badvers' | 'cookie' | 'badcookie' {
  if (decision.access === 'denied') return 'refused';
  if (decoded === 'cookie') {
    if (cookies === undefined) return 'formerr';
    // RFC 7873 section 5.4: this is how a client finds out whether its server cookie is still good.
    return decision.cookie === 'bad' ? 'badcookie' : 'cookie';
  }
  if (decoded !== 'query') return decoded;
  const unproven = decision.cookie === 'new' || decision.cookie === 'bad';
  if (unproven && transport === 'udp' && cookies?.required === 'over-udp') return 'badcookie';
  return admitQuestion(query);
}

/**
 * Charges the answer that was written over UDP to its client; what is limited is cut down, or dropped. A valid cookie
 * proves that the address is not forged, and is worth more than any limit.
 */
export function limitAnswer(
  scratch: AnswerScratch,
  { rateLimit }: Protection,
  { family, octets }: SenderAddress,
): LimitOutcome {
  const { decision, found, query } = scratch;
  if (rateLimit === undefined || decision.cookie === 'valid') return 'none';
  const kind = classOf(decision.outcome);
  const zone = kind === 'error' ? NONE : scratch.zone;
  const node = kind === 'error' || kind === 'nxdomain' ? NONE : found.node;
  // A CNAME answers every type, of which there are too many to have an account each.
  const type = kind === 'records' && found.kind !== 'cname' ? query.type : 0;
  const limited = chargeResponse(rateLimit, family, octets, kind, zone, node, type, scratch.nowSeconds);
  if (limited !== 'none') cutDown(scratch, limited, kind);
  return limited;
}

function classOf(outcome: Outcome): ResponseClass {
  switch (outcome) {
    case 'answer':
      return 'records';
    case 'nodata':
      return 'nodata';
    case 'nxdomain':
      return 'nxdomain';
    case 'delegation':
      return 'referral';
    default:
      return 'error';
  }
}

/** Nothing that could be amplified is left: TC, so that the client comes by TCP, or a cookie to come again with. */
function cutDown(scratch: AnswerScratch, limited: 'slip' | 'drop', kind: ResponseClass): void {
  const { decision, opt, query, reply } = scratch;
  decision.limited = limited;
  decision.dataCenter = -1;
  decision.endpointCount = 0;
  if (limited === 'drop') {
    decision.outcome = 'dropped';
    return;
  }
  // An error is as small as can be, and TC would only bring it over TCP as well.
  if (kind === 'error') return;
  truncate(reply, query);
  decision.rcode = 0;
  if (!opt.hasCookie) return;
  reply.truncated = false;
  reply.authoritative = false;
  decision.outcome = 'badcookie';
  decision.rcode = RCODE_BADCOOKIE;
}
