import { describe, expect, it } from 'vitest';
import { runHistory } from './sim-world.ts';

/**
 * Three to seven nodes with real stores and the real synchronisation, over a network, disks and clocks that exist in
 * memory: they are cut off, restarted, put back to old disks, and written to all the while. A history is drawn from its
 * seed, so `npm run bench simulate -- --histories 1 --seed S` runs one again. The same command runs millions.
 */
const HISTORIES = 200;

/** In groups, so that a failure names few seeds, and the runner hears of progress. */
const GROUP = 50;

const groups = Array.from({ length: HISTORIES / GROUP }, (_, group) => 1 + group * GROUP);

describe('histories of writes and faults', () => {
  it.each(groups)(
    'end with equal nodes that have lost nothing, from seed %i on',
    async (first) => {
      let acknowledged = 0;
      let faults = 0;
      for (let seed = first; seed < first + GROUP; seed += 1) {
        const outcome = await runHistory(seed);
        expect(outcome.problems, `seed ${seed}`).toEqual([]);
        acknowledged += outcome.acknowledged;
        faults += outcome.faults;
      }
      // Or nothing was simulated that could go wrong.
      expect(acknowledged).toBeGreaterThan(GROUP * 5);
      expect(faults).toBeGreaterThan(GROUP);
    },
    120_000,
  );

  it('are the same whenever they are drawn from the same seed', async () => {
    expect(await runHistory(7)).toEqual(await runHistory(7));
  }, 60_000);
});
