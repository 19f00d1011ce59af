import { describe, expect, it } from 'vitest';
import { openAgain } from '../../../src/node/takeover/open-again.ts';

/** Opens with these outcomes in turn, the empty one being success; tells pauses and errors in their order. */
async function told(
  outcomes: readonly string[],
  tries = outcomes.length,
): Promise<readonly (string | number)[]> {
  const steps: (string | number)[] = [];
  let tried = 0;
  await openAgain({
    open: async () => {
      const outcome = outcomes[tried];
      tried += 1;
      if (outcome !== '') throw new Error(outcome);
    },
    wanted: () => tried < tries,
    pause: async (milliseconds) => void steps.push(milliseconds),
    onError: (error) => void steps.push(String(error)),
  });
  return steps;
}

describe('opening again', () => {
  it.each([
    { name: 'is done when it works', given: [''], want: [] },
    { name: 'is tried again after a pause', given: ['in use', ''], want: ['Error: in use', 500] },
    {
      name: 'tells an error once, and the next one when it comes',
      given: ['in use', 'in use', 'disk full', 'in use', ''],
      want: ['Error: in use', 500, 1000, 'Error: disk full', 2000, 'Error: in use', 4000],
    },
    {
      name: 'pauses ever longer, up to ten seconds',
      given: ['a', 'a', 'a', 'a', 'a', 'a', 'a', ''],
      want: ['Error: a', 500, 1000, 2000, 4000, 8000, 10_000, 10_000],
    },
  ])('$name', async ({ given, want }) => {
    expect(await told(given)).toEqual(want);
  });

  it('ends when it is no longer wanted', async () => {
    expect(await told(['a', 'a', 'a'], 2)).toEqual(['Error: a', 500, 1000]);
  });
});
