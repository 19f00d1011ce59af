import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

import { type HeapRound, hasQuietRound } from './heap-rounds.ts';

const child = join(import.meta.dirname, 'tcp-hot-path-child.ts');
const CONNECTIONS = 32_000;
const QUERIES_OF_EACH = 9;
/** In a quiet round: the clock's number of each turn, and what else a turn costs. One for each connection is more. */
const MAX_HEAP_OCTETS = 320_000;

describe('the path of a query over TCP on the addon', () => {
  it('allocates nothing for a query or a connection, and has nothing collected', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--expose-gc',
      child,
      String(CONNECTIONS),
    ]);
    const { rounds, accepted, answered, bugs } = JSON.parse(stdout);
    // The first round, for the compiler, is not measured.
    const connections = (rounds.length + 1) * CONNECTIONS;
    expect([accepted, answered, bugs]).toEqual([connections, connections * QUERIES_OF_EACH, []]);
    expect(rounds).toSatisfy((all: readonly HeapRound[]) => hasQuietRound(all, MAX_HEAP_OCTETS));
  });
});
