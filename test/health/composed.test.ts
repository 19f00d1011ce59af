import { expect, it } from 'vitest';
import type { HealthRule } from '../../src/config/health-rule.ts';
import { evaluateRule } from '../../src/health/composed.ts';
import type { Consensus } from '../../src/health/consensus.ts';

/** `u` up, `d` down, `?` unknown; `U` and `D` the same, but held from before for want of a quorum. */
const sources: Readonly<Record<string, Consensus>> = {
  u: { verdict: 'up', basis: 'quorum' },
  d: { verdict: 'down', basis: 'quorum' },
  '?': { verdict: 'unknown', basis: 'silent' },
  U: { verdict: 'up', basis: 'no-quorum' },
  D: { verdict: 'down', basis: 'divided' },
};

function atLeast(count: number, word: string): HealthRule {
  return { kind: 'at-least', count, of: Array.from(word, (key) => ({ kind: 'source', key })) };
}

const not = (of: HealthRule): HealthRule => ({ kind: 'not', of });

const cases: readonly { readonly name: string; readonly given: HealthRule; readonly want: string }[] = [
  { name: 'all of up', given: atLeast(2, 'uu'), want: 'up quorum' },
  { name: 'all with one down', given: atLeast(2, 'ud'), want: 'down quorum' },
  { name: 'all with one unknown', given: atLeast(2, 'u?'), want: 'unknown silent' },
  { name: 'all with one down and one unknown', given: atLeast(3, 'ud?'), want: 'down quorum' },
  { name: 'any with one up and one unknown', given: atLeast(1, 'u?'), want: 'up quorum' },
  { name: 'any of down', given: atLeast(1, 'dd'), want: 'down quorum' },
  { name: 'any with one down and one unknown', given: atLeast(1, 'd?'), want: 'unknown silent' },
  { name: 'two of three', given: atLeast(2, 'udu'), want: 'up quorum' },
  { name: 'two of three, one unknown', given: atLeast(2, 'ud?'), want: 'unknown silent' },
  { name: 'not up', given: not(atLeast(1, 'u')), want: 'down quorum' },
  { name: 'not down', given: not(atLeast(1, 'd')), want: 'up quorum' },
  { name: 'not unknown', given: not(atLeast(1, '?')), want: 'unknown silent' },
  { name: 'what was held from before decides, and says so', given: atLeast(2, 'uU'), want: 'up no-quorum' },
  { name: 'what was held does not weaken what is decided', given: atLeast(1, 'uD'), want: 'up quorum' },
  { name: 'divided is held as well', given: atLeast(2, 'uD'), want: 'down divided' },
  { name: 'a key that is not there', given: atLeast(1, 'x'), want: 'unknown silent' },
  { name: 'an endpoint that nothing checks', given: { kind: 'constant', verdict: 'up' }, want: 'up quorum' },
  {
    name: 'a reference that leads nowhere',
    given: { kind: 'constant', verdict: 'unknown' },
    want: 'unknown silent',
  },
];

it.each(cases)('$name', ({ given, want }) => {
  const { verdict, basis } = evaluateRule(given, (key) => sources[key]);
  expect(`${verdict} ${basis}`).toBe(want);
});
