import type { ClientLocation } from '../geo/location.ts';
import { policyKindOf } from './policies/index.ts';
import type { Candidate, PolicyNode, RankContext, RankingStep } from './policy.ts';
import type { Program } from './program.ts';

/** Ranks candidates for many clients; the context is prepared once. References must be resolved. */
export function createRanking(
  node: PolicyNode,
  candidates: readonly Candidate[],
  trace?: (step: RankingStep) => void,
): (client: ClientLocation) => Program {
  const context: RankContext = {
    candidates: candidates.toSorted((one, other) => (one.name < other.name ? -1 : 1)),
    rank: (child, client) => policyKindOf(child).rank(child, client, context),
    trace,
  };
  return (client) => context.rank(node, client);
}

/** What each visited policy node did for one client, in the order visited; by the code that compiles maps. */
export function describeRanking(
  node: PolicyNode,
  client: ClientLocation,
  candidates: readonly Candidate[],
): readonly RankingStep[] {
  const steps: RankingStep[] = [];
  createRanking(node, candidates, (step) => steps.push(step))(client);
  return steps;
}
