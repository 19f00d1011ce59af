import { createHashedName, type HashedName } from '../dns/hashed-name.ts';
import { createOptAnswer, type OptAnswer } from '../dns/opt.ts';
import { createQuery, type Query } from '../dns/query.ts';
import { type CookieScratch, createCookieScratch } from '../protection/cookies.ts';
import { type Choice, createChoice } from '../steering/choose.ts';
import type { RandomSource } from '../steering/program.ts';
import { createDecision, type Decision, MAX_ANSWER_ENDPOINTS } from './decision.ts';
import { createFound, type Found } from './lookup.ts';
import { createReply, type Reply } from './reply.ts';

/**
 * Steps of one CNAME chain that are followed inside the server; what a resolver follows from there is its own affair.
 * A sound zone needs two or three; resolvers give up soon after ten.
 */
export const MAX_CNAME_STEPS = 8;

/** All that one thread needs to answer queries, one after the other, without allocating anything. */
export interface AnswerScratch {
  /** What was decided about the latest query. */
  readonly decision: Decision;
  readonly query: Query;
  /** Target of the CNAME being followed. */
  readonly target: HashedName;
  readonly found: Found;
  readonly reply: Reply;
  readonly choice: Choice;
  readonly random: RandomSource;
  /** Pairs of zone and RRset: the CNAMEs in the answer, so that a loop is seen. */
  readonly followed: Int32Array;
  /** What the OPT says; its keepalive timeout is set by the transport that has one. */
  readonly opt: OptAnswer;
  readonly cookies: CookieScratch;
  /** Seconds since 1970 as a whole number, set by the transport once for each batch of queries. */
  nowSeconds: number;
  /** Position of the zone that the lookup under way is in. */
  zone: number;
  /** ECS scope that the steered names passed so far ask for. */
  scope: number;
}

/** Scratch for one thread; `random` is used for weighted draws only. */
export function createAnswerScratch(random: RandomSource): AnswerScratch {
  return {
    decision: createDecision(),
    query: createQuery(),
    target: createHashedName(),
    found: createFound(),
    reply: createReply(),
    choice: createChoice(MAX_ANSWER_ENDPOINTS, random),
    random,
    followed: new Int32Array(2 * MAX_CNAME_STEPS),
    opt: createOptAnswer(),
    cookies: createCookieScratch(),
    nowSeconds: 0,
    zone: 0,
    scope: 0,
  };
}
