import { describe, expect, it } from 'vitest';
import { createWriteLanes } from '../../src/api/write-lanes.ts';

/** A task that ends when told to. */
function held(log: string[], name: string): { readonly task: () => Promise<void>; readonly end: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const task = async (): Promise<void> => {
    log.push(`${name} begins`);
    await promise;
    log.push(`${name} ends`);
  };
  return { task, end: resolve };
}

describe('write lanes', () => {
  it('run one after the other within a lane, side by side across lanes', async () => {
    const lanes = createWriteLanes();
    const log: string[] = [];
    const [first, second, other] = [held(log, 'first'), held(log, 'second'), held(log, 'other')];
    const running = [lanes.run('a', first.task), lanes.run('a', second.task), lanes.run('b', other.task)];
    other.end();
    await running[2];
    expect(log).toEqual(['first begins', 'other begins', 'other ends']);
    second.end();
    first.end();
    await Promise.all(running);
    expect(log.slice(3)).toEqual(['first ends', 'second begins', 'second ends']);
  });

  it('go on after a task that failed', async () => {
    const lanes = createWriteLanes();
    const failed = lanes.run('a', () => Promise.reject(new Error('no')));
    await expect(failed).rejects.toThrow('no');
    expect(await lanes.run('a', async () => 7)).toBe(7);
  });

  it('refuse what is too much, and have room again later', async () => {
    const lanes = createWriteLanes(1);
    const first = held([], 'first');
    const running = lanes.run('a', first.task);
    expect(lanes.run('b', async () => 1)).toBeUndefined();
    first.end();
    await running;
    let again = lanes.run('b', async () => 2);
    while (again === undefined) {
      await Promise.resolve();
      again = lanes.run('b', async () => 2);
    }
    expect(await again).toBe(2);
  });
});
