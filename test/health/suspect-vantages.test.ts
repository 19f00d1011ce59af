import { describe, expect, it } from 'vitest';
import { type Sight, suspectVantages } from '../../src/health/suspect-vantages.ts';

/** `9/1` sees nine up and one down, `1/9/4` nine down of which others see four up; empty for one that sees nothing. */
function sightsOf(words: readonly string[]): ReadonlyMap<string, Sight> {
  return new Map(
    words.map((word, index) => {
      const [up = 0, down = 0, contradicted = down] = word.split('/').map(Number);
      return [`v${index}`, { up, down, contradicted }];
    }),
  );
}

describe('suspect vantages', () => {
  const cases: readonly {
    readonly name: string;
    readonly given: readonly string[];
    readonly want: string;
  }[] = [
    { name: 'one of three that sees nothing up', given: ['10/0', '9/1', '0/10'], want: 'v2' },
    { name: 'one of two', given: ['10/0', '0/10'], want: 'v1' },
    { name: 'nobody, when all see the same outage', given: ['2/8', '1/9', '2/8'], want: '' },
    { name: 'nobody, when more than half see it', given: ['10/0', '2/8', '2/8'], want: '' },
    { name: 'nobody, when half is down', given: ['10/0', '10/0', '5/5'], want: '' },
    { name: 'nobody, when the only vantage sees all down', given: ['0/10'], want: '' },
    { name: 'nobody, of so few endpoints', given: ['2/0', '2/0', '0/2'], want: '' },
    { name: 'two of five', given: ['9/1', '9/1', '9/1', '0/10', '1/9'], want: 'v3 v4' },
    { name: 'nobody, when nobody contradicts it', given: ['10/0', '9/1', '0/10/5'], want: '' },
    { name: 'one whom most contradict', given: ['10/0', '9/1', '0/10/6'], want: 'v2' },
    { name: 'one of those that see at all', given: ['10/0', '0/10', '', ''], want: 'v1' },
  ];
  it.each(cases)('are $name: $given', ({ given, want }) => {
    const seats = given.map((_, index) => ({ name: `v${index}` }));
    expect([...suspectVantages(sightsOf(given), seats)].join(' ')).toBe(want);
  });

  it('are only looked for among those with a seat', () => {
    expect(suspectVantages(sightsOf(['10/0', '0/10']), [{ name: 'v1' }]).size).toBe(0);
  });
});
