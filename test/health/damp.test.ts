import { expect, it } from 'vitest';
import { type Damped, damp, thresholdsOf, UNDAMPED } from '../../src/health/damp.ts';
import { resultsOf } from './results.ts';

const thresholds = { rise: 2, fall: 3, expiryMs: 1000 };

const cases = [
  { name: 'nothing is known before the first result', given: '', want: 'unknown' },
  { name: 'the first success decides', given: 's', want: 'up' },
  { name: 'the first failure does not', given: 'f', want: 'unknown' },
  { name: 'failures up to the threshold take an unknown endpoint down', given: 'fff', want: 'down' },
  { name: 'a success after an undecided failure makes up at once', given: 'ffs', want: 'up' },
  { name: 'fewer failures than the threshold leave it up', given: 'sff', want: 'up' },
  { name: 'as many as the threshold take it down', given: 'sfff', want: 'down' },
  { name: 'only failures in a row count', given: 'sffsff', want: 'up' },
  { name: 'one success does not bring it back', given: 'sfffs', want: 'down' },
  { name: 'as many successes as the threshold do', given: 'sfffss', want: 'up' },
  { name: 'only successes in a row count', given: 'sfffsfs', want: 'down' },
  { name: 'a failure of our own takes nothing down', given: 'siiii', want: 'up' },
  { name: 'nor does it break a row', given: 'sffif', want: 'down' },
];

it.each(cases)('$name: $given', ({ given, want }) => {
  const state = resultsOf(given).reduce<Damped>(
    (before, result) => damp(before, result, thresholds),
    UNDAMPED,
  );
  expect(state.verdict).toBe(want);
});

it('counts what came in a row', () => {
  const count = (word: string): Damped =>
    resultsOf(word).reduce<Damped>((before, result) => damp(before, result, thresholds), UNDAMPED);
  expect(count('sffff')).toEqual({ verdict: 'down', successes: 0, failures: 4 });
  expect(count('sfffs')).toEqual({ verdict: 'down', successes: 1, failures: 0 });
});

it('lets a vantage be silent for three intervals and a timeout', () => {
  expect(thresholdsOf({ rise: 2, fall: 3, intervalSeconds: 10, timeoutSeconds: 3 })).toEqual({
    rise: 2,
    fall: 3,
    expiryMs: 33_000,
  });
});
