import type { ProbedVerdict } from './verdict.ts';

/** One vantage's verdict on an endpoint. */
export interface Vote {
  readonly verdict: ProbedVerdict;
  /** Milliseconds since the epoch; from then on the verdict counts as absent. */
  readonly expiresAtMs: number;
}

/** What all vantages say together. */
export interface Consensus {
  readonly verdict: ProbedVerdict;
  /**
   * `majority`: more than half of the fresh votes say so.
   * `divided`: fresh votes are split evenly; the verdict is the one that held before.
   * `silent`: no vantage has a fresh verdict; the verdict is the one that held before.
   */
  readonly basis: 'majority' | 'divided' | 'silent';
}

/** Before any vote: unknown. */
export const NO_CONSENSUS: Consensus = { verdict: 'unknown', basis: 'silent' };

/**
 * Joins the votes of all vantages; with a single vantage its verdict is the consensus.
 *
 * A vantage that is still undecided has no vote yet. Where there is no majority the verdict that held before stays:
 * a node that has lost sight of an endpoint must not move traffic because of its own blindness.
 */
export function joinVotes(votes: Iterable<Vote>, before: ProbedVerdict, nowMs: number): Consensus {
  let up = 0;
  let down = 0;
  for (const vote of votes) {
    if (!isFresh(vote, nowMs)) continue;
    if (vote.verdict === 'up') up += 1;
    else if (vote.verdict === 'down') down += 1;
  }
  if (up > down) return { verdict: 'up', basis: 'majority' };
  if (down > up) return { verdict: 'down', basis: 'majority' };
  return { verdict: before, basis: up === 0 ? 'silent' : 'divided' };
}

/** Whether a vote still counts. */
export function isFresh(vote: Vote, nowMs: number): boolean {
  return nowMs < vote.expiresAtMs;
}
