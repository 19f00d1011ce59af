import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addLatency, latencyQuantiles, SKETCH_BUCKETS } from '../../src/health/latency-sketch.ts';

function sketchOf(durationsMs: readonly number[]): ReturnType<typeof latencyQuantiles> {
  // The row in the middle of three, so that a step out of it is seen.
  const counts = new Uint16Array(3 * SKETCH_BUCKETS);
  for (const durationMs of durationsMs) addLatency(counts, SKETCH_BUCKETS, durationMs);
  expect(counts.subarray(0, SKETCH_BUCKETS).every((count) => count === 0)).toBe(true);
  expect(counts.subarray(2 * SKETCH_BUCKETS).every((count) => count === 0)).toBe(true);
  return latencyQuantiles(counts, SKETCH_BUCKETS);
}

it('has nothing to tell of no probes', () => {
  expect(sketchOf([])).toBeUndefined();
});

it('tells percentiles of up to 200 durations within 12 percent', () => {
  const duration = fc.double({ min: 0.2, max: 30_000, noNaN: true });
  fc.assert(
    fc.property(fc.array(duration, { minLength: 1, maxLength: 200 }), (durationsMs) => {
      const told = sketchOf(durationsMs);
      const sorted = durationsMs.toSorted((one, other) => one - other);
      for (const [share, value] of [
        [0.5, told?.p50],
        [0.9, told?.p90],
        [0.99, told?.p99],
      ] as const) {
        const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
        // What is told is rounded to a hundredth of a millisecond.
        expect(Math.abs((value ?? 0) - exact)).toBeLessThan(0.12 * exact + 0.005);
      }
    }),
  );
});

it('forgets: what was slow long ago does not show', () => {
  const slow = Array.from({ length: 200 }, () => 500);
  const fast = Array.from({ length: 2000 }, () => 2);
  expect(sketchOf([...slow, ...fast])?.p99).toBeLessThan(3);
});

it.each([Number.NaN, -1, 0, Number.POSITIVE_INFINITY, 1e12])('bears a duration of %d', (durationMs) => {
  expect(sketchOf([durationMs])?.p50).toBeGreaterThan(0);
});
