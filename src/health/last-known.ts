import type { Verdict } from './verdict.ts';

/** What the last-known rule needs of one endpoint of a pool. */
export interface PoolMember {
  /** What probes and overrides come to. */
  readonly wanted: Verdict;
  readonly lastKnownUp: boolean;
}

/**
 * Which endpoints of a pool were up when last any of them was.
 *
 * While one is up the marks follow the verdicts; while none is they stay as they were, so that a steered name whose
 * endpoints are all down can still answer with those that worked last.
 */
export function lastKnownUp(members: readonly PoolMember[]): readonly boolean[] {
  const anyUp = members.some((member) => member.wanted === 'up');
  return members.map((member) => (anyUp ? member.wanted === 'up' : member.lastKnownUp));
}
