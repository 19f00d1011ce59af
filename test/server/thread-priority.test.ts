import { once } from 'node:events';
import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { Precedence } from '../../src/server/thread-priority.ts';

async function nicenessOf(work: string): Promise<{ nice: number; refused: readonly string[] }> {
  const worker = new Worker(new URL('./priority-child.ts', import.meta.url), { workerData: work });
  const [told] = await once(worker, 'message');
  await worker.terminate();
  return told;
}

describe.runIf(process.platform === 'linux')('priorities', () => {
  const ours = process.platform === 'linux' ? getPriority() : 0;

  it('compilation waits for others, and only that thread does', async () => {
    expect((await nicenessOf('compilation')).nice).toBe(Math.max(ours, 10));
    expect(getPriority()).toBe(ours);
    expect((await nicenessOf('none')).nice).toBe(ours);
  });

  it('queries go first, or the system says what it does not allow', async () => {
    const { nice, refused } = await nicenessOf('queries');
    if (refused.length === 0) expect(nice).toBe(-10);
    else expect(refused.join()).toMatch(/^(niceness -10|a slice of 100000 ns|real time): ./);
    expect(getPriority()).toBe(ours);
  });
});

describe('a query thread before all others', () => {
  /** Exchanges between two looks. */
  const EXCHANGES = 64;

  /** Each step passes some time of which the thread works for a share, and tells what the thread is after it. */
  function after(steps: readonly { readonly passMs: number; readonly busy: number }[]): string {
    // Both clocks come round on the way.
    let nowMs = 2 ** 30 - 10;
    let cpuMs = 2 ** 30 - 10;
    let is = 'first';
    const precedence = new Precedence({
      setSlice: () => {
        is = 'ordinary';
      },
      setRealTime: () => {
        is = 'first';
      },
      threadCpuMs: () => cpuMs & (2 ** 30 - 1),
      monotonicMs: () => nowMs & (2 ** 30 - 1),
    });
    return steps
      .map(({ passMs, busy }) => {
        nowMs += passMs;
        cpuMs += Math.round(passMs * busy);
        for (let exchange = 0; exchange < EXCHANGES; exchange++) precedence.exchanged();
        return is;
      })
      .join(' ');
  }

  it.each([
    { name: 'that rests between queries stays so', steps: [{ passMs: 30, busy: 0.7 }], want: 'first' },
    { name: 'with work without end is an ordinary one', steps: [{ passMs: 30, busy: 1 }], want: 'ordinary' },
    { name: 'is not judged by a moment', steps: [{ passMs: 24, busy: 1 }], want: 'first' },
    {
      name: 'goes first again a second after a flood, not before',
      steps: [
        { passMs: 30, busy: 1 },
        { passMs: 990, busy: 0.1 },
        { passMs: 30, busy: 0.1 },
      ],
      want: 'ordinary ordinary first',
    },
    {
      name: 'stays ordinary while the flood lasts',
      steps: [
        { passMs: 30, busy: 1 },
        { passMs: 1500, busy: 0.9 },
      ],
      want: 'ordinary ordinary',
    },
  ])('$name', ({ steps, want }) => {
    expect(after(steps)).toBe(want);
  });
});
