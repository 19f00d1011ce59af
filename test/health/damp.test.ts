import { describe, expect, it } from 'vitest';
import { type Damped, damp, isInDoubt, thresholdsOf, UNDAMPED } from '../../src/health/damp.ts';
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
    (before, result) => damp(before, result, thresholds, 0),
    UNDAMPED,
  );
  expect(state.verdict).toBe(want);
});

it('counts what came in a row', () => {
  const count = (word: string): Damped =>
    resultsOf(word).reduce<Damped>((before, result) => damp(before, result, thresholds, 0), UNDAMPED);
  expect(count('sffff')).toMatchObject({ verdict: 'down', successes: 0, failures: 4 });
  expect(count('sfffs')).toMatchObject({ verdict: 'down', successes: 1, failures: 0 });
});

it('lets a vantage be silent for three intervals and a timeout', () => {
  expect(thresholdsOf({ rise: 2, fall: 3, intervalSeconds: 10, timeoutSeconds: 3 })).toMatchObject({
    rise: 2,
    fall: 3,
    expiryMs: 33_000,
  });
});

describe('flapping', () => {
  const flapping = { changes: 3, windowMs: 1000, holdDownMs: 200, maxHoldDownMs: 500 };
  const quick = { rise: 1, fall: 1, expiryMs: 1000, flapping };

  /** One letter a result, 10 ms apart; a digit lets so many tenths of a second pass. Ends in what holds it down. */
  function run(word: string): string {
    let state = UNDAMPED;
    let nowMs = 5000;
    for (const letter of word) {
      if (letter >= '0' && letter <= '9') nowMs += Number(letter) * 100;
      for (const result of letter >= 'a' ? resultsOf(letter) : []) {
        nowMs += 10;
        state = damp(state, result, quick, nowMs);
      }
    }
    const heldMs = (state.heldDownUntilMs ?? nowMs) - nowMs;
    return heldMs > 0 ? `${state.verdict} for ${heldMs}` : state.verdict;
  }

  const flaps = [
    { name: 'is no matter below the number of changes', given: 'sfsf'.slice(0, 3), want: 'up' },
    { name: 'begins with the fall that makes them', given: 'sfsf', want: 'down for 200' },
    { name: 'does not begin with what was unknown', given: 'fsf', want: 'down' },
    { name: 'holds down whatever succeeds meanwhile', given: 'sfsfsss', want: 'down for 170' },
    { name: 'lets go with the first success after it', given: 'sfsf2s', want: 'up' },
    { name: 'needs that success', given: 'sfsf9', want: 'down' },
    { name: 'holds twice as long the next time', given: 'sfsf2sf', want: 'down for 400' },
    { name: 'holds no longer than the longest', given: 'sfsf2sf4sf5sf', want: 'down for 500' },
    { name: 'is remembered for a window', given: 'sfsf2s9f', want: 'down for 400' },
    { name: 'is forgotten after a quiet one', given: 'sfsf2s99f', want: 'down' },
    { name: 'counts changes of one window only', given: 'sfs99f', want: 'down' },
  ];
  it.each(flaps)('$name: $given', ({ given, want }) => {
    expect(run(given)).toBe(want);
  });

  it('is nothing where there is no rule', () => {
    const lax = { rise: 1, fall: 1, expiryMs: 1000 };
    const end = resultsOf('sfsfsfsfsfsf').reduce<Damped>(
      (state, result) => damp(state, result, lax, 0),
      UNDAMPED,
    );
    expect(end).toMatchObject({ verdict: 'down', heldDownUntilMs: undefined });
  });
});

it('tells since when it fails, until it is up again', () => {
  const times = Array.from('sfffsfss', (letter, index) => ({
    result: resultsOf(letter),
    nowMs: (index + 1) * 10,
  }));
  let state: Damped = UNDAMPED;
  const told = times.map(({ result: [result], nowMs }) => {
    if (result !== undefined) state = damp(state, result, thresholds, nowMs);
    return `${state.verdict} since ${state.sinceMs}, failing since ${state.firstFailureAtMs}`;
  });
  expect(told).toEqual([
    'up since 10, failing since undefined',
    'up since 10, failing since 20',
    'up since 10, failing since 20',
    'down since 40, failing since 20',
    'down since 40, failing since 20',
    'down since 40, failing since 20',
    'down since 40, failing since 20',
    'up since 80, failing since undefined',
  ]);
});

const doubts = [
  { name: 'nothing is known', given: '', want: false },
  { name: 'it is up', given: 's', want: false },
  { name: 'it has failed', given: 'sf', want: true },
  { name: 'it has failed from the start', given: 'f', want: true },
  { name: 'it is down', given: 'fff', want: false },
  { name: 'it comes back', given: 'fffs', want: true },
];
it.each(doubts)('is in doubt when $name: $want', ({ given, want }) => {
  const state = resultsOf(given).reduce<Damped>(
    (before, result) => damp(before, result, thresholds, 0),
    UNDAMPED,
  );
  expect(isInDoubt(state, 0)).toBe(want);
});
