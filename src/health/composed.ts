import type { HealthRule } from '../config/health-rule.ts';
import { type Consensus, NO_CONSENSUS } from './consensus.ts';
import type { ProbedVerdict } from './verdict.ts';

/** What is known under a key; undefined for a key that is not there. */
export type SourceVerdicts = (key: string) => Consensus | undefined;

/**
 * What a rule comes to: three-valued logic (Kleene's), in which unknown stays unknown unless the rest decides.
 *
 *     at least 2 of    up    up    unknown   ->  up         it cannot fail any more
 *                      up    down  unknown   ->  unknown
 *                      down  down  unknown   ->  down       it cannot succeed any more
 *     not              up -> down    down -> up    unknown -> unknown
 *
 * `all` is at least n of n, `any` is at least one. The basis is `quorum` when what has a quorum is enough to decide;
 * else it is that of the sources that have none.
 */
export function evaluateRule(rule: HealthRule, known: SourceVerdicts): Consensus {
  if (rule.kind === 'source') return known(rule.key) ?? NO_CONSENSUS;
  const certain = verdictOf(rule, (key) => certainVerdict(known(key)));
  if (certain !== 'unknown') return { verdict: certain, basis: 'quorum' };
  const verdict = verdictOf(rule, (key) => known(key)?.verdict ?? 'unknown');
  return { verdict, basis: weakestBasis(rule, known) };
}

function certainVerdict(consensus: Consensus | undefined): ProbedVerdict {
  return consensus?.basis === 'quorum' ? consensus.verdict : 'unknown';
}

function verdictOf(rule: HealthRule, known: (key: string) => ProbedVerdict): ProbedVerdict {
  switch (rule.kind) {
    case 'source':
      return known(rule.key);
    case 'constant':
      return rule.verdict;
    case 'not': {
      const verdict = verdictOf(rule.of, known);
      return verdict === 'unknown' ? 'unknown' : verdict === 'up' ? 'down' : 'up';
    }
    case 'at-least': {
      let up = 0;
      let possible = 0;
      for (const part of rule.of) {
        const verdict = verdictOf(part, known);
        if (verdict === 'up') up += 1;
        if (verdict !== 'down') possible += 1;
      }
      if (up >= rule.count) return 'up';
      return possible < rule.count ? 'down' : 'unknown';
    }
  }
}

/** From the strongest to the weakest. */
const BASES: readonly Consensus['basis'][] = ['quorum', 'divided', 'no-quorum', 'silent'];

function weakestBasis(rule: HealthRule, known: SourceVerdicts): Consensus['basis'] {
  switch (rule.kind) {
    case 'source':
      return known(rule.key)?.basis ?? 'silent';
    case 'constant':
      return rule.verdict === 'unknown' ? 'silent' : 'quorum';
    case 'not':
      return weakestBasis(rule.of, known);
    case 'at-least': {
      const places = rule.of.map((part) => BASES.indexOf(weakestBasis(part, known)));
      return BASES[Math.max(0, ...places)] ?? 'silent';
    }
  }
}
