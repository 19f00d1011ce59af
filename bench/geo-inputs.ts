/** What the geo benches share: the operator's files, data centers and random numbers that are the same in every run. */
import type { Candidate } from '../src/steering/policy.ts';

/** Files named on the command line, else those of `MERIDIAN_BENCH_MMDB`, separated by blanks; may be none. */
export function benchFiles(): readonly string[] {
  const named = process.argv.slice(2);
  if (named.length > 0) return named;
  return (process.env.MERIDIAN_BENCH_MMDB ?? '').split(' ').filter((path) => path !== '');
}

/** A linear congruential generator over 0 to 1. */
export function createShares(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Data centers at random places: they have many more distinct orders than such as stand where people live. */
export function benchCandidates(count: number): readonly Candidate[] {
  const share = createShares(7);
  return Array.from({ length: count }, (_, index) => {
    const latitude = share() * 110 - 50;
    return { index, name: `dc${index}`, latitude, longitude: share() * 360 - 180 };
  });
}
