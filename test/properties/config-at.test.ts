import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { alice, dataCenter, open, Scratch, withoutGeneration } from '../store/given.ts';
import { meet } from '../store/meet.ts';
import { change } from './change-arbitrary.ts';

const scratch = new Scratch();
afterAll(() => scratch.clear());

it('the configuration of some time before is what it was then, whatever came after', async () => {
  const commits = fc.array(fc.tuple(fc.nat({ max: 1 }), fc.array(change, { maxLength: 4 })), {
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(commits, async (list) => {
      const [one, two] = [await open(scratch.directory()), await open(scratch.directory())];
      const times = [{ heads: new Map(one.heads()), config: one.config }];
      for (const [node, changes] of list) {
        await (node === 0 ? one : two).commit(changes, alice).catch(() => undefined);
        if (node === 1) await meet(one, two);
        times.push({ heads: new Map(one.heads()), config: one.config });
      }
      for (const { heads, config } of times) {
        expect(withoutGeneration(await one.configAt(heads))).toEqual(withoutGeneration(config));
      }
      const [last] = times.slice(-1);
      expect((await one.configAt(last?.heads ?? new Map())).rrsets).toBe(one.config.rrsets);
      await one.close();
      await two.close();
    }),
    { numRuns: 25 },
  );
});

it('is refused for a time that this node has not seen', async () => {
  const [one, two] = [await open(scratch.directory()), await open(scratch.directory())];
  await two.commit([dataCenter('fra', 1)], alice);
  for (const heads of [two.heads(), new Map([['root', ['noise']]]), new Map([['elsewhere', []]])]) {
    await expect(one.configAt(new Map(heads))).rejects.toMatchObject({ code: 'refused' });
  }
  await one.close();
  await two.close();
});
