import { expect, it } from 'vitest';
import { lastKnownUp } from '../../src/health/last-known.ts';
import type { Verdict } from '../../src/health/verdict.ts';

const cases: readonly { name: string; given: readonly (readonly [Verdict, boolean])[]; want: string }[] = [
  { name: 'no endpoint', given: [], want: '' },
  {
    name: 'while one is up, marks follow verdicts',
    given: [
      ['up', false],
      ['down', true],
    ],
    want: 'yes no',
  },
  {
    name: 'when none is up, marks stay',
    given: [
      ['down', true],
      ['down', false],
    ],
    want: 'yes no',
  },
  {
    name: 'unknown is not up',
    given: [
      ['unknown', false],
      ['unknown', true],
    ],
    want: 'no yes',
  },
  {
    name: 'nor is drained',
    given: [
      ['drained', true],
      ['up', false],
    ],
    want: 'no yes',
  },
];

it.each(cases)('$name', ({ given, want }) => {
  const members = given.map(([wanted, mark]) => ({ wanted, lastKnownUp: mark }));
  expect(
    lastKnownUp(members)
      .map((mark) => (mark ? 'yes' : 'no'))
      .join(' '),
  ).toBe(want);
});
