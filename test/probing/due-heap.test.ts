import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createDueHeap, type DueJob } from '../../src/probing/due-heap.ts';

it('is empty at first, and taking out what is not in is nothing', () => {
  const heap = createDueHeap<DueJob>();
  heap.remove({ dueMs: 1, place: -1 });
  expect([heap.size, heap.first()]).toEqual([0, undefined]);
});

it('always has the job due first in front, whatever is put in, moved and taken out', () => {
  const step = fc.record({ job: fc.nat(15), dueMs: fc.option(fc.nat(1000), { nil: undefined }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const heap = createDueHeap<DueJob>();
      const jobs = Array.from({ length: 16 }, () => ({ dueMs: 0, place: -1 }));
      const within = new Set<DueJob>();
      for (const { job: index, dueMs } of steps) {
        const job = jobs[index];
        if (job === undefined) continue;
        if (dueMs === undefined) {
          heap.remove(job);
          within.delete(job);
        } else {
          heap.set(job, dueMs);
          within.add(job);
        }
        expect(heap.size).toBe(within.size);
        const earliest = Math.min(...Array.from(within, (one) => one.dueMs));
        expect(heap.first()?.dueMs ?? Number.POSITIVE_INFINITY).toBe(earliest);
      }
    }),
    { numRuns: 200 },
  );
});
