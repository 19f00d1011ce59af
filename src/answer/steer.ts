import { type GeoMap, locate, prefixLengthOf, programOf } from '../geo/map.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import {
  STEERED_CHOICE,
  STEERED_MAP,
  STEERED_POOL,
  steeredWord,
  type ZoneImage,
} from '../snapshot/zone-image.ts';
import {
  ALL_DOWN_FALLBACK,
  type ChoiceOutcome,
  choose,
  poolAnswersType,
  poolHasEndpoints,
  resetChoice,
} from '../steering/choose.ts';
import { runProgram } from '../steering/run-program.ts';
import { admitClient } from '../steering/spill.ts';
import { identifyClient, type SenderAddress, scopeOf, spillScopeOf } from './client.ts';
import { MAX_ANSWER_ENDPOINTS } from './decision.ts';
import type { AnswerScratch } from './scratch.ts';

/**
 * Locates the client, ranks the data centers, checks the endpoints' verdicts and chooses. The choice stands in
 * `scratch.choice`, and all of it in the decision.
 */
export function steer(
  scratch: AnswerScratch,
  snapshot: Snapshot,
  zone: ZoneImage,
  steered: number,
  resolver: SenderAddress,
): ChoiceOutcome {
  const { choice, decision, query } = scratch;
  const pool = zone.pools + steeredWord(zone, steered, STEERED_POOL);
  const how = steeredWord(zone, steered, STEERED_CHOICE);
  decision.zone = scratch.zone;
  decision.steered = steered;
  // A chain may have passed a steered name before: what was ranked and chosen for that one is not this one's.
  decision.orderLength = 0;
  resetChoice(choice);
  tellChoice(scratch, zone);
  if (poolHasEndpoints(zone.words, pool)) {
    // Said before the client is located: it holds for every client, and costs least. Fallback addresses may still
    // be of the type.
    if (!poolAnswersType(zone.words, pool, query.type) && how >> 8 !== ALL_DOWN_FALLBACK) return 'nodata';
    const map = snapshot.maps[steeredWord(zone, steered, STEERED_MAP)];
    if (map === undefined) return 'servfail';
    rank(scratch, map, resolver);
  }
  admitClient(choice.spill, snapshot.spills, decision.clientAddress, decision.clientFamily);
  const outcome = choose(
    choice,
    zone.words,
    pool,
    how >> 8,
    how & 0xff,
    snapshot.verdicts,
    decision.order,
    decision.orderLength,
    query.type,
  );
  tellChoice(scratch, zone);
  if (choice.spill.bears + choice.spill.passedCount > 0) tellSpill(scratch);
  return outcome;
}

/** Writes what spills made of the client into the decision, and sees that the answer holds for their prefix at most. */
function tellSpill(scratch: AnswerScratch): void {
  const { choice, decision, query } = scratch;
  const { bears, ignored, passed, passedCount } = choice.spill;
  decision.spill = ignored === 1 ? 'ignored' : passedCount > 0 ? 'passed-on' : 'kept';
  decision.passedOnCount = passedCount;
  for (let i = 0; i < passedCount; i++) decision.passedOn[i] = passed[i] as number;
  if (bears === 1) scratch.scope = Math.max(scratch.scope, spillScopeOf(decision, query));
}

/** Writes the choice into the decision. */
function tellChoice({ choice, decision }: AnswerScratch, zone: ZoneImage): void {
  decision.tier = choice.tier;
  decision.dataCenter = choice.dataCenter;
  decision.endpointCount = Math.min(choice.count, MAX_ANSWER_ENDPOINTS);
  for (let i = 0; i < decision.endpointCount; i++) {
    decision.endpointSlots[i] = zone.words[choice.endpoints[i] as number] as number;
  }
}

/** Writes the client's order of data centers into the decision. */
function rank(scratch: AnswerScratch, map: GeoMap, resolver: SenderAddress): void {
  const { decision, query } = scratch;
  identifyClient(decision, query, resolver);
  const leaf = locate(map, decision.clientFamily === 4 ? 4 : 6, decision.clientAddress);
  decision.mapPrefixLength = prefixLengthOf(leaf);
  decision.orderLength = runProgram(map, programOf(leaf), scratch.random, decision.order);
  // A chain may pass several steered names; its answer holds only where the narrowest of them does.
  scratch.scope = Math.max(scratch.scope, scopeOf(decision, query, map.programCount === 1));
}
