import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { open, Scratch } from './given.ts';

const ROUNDS = 3;
const MOST_WRITES_PER_ROUND = 200;

/** Deterministic, so that a failing seed can be run again. */
function draws(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x1_0000_0000;
  };
}

/** Runs the writer, kills it after so many acknowledged writes, and returns the acknowledged ones. */
async function killAfter(directory: string, lanes: number, count: number): Promise<readonly string[]> {
  const script = join(import.meta.dirname, 'crash-child.ts');
  const child = spawn(process.execPath, [script, directory, String(lanes)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const acknowledged: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(line);
    if (acknowledged.length === count) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
  return acknowledged;
}

describe('kill -9 in the middle of writes', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clear());

  it.each([1, 16])(
    'loses no acknowledged write with %i at a time, and opens again',
    async (lanes) => {
      const seed = Date.now() >>> 0;
      const draw = draws(seed);
      const directory = scratch.directory();
      const acknowledged: string[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const count = 1 + Math.floor(draw() * MOST_WRITES_PER_ROUND);
        acknowledged.push(...(await killAfter(directory, lanes, count)));
        const store = await open(directory);
        const rrsets = store.config.rrsets.get('example.org.');
        const lost = acknowledged.filter((name) => rrsets?.has(`${name} A`) !== true);
        expect(lost, `seed ${seed}, round ${round}, killed after ${count}`).toEqual([]);
        // The next round's writer finds the lock of this one free, or that of a killed process.
        await store.close();
      }
    },
    60_000,
  );
});
