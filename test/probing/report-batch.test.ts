import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Observation } from '../../src/health/observation.ts';
import { createReportBatch, type ReportBatch } from '../../src/probing/report-batch.ts';
import { success } from '../health/results.ts';

const NOW_MS = Date.UTC(2030, 0, 1);

function observation(key: string, verdict: 'new' | 'old'): Observation {
  return {
    vantage: 'here',
    key,
    sequence: 1,
    verdict: 'up',
    sinceMs: verdict === 'new' ? NOW_MS : NOW_MS - 1,
    successes: 1,
    failures: 0,
    firstFailureAtMs: undefined,
    heldDownUntilMs: undefined,
    latency: undefined,
    result: success,
    observedAtMs: NOW_MS,
  };
}

describe('observations on their way', () => {
  const sent: string[] = [];
  let batch: ReportBatch;

  beforeEach(() => {
    vi.useFakeTimers();
    sent.length = 0;
    batch = createReportBatch((observations) => sent.push(observations.map(({ key }) => key).join(' ')));
  });
  afterEach(() => vi.useRealTimers());

  it('wait for others', () => {
    batch.add(observation('a', 'old'));
    vi.advanceTimersByTime(99);
    batch.add(observation('b', 'old'));
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(sent).toEqual(['a b']);
  });

  it('go at once, with all that wait, when a verdict is new', () => {
    batch.add(observation('a', 'old'));
    batch.add(observation('b', 'new'));
    batch.add(observation('c', 'new'));
    vi.advanceTimersByTime(0);
    expect(sent).toEqual(['a b c']);
    vi.advanceTimersByTime(1000);
    expect(sent).toHaveLength(1);
  });

  it('are never many at once', () => {
    for (let count = 0; count < 1100; count += 1) batch.add(observation('a', 'old'));
    expect(sent.map((keys) => keys.split(' ').length)).toEqual([500, 500]);
  });

  it('go when they are asked for, and not again', () => {
    batch.add(observation('a', 'old'));
    batch.flush();
    batch.flush();
    vi.advanceTimersByTime(1000);
    expect(sent).toEqual(['a']);
  });

  it('are dropped in the end', () => {
    batch.add(observation('a', 'new'));
    batch.close();
    vi.advanceTimersByTime(1000);
    expect(sent).toEqual([]);
  });
});
