import { expect, it } from 'vitest';
import { joinVotes, type Vote } from '../../src/health/consensus.ts';
import type { ProbedVerdict } from '../../src/health/verdict.ts';

const NOW_MS = 1000;

/** `u` up, `d` down, `?` undecided; `U` and `D` the same, but expired. */
function votesOf(word: string): readonly Vote[] {
  const verdicts: Readonly<Record<string, ProbedVerdict>> = { u: 'up', d: 'down', '?': 'unknown' };
  return Array.from(word, (letter) => ({
    verdict: verdicts[letter.toLowerCase()] ?? 'unknown',
    expiresAtMs: letter === letter.toUpperCase() && letter !== '?' ? NOW_MS : NOW_MS + 1,
  }));
}

const cases: readonly { name: string; given: string; before: ProbedVerdict; want: string }[] = [
  { name: 'one vantage is its own majority', given: 'u', before: 'unknown', want: 'up majority' },
  { name: 'one vantage takes down as well', given: 'd', before: 'up', want: 'down majority' },
  { name: 'two of three', given: 'ddu', before: 'up', want: 'down majority' },
  { name: 'an even split keeps what held', given: 'ud', before: 'up', want: 'up divided' },
  {
    name: 'an even split of what was never known stays unknown',
    given: 'ud',
    before: 'unknown',
    want: 'unknown divided',
  },
  { name: 'an expired vote is absent', given: 'DDu', before: 'down', want: 'up majority' },
  { name: 'silence keeps what held', given: 'DDD', before: 'up', want: 'up silent' },
  { name: 'no vantage at all knows nothing', given: '', before: 'unknown', want: 'unknown silent' },
  { name: 'an undecided vantage has no vote', given: '??d', before: 'up', want: 'down majority' },
];

it.each(cases)('$name: $given', ({ given, before, want }) => {
  const { verdict, basis } = joinVotes(votesOf(given), before, NOW_MS);
  expect(`${verdict} ${basis}`).toBe(want);
});
