import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HeavyHitters, joinHeaviest } from '../../src/observe/traffic/heavy-hitters.ts';

const weight = fc.integer({ min: 1, max: 100 });
const stream = fc.array(fc.tuple(fc.nat(40), weight), { maxLength: 300 });
type Stream = readonly (readonly [number, number])[];

function trueWeights(streams: readonly Stream[]): ReadonlyMap<number, number> {
  const weights = new Map<number, number>();
  for (const [key, more] of streams.flat()) weights.set(key, (weights.get(key) ?? 0) + more);
  return weights;
}

function fed(keys: Stream, capacity: number): HeavyHitters<number> {
  const hitters = new HeavyHitters<number>(capacity);
  for (const [key, more] of keys) hitters.add(key, more);
  return hitters;
}

it('every true weight lies within its bounds, and none above the floor is missing', () => {
  fc.assert(
    fc.property(stream, fc.integer({ min: 1, max: 30 }), (keys, capacity) => {
      const hitters = fed(keys, capacity);
      const truth = trueWeights([keys]);
      const total = keys.reduce((sum, [, more]) => sum + more, 0);
      const seen = new Set<number>();
      let counted = 0;
      hitters.forEach((key, count, error) => {
        seen.add(key);
        counted += count;
        expect(count - error).toBeLessThanOrEqual(truth.get(key) ?? 0);
        expect(count).toBeGreaterThanOrEqual(truth.get(key) ?? 0);
        expect(error).toBeLessThanOrEqual(total / capacity);
      });
      expect(hitters.size).toBe(seen.size);
      expect(hitters.size).toBeLessThanOrEqual(capacity);
      expect(counted).toBe(total);
      expect(hitters.floor).toBeLessThanOrEqual(total / capacity);
      for (const [key, more] of truth) if (!seen.has(key)) expect(more).toBeLessThanOrEqual(hitters.floor);
    }),
    { numRuns: 300 },
  );
});

it('is exact while there is room', () => {
  fc.assert(
    fc.property(stream, (keys) => {
      const joined = joinHeaviest([fed(keys, 41)], 41);
      expect(new Map(joined.map(({ key, atLeast }) => [key, atLeast]))).toEqual(trueWeights([keys]));
      expect(joined.every(({ atLeast, atMost }) => atLeast === atMost)).toBe(true);
    }),
    { numRuns: 100 },
  );
});

it('several streams joined have bounds that hold for their sum', () => {
  fc.assert(
    fc.property(fc.array(stream, { maxLength: 4 }), fc.integer({ min: 1, max: 20 }), (streams, capacity) => {
      const truth = trueWeights(streams);
      const joined = joinHeaviest(
        streams.map((keys) => fed(keys, capacity)),
        1000,
      );
      for (const { key, atLeast, atMost } of joined) {
        expect(atLeast).toBeLessThanOrEqual(truth.get(key) ?? 0);
        expect(atMost).toBeGreaterThanOrEqual(truth.get(key) ?? 0);
      }
      const order = joined.map(({ atLeast }) => atLeast);
      expect(order).toEqual(order.toSorted((one, other) => other - one));
    }),
    { numRuns: 200 },
  );
});
