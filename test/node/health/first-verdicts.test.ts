import { describe, expect, it } from 'vitest';
import { FirstVerdicts } from '../../../src/node/health/first-verdicts.ts';

type Step = readonly ['put', string | undefined, number, number] | readonly ['release', string];

/** What has been stored after the steps, as `slot=octet`; pool `new` with slots 1 and 2 is held back. */
function storedAfter(steps: readonly Step[]): string {
  const stored: string[] = [];
  const first = new FirstVerdicts((slot, octet) => stored.push(`${slot}=${octet}`));
  first.hold('new', [1, 2]);
  for (const step of steps) {
    if (step[0] === 'put') first.put(step[1], step[2], step[3]);
    else first.release(step[1]);
  }
  return stored.join(' ');
}

describe('first verdicts of a pool', () => {
  const cases: readonly { readonly name: string; readonly given: readonly Step[]; readonly want: string }[] =
    [
      { name: 'wait while another endpoint has none', given: [['put', 'new', 1, 5]], want: '' },
      {
        name: 'come together with the last one',
        given: [
          ['put', 'new', 1, 5],
          ['put', 'new', 2, 2],
        ],
        want: '1=5 2=2',
      },
      {
        name: 'come when time is up, the newest of each endpoint',
        given: [
          ['put', 'new', 1, 5],
          ['put', 'new', 1, 2],
          ['release', 'new'],
        ],
        want: '1=2',
      },
      { name: 'of other pools do not wait', given: [['put', 'old', 7, 5]], want: '7=5' },
      {
        name: 'later ones do not wait',
        given: [
          ['release', 'new'],
          ['put', 'new', 1, 5],
        ],
        want: '1=5',
      },
      { name: 'of vacated slots do not wait', given: [['put', undefined, 9, 0]], want: '9=0' },
    ];
  it('says which pools are held back', () => {
    const first = new FirstVerdicts(() => undefined);
    first.hold('new', [1]);
    expect([first.isHeld('new'), first.isHeld('old')]).toEqual([true, false]);
    first.put('new', 1, 5);
    expect(first.isHeld('new')).toBe(false);
  });

  it.each(cases)('$name', ({ given, want }) => {
    expect(storedAfter(given)).toBe(want);
  });
});
