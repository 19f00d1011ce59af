import { randomFillSync } from 'node:crypto';
import type { RandomSource } from '../steering/program.ts';

/**
 * Draws for weights: Chris Doty-Humphrey's sfc32, a small fast chaotic generator, seeded by the system.
 * Fast and even, and not for secrets.
 */
export function createRandomSource(): RandomSource {
  const seed = randomFillSync(new Uint32Array(3));
  let a = (seed[0] as number) | 0;
  let b = (seed[1] as number) | 0;
  let c = (seed[2] as number) | 0;
  let counter = 1;
  return {
    nextUint32(): number {
      const sum = (((a + b) | 0) + counter) | 0;
      counter = (counter + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = ((c << 21) | (c >>> 11)) + sum;
      c |= 0;
      return sum >>> 0;
    },
  };
}
