import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

/** What one round of the same work did to the heap. */
export interface HeapRound {
  /** By which the heap in use grew; below 0 where something was collected. */
  readonly heapOctets: number;
  readonly collections: number;
}

/**
 * Runs the work so often. The compiler and the collector's own timers may come late on a busy machine, but not in every
 * round; what the work itself allocates comes in every one. To be run with `--expose-gc`.
 */
export async function measureRounds(count: number, work: () => void): Promise<readonly HeapRound[]> {
  const collectedAt: number[] = [];
  const observer = new PerformanceObserver((list) => {
    collectedAt.push(...list.getEntries().map(({ startTime }) => startTime));
  });
  observer.observe({ entryTypes: ['gc'] });
  const rounds: HeapRound[] = [];
  globalThis.gc?.();
  for (let round = 0; round < count; round++) {
    const startedAt = performance.now();
    const before = getHeapStatistics().used_heap_size;
    work();
    const heapOctets = getHeapStatistics().used_heap_size - before;
    const endedAt = performance.now();
    // Collections are told in a later turn.
    await new Promise((resolve) => setImmediate(resolve));
    const collections = collectedAt.filter((at) => at > startedAt && at < endedAt).length;
    rounds.push({ heapOctets, collections });
  }
  observer.disconnect();
  return rounds;
}

/** Whether at least one round left the heap alone, but for so many octets. */
export function hasQuietRound(rounds: readonly HeapRound[], maxHeapOctets: number): boolean {
  return rounds.some(
    ({ heapOctets, collections }) => collections === 0 && heapOctets >= 0 && heapOctets < maxHeapOctets,
  );
}
