import { describe, expect, it } from 'vitest';
import { MAJORITY, type Quorum } from '../../src/config/resources/quorum.ts';
import { joinVotes, type VantageSeat, type Vote } from '../../src/health/consensus.ts';
import type { ProbedVerdict } from '../../src/health/verdict.ts';

const NOW_MS = 1000;

/** `u` up, `d` down, `?` undecided, `-` nothing; `U` and `D` the same as the small ones, but expired. */
function votesOf(word: string): readonly Vote[] {
  const verdicts: Readonly<Record<string, ProbedVerdict>> = { u: 'up', d: 'down', '?': 'unknown' };
  return Array.from(word, (letter, index) => ({
    vantage: `v${index}`,
    verdict: verdicts[letter.toLowerCase()] ?? 'unknown',
    expiresAtMs: letter === 'U' || letter === 'D' ? NOW_MS : NOW_MS + 1,
  }));
}

/** One seat for each letter, and more for vantages that were never heard; the first stands in the region eu. */
function seatsOf(count: number): readonly VantageSeat[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `v${index}`,
    region: index === 0 ? 'eu' : 'us',
  }));
}

interface Case {
  readonly name: string;
  readonly given: string;
  readonly seats?: number;
  readonly before: ProbedVerdict;
  readonly want: string;
}

const byMajority: readonly Case[] = [
  { name: 'one vantage is its own majority', given: 'u', before: 'unknown', want: 'up quorum' },
  { name: 'one vantage takes down as well', given: 'd', before: 'up', want: 'down quorum' },
  { name: 'two of three', given: 'ddu', before: 'up', want: 'down quorum' },
  { name: 'two of three, the third silent', given: 'dd', seats: 3, before: 'up', want: 'down quorum' },
  { name: 'one of three is no quorum', given: 'd', seats: 3, before: 'up', want: 'up no-quorum' },
  { name: 'half of the seats is no quorum', given: 'dd', seats: 4, before: 'up', want: 'up no-quorum' },
  { name: 'an even split keeps what held', given: 'ud', before: 'up', want: 'up divided' },
  { name: 'an even split of the unknown', given: 'ud', before: 'unknown', want: 'unknown divided' },
  { name: 'an expired vote is absent', given: 'DDu', before: 'down', want: 'down no-quorum' },
  { name: 'silence keeps what held', given: 'DDD', before: 'up', want: 'up silent' },
  { name: 'no vantage at all knows nothing', given: '', before: 'unknown', want: 'unknown silent' },
  { name: 'undecided vantages have no vote', given: '??d', before: 'up', want: 'up no-quorum' },
  { name: 'a vantage without a seat has no vote', given: 'udd', seats: 1, before: 'down', want: 'up quorum' },
];

const byTwo: readonly Case[] = [
  { name: 'two say down', given: 'ddu', before: 'up', want: 'down quorum' },
  { name: 'one says down', given: 'duu', before: 'down', want: 'up quorum' },
  { name: 'two are heard of many', given: 'dd', seats: 9, before: 'up', want: 'down quorum' },
  { name: 'two are heard and differ', given: 'du', seats: 9, before: 'down', want: 'up quorum' },
  {
    name: 'one alone is too few, also to say up',
    given: 'u',
    seats: 9,
    before: 'down',
    want: 'down no-quorum',
  },
];

const byWeight: readonly Case[] = [
  { name: 'a region of three outweighs two others', given: 'udd', before: 'down', want: 'up quorum' },
  { name: 'without it the others are too few', given: '?dd', before: 'up', want: 'up no-quorum' },
  { name: 'four others outweigh it', given: 'udddd', before: 'up', want: 'down quorum' },
  { name: 'three others are as heavy', given: 'uddd', before: 'up', want: 'up divided' },
];

const rules: readonly { readonly rule: string; readonly quorum: Quorum; readonly cases: readonly Case[] }[] =
  [
    { rule: 'by majority', quorum: MAJORITY, cases: byMajority },
    { rule: 'by at least two', quorum: { kind: 'at-least', vantages: 2 }, cases: byTwo },
    { rule: 'by weight, eu 3', quorum: { kind: 'weighted', regions: { eu: 3 } }, cases: byWeight },
  ];

describe.each(rules)('$rule', ({ quorum, cases }) => {
  it.each(cases)('$name: $given', ({ given, seats = given.length, before, want }) => {
    const { verdict, basis } = joinVotes(votesOf(given), { quorum, seats: seatsOf(seats) }, before, NOW_MS);
    expect(`${verdict} ${basis}`).toBe(want);
  });
});
