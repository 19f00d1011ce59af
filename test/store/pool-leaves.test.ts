import { expect, it } from 'vitest';
import { formatLeaf, type Leaf, parseLeaf } from '../../src/store/leaf.ts';
import { joinPool } from '../../src/store/pool-leaves.ts';
import { api } from './given.ts';

/** More than a call can have arguments. */
const REMOVED_ENDPOINTS = 200_000;

it('joins a pool that has lost more endpoints than anybody counts', () => {
  const stamp = {
    author: 'alice',
    reason: '',
    updatedAt: '2026-01-01T00:00:00.000Z',
    node: '',
    writerTag: '0',
  };
  const leafOf = (value: unknown, count: number): Leaf => {
    const leaf = parseLeaf(formatLeaf('pools/web', { value, owner: api, count }, stamp));
    if (leaf === undefined) throw new Error('no leaf');
    return leaf;
  };
  const removed = leafOf(undefined, 2);
  const leaves = new Map<string, Leaf>([['web', leafOf({ name: 'web' }, 3)]]);
  for (let index = 0; index < REMOVED_ENDPOINTS; index += 1) leaves.set(`web/e${index}`, removed);
  const pool = joinPool('web', leaves);
  expect(pool?.value).toEqual({ name: 'web', endpoints: [] });
  expect(pool?.revision).toMatch(/^3-/);
});
