import { expect, it } from 'vitest';
import { createEventRing } from '../../src/health/event-ring.ts';

const cases = [
  { name: 'empty', given: [], want: '' },
  { name: 'not full', given: [1, 2], want: '2 1' },
  { name: 'just full', given: [1, 2, 3], want: '3 2 1' },
  { name: 'the oldest goes', given: [1, 2, 3, 4], want: '4 3 2' },
  { name: 'round more than once', given: [1, 2, 3, 4, 5, 6, 7, 8], want: '8 7 6' },
];

it.each(cases)('$name', ({ given, want }) => {
  const ring = createEventRing<number>(3);
  for (const entry of given) ring.add(entry);
  expect(ring.list().join(' ')).toBe(want);
});
