import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ProbeResult } from '../../src/health/probe-result.ts';
import type { AnyProbeKind } from '../../src/probing/probes/index.ts';
import { createVantage, type Vantage, type VantageTarget } from '../../src/probing/vantage.ts';
import { success } from '../health/results.ts';
import { createFakeClock, type FakeClock } from './fake-clock.ts';

interface Started {
  readonly address: string;
  readonly atMs: number;
  readonly stopped: AbortSignal;
  end(result?: ProbeResult): void;
  fail(error: Error): void;
}

/** A vantage on a fake clock, whose probes end at once or when the test says so. */
class Scene {
  readonly clock: FakeClock = createFakeClock();
  readonly startMs = this.clock.nowMs();
  readonly started: Started[] = [];
  readonly results: string[] = [];
  readonly vantage: Vantage;

  constructor(options: { hold?: boolean; maxConcurrent?: number; random?: () => number } = {}) {
    const kind: AnyProbeKind = {
      kind: 'fake',
      summary: 'Ends when the test says so.',
      settings: z.record(z.string(), z.unknown()),
      run: ({ address }, _settings, stopped) =>
        new Promise((resolve, reject) => {
          const end = (result = success): void => resolve(result);
          stopped.addEventListener('abort', () => end());
          this.started.push({ address, atMs: this.clock.nowMs() - this.startMs, stopped, end, fail: reject });
          if (options.hold !== true) end();
        }),
    };
    this.vantage = createVantage({
      clock: this.clock,
      random: options.random ?? (() => 0),
      probeKinds: [kind],
      onResult: (key, result) => this.results.push(`${key} ${result.reason}`),
      ...(options.maxConcurrent === undefined ? {} : { maxConcurrent: options.maxConcurrent }),
    });
  }
}

function target(key: string, more: Partial<VantageTarget> = {}): VantageTarget {
  return {
    key,
    kind: 'fake',
    address: key,
    port: undefined,
    settings: { path: '/' },
    intervalMs: 10_000,
    timeoutMs: 1000,
    jitter: 0,
    ...more,
  };
}

function targets(count: number, more: Partial<VantageTarget> = {}): readonly VantageTarget[] {
  return Array.from({ length: count }, (_, index) => target(`web/endpoint-${index}`, more));
}

/** Probes started in each second of a span. */
function perSecond(started: readonly Started[], fromS: number, toS: number): readonly number[] {
  const counts = new Array<number>(toS - fromS).fill(0);
  for (const { atMs } of started) {
    const second = Math.floor(atMs / 1000) - fromS;
    if (second >= 0 && second < counts.length) counts[second] = (counts[second] ?? 0) + 1;
  }
  return counts;
}

describe('phases', () => {
  it('probe every target within the first second, not all at once', async () => {
    const scene = new Scene();
    scene.vantage.setTargets(targets(1000));
    await scene.clock.advance(1010);
    expect(new Set(scene.started.map((one) => one.address)).size).toBe(1000);
    const tenths = new Array<number>(11).fill(0);
    for (const { atMs } of scene.started) {
      const tenth = Math.floor(atMs / 100);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    expect(Math.max(...tenths)).toBeLessThan(200);
  });

  it.each([
    { name: 'without jitter', random: () => 0 },
    { name: 'with jitter', random: () => Math.random() },
  ])('are even $name: no second has more than twice the mean', async ({ random }) => {
    const scene = new Scene({ random });
    scene.vantage.setTargets(targets(1000, { jitter: 0.1 }));
    await scene.clock.advance(61_000);
    // The first seconds belong to the start; from then on each second has its tenth of a thousand.
    const counts = perSecond(scene.started, 11, 61);
    expect(Math.max(...counts)).toBeLessThanOrEqual(200);
    expect(Math.min(...counts)).toBeGreaterThan(50);
    const total = counts.reduce((sum, count) => sum + count, 0);
    expect(total / 5).toBeGreaterThan(990);
    expect(total / 5).toBeLessThan(1010);
  });

  it('are the same whenever the node starts and whatever else it probes', async () => {
    const one = new Scene();
    one.vantage.setTargets([target('web/fra')]);
    const other = new Scene();
    other.vantage.setTargets([...targets(50), target('web/fra')]);
    await one.clock.advance(35_000);
    await other.clock.advance(35_000);
    const beats = one.started.map((started) => Math.round(started.atMs));
    expect(
      other.started.filter(({ address }) => address === 'web/fra').map(({ atMs }) => Math.round(atMs)),
    ).toEqual(beats);
    expect(beats.length).toBeGreaterThanOrEqual(4);
    // After the first, steady beats of one interval.
    const gaps = beats.slice(2).map((beat, index) => beat - (beats[index + 1] ?? 0));
    expect(new Set(gaps)).toEqual(new Set([10_000]));
  });

  it('do not drift with jitter', async () => {
    const still = new Scene({ random: () => 0 });
    const late = new Scene({ random: () => 0.999 });
    for (const scene of [still, late]) {
      scene.vantage.setTargets([target('web/fra', { jitter: 0.5 })]);
      await scene.clock.advance(200_000);
    }
    const lateness = late.started.map(({ atMs }, index) => atMs - (still.started[index]?.atMs ?? Number.NaN));
    expect(Math.round(lateness[0] ?? Number.NaN)).toBe(0);
    expect(new Set(lateness.slice(1).map(Math.round))).toEqual(new Set([4995]));
  });

  it('skip what was missed while the machine slept', async () => {
    const scene = new Scene();
    scene.vantage.setTargets([target('web/fra')]);
    await scene.clock.advance(1500);
    const before = scene.started.length;
    scene.clock.sleep(100_000);
    await scene.clock.advance(0);
    expect(scene.started.length - before).toBe(1);
    await scene.clock.advance(10_000);
    expect(scene.started.length - before).toBe(2);
  });
});

describe('targets', () => {
  it('stop when they go, also in the middle of a probe', async () => {
    const scene = new Scene({ hold: true });
    scene.vantage.setTargets([target('web/fra'), target('web/ash')]);
    await scene.clock.advance(1000);
    scene.vantage.setTargets([target('web/ash')]);
    const fra = scene.started.find(({ address }) => address === 'web/fra');
    expect(fra?.stopped.aborted).toBe(true);
    for (const one of scene.started) one.end();
    await scene.clock.advance(30_000);
    expect(scene.results).toContain('web/ash ok');
    expect(scene.results).not.toContain('web/fra ok');
    expect(scene.started.filter(({ address }) => address === 'web/fra')).toHaveLength(1);
  });

  it('are left alone when their definition stays the same', async () => {
    const scene = new Scene({ hold: true });
    scene.vantage.setTargets([target('web/fra')]);
    await scene.clock.advance(1000);
    scene.vantage.setTargets([target('web/fra', { settings: { path: '/' } })]);
    await scene.clock.advance(3);
    expect(scene.started.map(({ stopped }) => stopped.aborted)).toEqual([false]);
  });

  it.each([
    { name: 'address', more: { address: '192.0.2.1' } },
    { name: 'port', more: { port: 8080 } },
    { name: 'kind settings', more: { settings: { path: '/healthz' } } },
    { name: 'interval', more: { intervalMs: 5000 } },
    { name: 'timeout', more: { timeoutMs: 500 } },
    { name: 'jitter', more: { jitter: 0.2 } },
  ])('start anew when the $name changes', async ({ more }) => {
    const scene = new Scene({ hold: true });
    scene.vantage.setTargets([target('web/fra')]);
    await scene.clock.advance(1000);
    scene.vantage.setTargets([target('web/fra', more)]);
    await scene.clock.advance(1000);
    expect(scene.started.map(({ stopped }) => stopped.aborted)).toEqual([true, false]);
    expect(scene.results).toEqual([]);
  });

  it('of an unknown kind are our own mistake', async () => {
    const scene = new Scene();
    scene.vantage.setTargets([target('web/fra', { kind: 'nonsense' })]);
    await scene.clock.advance(1000);
    expect(scene.results).toEqual(['web/fra internal-error']);
  });
});

describe('a slow probe', () => {
  it('is not doubled; the next follows when it has ended', async () => {
    const scene = new Scene({ hold: true });
    scene.vantage.setTargets([target('web/fra')]);
    await scene.clock.advance(35_000);
    expect(scene.started).toHaveLength(1);
    scene.started[0]?.end();
    await scene.clock.advance(0);
    expect(scene.started).toHaveLength(2);
    scene.started[1]?.end();
    await scene.clock.advance(0);
    expect(scene.started).toHaveLength(2);
  });

  it('that breaks its promise to never throw is our own mistake, and the next follows', async () => {
    const scene = new Scene({ hold: true });
    scene.vantage.setTargets([target('web/fra')]);
    await scene.clock.advance(1000);
    scene.started[0]?.fail(new Error('a bug'));
    await scene.clock.advance(20_000);
    expect(scene.results).toEqual(['web/fra internal-error']);
    expect(scene.started).toHaveLength(2);
  });
});

describe('the bound on probes at once', () => {
  it('holds, and those that wait go in the order in which they were due', async () => {
    const scene = new Scene({ hold: true, maxConcurrent: 3 });
    scene.vantage.setTargets(targets(10));
    await scene.clock.advance(1010);
    expect(scene.vantage.load).toEqual({ targets: 10, running: 3, waiting: 7 });
    const free = new Scene();
    free.vantage.setTargets(targets(10));
    await free.clock.advance(1010);
    for (let index = 0; index < 10; index += 1) {
      scene.started[index]?.end();
      await scene.clock.advance(0);
      expect(scene.vantage.load.running).toBeLessThanOrEqual(3);
    }
    expect(scene.started.map(({ address }) => address)).toEqual(free.started.map(({ address }) => address));
  });

  it('passes over targets that have gone while they waited', async () => {
    const scene = new Scene({ hold: true, maxConcurrent: 1 });
    scene.vantage.setTargets([target('web/fra'), target('web/ash'), target('web/sin')]);
    await scene.clock.advance(1010);
    const first = scene.started[0]?.address ?? '';
    const [second, third] = ['web/fra', 'web/ash', 'web/sin'].filter((key) => key !== first);
    scene.vantage.setTargets([target(first), target(third ?? '')]);
    scene.started[0]?.end();
    await scene.clock.advance(0);
    expect(scene.started.map(({ address }) => address)).toEqual([first, third]);
    expect(second).toBeDefined();
  });
});

it('stops everything, once and for all', async () => {
  const scene = new Scene({ hold: true });
  scene.vantage.setTargets(targets(20));
  await scene.clock.advance(500);
  await scene.vantage.stop();
  expect(scene.vantage.load.running).toBe(0);
  expect(scene.clock.pending).toBe(0);
  const before = scene.started.length;
  scene.vantage.setTargets(targets(20));
  await scene.clock.advance(60_000);
  expect(scene.started).toHaveLength(before);
  expect(scene.results).toEqual([]);
});
