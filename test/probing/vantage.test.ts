import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Observation } from '../../src/health/observation.ts';
import type { ProbeResult } from '../../src/health/probe-result.ts';
import type { AnyProbeKind } from '../../src/probing/probes/index.ts';
import { createVantage, type Vantage } from '../../src/probing/vantage.ts';
import type { VantageTarget } from '../../src/probing/vantage-targets.ts';
import { failure, success } from '../health/results.ts';
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
  readonly observations: Observation[] = [];
  readonly vantage: Vantage;

  constructor(
    options: { hold?: boolean; maxConcurrent?: number; random?: () => number; results?: ProbeResult[] } = {},
  ) {
    const kind: AnyProbeKind = {
      kind: 'fake',
      summary: 'Ends when the test says so.',
      settings: z.record(z.string(), z.unknown()),
      run: ({ address }, _settings, stopped) =>
        new Promise((resolve, reject) => {
          const end = (result = success): void => resolve(result);
          stopped.addEventListener('abort', () => end());
          this.started.push({ address, atMs: this.clock.nowMs() - this.startMs, stopped, end, fail: reject });
          if (options.hold !== true) end(options.results?.shift());
        }),
    };
    this.vantage = createVantage({
      clock: this.clock,
      random: options.random ?? (() => 0),
      probeKinds: [kind],
      onObservation: (observation) => {
        this.observations.push(observation);
        this.results.push(`${observation.key} ${observation.result.reason}`);
      },
      name: 'here',
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
    recheckMs: 2500,
    thresholds: { rise: 2, fall: 3, expiryMs: 30_000 },
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

describe('the bound on slow probes', () => {
  it('leaves room for others when those that time out wait', async () => {
    const scene = new Scene({ hold: true, maxConcurrent: 4 });
    const slow = targets(4);
    scene.vantage.setTargets(slow);
    await scene.clock.advance(1010);
    for (const one of scene.started.splice(0)) one.end({ ...failure, reason: 'timeout' });
    // Their rechecks take three of the four places, however many are due.
    await scene.clock.advance(9000);
    expect(scene.started).toHaveLength(3);
    scene.vantage.setTargets([...slow, target('web/new')]);
    await scene.clock.advance(1010);
    expect(scene.started.map(({ address }) => address)).toContain('web/new');
  });
});

describe('rechecks', () => {
  const cases = [
    { name: 'none while all is well', given: '', want: [10, 20, 30] },
    { name: 'two after the first failure', given: 'f', want: [2.5, 10, 20] },
    { name: 'until it is down', given: 'ffff', want: [2.5, 5, 10] },
    { name: 'when it comes back', given: 'fffs', want: [2.5, 5, 10] },
  ];
  it.each(cases)('$name', async ({ given, want }) => {
    const results = Array.from(`s${given}`, (letter) => (letter === 's' ? success : failure));
    const scene = new Scene({ results });
    // Its beat falls on the full interval, so that what is not a beat shows.
    scene.vantage.setTargets([target('web/fra')]);
    await scene.clock.advance(40_000);
    const beats = scene.started.map(({ atMs }) => atMs);
    const gaps = beats.slice(2, 5).map((atMs) => Math.round((atMs - (beats[1] ?? 0)) / 100) / 10);
    expect(gaps).toEqual(want);
  });
});

describe('targets that are alike', () => {
  it('share their probes, and each has its own verdict', async () => {
    const scene = new Scene({ results: Array.from({ length: 9 }, () => failure) });
    const lenient = { rise: 2, fall: 9, expiryMs: 30_000 };
    scene.vantage.setTargets([
      target('web/fra', { address: '192.0.2.1' }),
      target('api/fra', { address: '192.0.2.1', thresholds: lenient }),
      target('api/ash', { address: '192.0.2.2' }),
    ]);
    await scene.clock.advance(9000);
    expect(scene.vantage.load.targets).toBe(3);
    const probed = scene.started.filter(({ address }) => address === '192.0.2.1').length;
    const told = (key: string): readonly Observation[] => scene.observations.filter((one) => one.key === key);
    expect(told('web/fra')).toHaveLength(probed);
    expect(told('api/fra')).toHaveLength(probed);
    expect(told('web/fra').at(-1)?.verdict).toBe('down');
    expect(told('api/fra').at(-1)?.verdict).toBe('unknown');
  });

  it('part when one of them changes or goes', async () => {
    const scene = new Scene();
    const shared = { address: '192.0.2.1' };
    scene.vantage.setTargets([target('web/fra', shared), target('api/fra', shared)]);
    await scene.clock.advance(1000);
    scene.vantage.setTargets([target('web/fra', shared), target('api/fra', { address: '192.0.2.2' })]);
    await scene.clock.advance(1000);
    expect(scene.started.map(({ address, stopped }) => `${address} ${stopped.aborted}`)).toEqual([
      '192.0.2.1 false',
      '192.0.2.2 false',
    ]);
    scene.vantage.setTargets([]);
    await scene.clock.advance(30_000);
    expect(scene.started).toHaveLength(2);
  });
});

describe('what is said of an endpoint', () => {
  it('counts up, and tells how long probes take', async () => {
    const scene = new Scene();
    scene.vantage.setTargets([target('web/fra')]);
    await scene.clock.advance(35_000);
    const sequences = scene.observations.map(({ sequence }) => sequence);
    expect(sequences.map((sequence) => sequence - (sequences[0] ?? 0))).toEqual(
      sequences.map((_, index) => index),
    );
    expect(scene.observations.at(-1)).toMatchObject({ vantage: 'here', successes: sequences.length });
    expect(scene.observations.at(-1)?.latency?.p50).toBeCloseTo(success.durationMs, 0);
  });

  it('goes on from what was known', async () => {
    const scene = new Scene();
    const known = new Scene({ results: [failure, failure, failure] });
    known.vantage.setTargets([target('web/fra')]);
    await known.clock.advance(9000);
    const last = known.observations.at(2);
    if (last === undefined) throw new Error('three observations');
    scene.vantage.setTargets([target('web/fra')], [last]);
    await scene.clock.advance(1000);
    expect(scene.observations.at(0)).toMatchObject({
      verdict: 'down',
      successes: 1,
      sequence: last.sequence + 1,
      sinceMs: last.sinceMs,
    });
  });

  it('keeps its verdict when what is probed changes, but for the address', async () => {
    const results = Array.from({ length: 99 }, () => failure);
    const scene = new Scene({ results });
    scene.vantage.setTargets([target('web/fra')]);
    await scene.clock.advance(9000);
    results.length = 0;
    scene.vantage.setTargets([target('web/fra', { intervalMs: 5000 })]);
    await scene.clock.advance(1000);
    expect(scene.observations.at(-1)).toMatchObject({ verdict: 'down', successes: 1 });
    scene.vantage.setTargets([target('web/fra', { address: '192.0.2.9' })]);
    await scene.clock.advance(1000);
    expect(scene.observations.at(-1)).toMatchObject({ verdict: 'up', successes: 1 });
  });
});

it('spreads the first probes of tens of thousands over their interval', async () => {
  const scene = new Scene();
  scene.vantage.setTargets(targets(30_000));
  await scene.clock.advance(20_000);
  const counts = perSecond(scene.started, 0, 20);
  expect(Math.max(...counts)).toBeLessThanOrEqual(2 * 3000);
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
