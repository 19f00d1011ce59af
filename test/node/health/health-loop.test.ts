import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { applyChanges, emptyConfig } from '../../../src/config/apply-changes.ts';
import type { Change, Config } from '../../../src/config/model.ts';
import type { EndpointHealth } from '../../../src/health/endpoint-health.ts';
import type { Leave } from '../../../src/health/overrides/drain-book.ts';
import { HealthLoop } from '../../../src/node/health/health-loop.ts';
import { createVerdictTable } from '../../../src/snapshot/verdict-table.ts';
import { remove, write } from '../../config/config-fixture.ts';

const closest = write('policies', { name: 'closest', rank: { kind: 'nearest' } });
const www = { name: 'www.example.org', pool: 'web', policy: 'closest', ttlSeconds: 30 };
const slots: Readonly<Record<string, number>> = { 'web/fra-1': 1, 'web/fra-2': 2, 'web/sin-1': 3 };
const web = {
  name: 'web',
  endpoints: Object.keys(slots).map((key, i) => {
    const name = key.slice('web/'.length);
    return { name, dataCenter: name.slice(0, 3), address: `192.0.2.${i + 1}` };
  }),
};
const sound = [write('pools', web), closest, write('steeredNames', www)];

function windowOf(schedule: object, more: object = {}): Change {
  const target = { kind: 'data-center', dataCenter: 'fra' };
  return write('maintenanceWindows', { name: 'works', target, reason: 'Power.', schedule, ...more });
}

function drain(target: object, more: object = {}): Change {
  return write('overrides', { id: 'o', state: 'drain', reason: 'Disk.', target, ...more });
}

const nightly = { kind: 'repeating', cron: '30 2 * * *', timeZone: 'Europe/Berlin', durationMinutes: 60 };
const fra1 = { kind: 'endpoint', pool: 'web', endpoint: 'fra-1' };

/** A health loop without probes: no endpoint has a monitor, so that all are up unless an override says otherwise. */
class Scene {
  config: Config = emptyConfig();
  readonly table = createVerdictTable();
  readonly drained: string[] = [];
  readonly loop: HealthLoop;

  readonly events: string[] = [];

  constructor(leaves: ReadonlyMap<string, Leave>, changes: readonly Change[]) {
    this.loop = new HealthLoop({
      verdicts: this.table,
      vantage: () => ({
        setTargets: () => undefined,
        load: { targets: 0, running: 0, waiting: 0 },
        restarts: 0,
        stop: async () => undefined,
      }),
      nowMs: () => Date.now(),
      seat: { name: 'here', region: '' },
      remembered: [],
      leaves,
      keep: () => undefined,
      onChange: () => undefined,
      onEvent: ({ key, to }) => this.events.push(`${key} ${to}`),
      onEndpoints: () => undefined,
      onResult: () => undefined,
      onDrained: ({ key }) => this.drained.push(`${key} ${new Date().toISOString()}`),
    });
    this.write(...changes);
  }

  write(...changes: readonly Change[]): void {
    const stamp = { author: 'ada', reason: '', revision: '1', updatedAt: '' };
    this.config = applyChanges(this.config, changes, stamp);
    this.loop.configure(this.config, (key) => slots[key] ?? -1);
  }

  /** `fra-1` reports that it is up. */
  report(): void {
    this.loop.report([{ key: 'web/fra-1', settings: { leaseSeconds: 30 } }], { up: true });
  }

  /** One letter for each endpoint, as queries see it. */
  get verdicts(): string {
    return Array.from(this.table.subarray(1, 4), (octet) => '?udx'.charAt(octet & 0b11)).join('');
  }

  health(name = 'fra-1'): EndpointHealth | undefined {
    return this.loop.health().find(({ endpoint }) => endpoint === name);
  }

  /** When `fra-1` is safe, or why it is not. */
  get safe(): string {
    const { drain: state } = this.health() ?? {};
    return state?.safeToRebootAt ?? state?.note ?? 'not drained';
  }
}

const scenes: Scene[] = [];

function sceneAt(
  time: string,
  leaves: ReadonlyMap<string, Leave> = new Map(),
  changes: readonly Change[] = sound,
): Scene {
  vi.setSystemTime(time);
  const scene = new Scene(leaves, changes);
  scenes.push(scene);
  return scene;
}

const after = (seconds: number): unknown => vi.advanceTimersByTime(seconds * 1000);

beforeEach(() => void vi.useFakeTimers());
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.loop.close();
  vi.useRealTimers();
});

it('opens a window that the night of the change of clocks leaves out, and ends it an hour later', () => {
  const scene = sceneAt('2026-03-29T00:59:50Z');
  scene.write(windowOf(nightly));
  expect(scene.verdicts).toBe('uuu');
  after(11);
  expect(scene.verdicts).toBe('xxu');
  expect(scene.health()?.reason).toBe(
    'Maintenance window works (by ada, until 2026-03-29T02:00:00.000Z) drains it: Power.',
  );
  after(3600);
  expect(scene.verdicts).toBe('uuu');
});

it('opens a window at once that is written while it should be open, and ends it when it is deleted', () => {
  const scene = sceneAt('2026-10-25T00:45:00Z');
  scene.write(windowOf(nightly, { state: 'down' }));
  expect(scene.verdicts).toBe('ddu');
  scene.write(remove('maintenanceWindows', 'works'));
  expect(scene.verdicts).toBe('uuu');
});

it('lets an operator’s override win over a window', () => {
  const scene = sceneAt('2026-10-25T00:45:00Z');
  scene.write(windowOf(nightly));
  scene.write(drain(fra1, { state: 'up' }));
  expect(scene.verdicts).toBe('uxu');
  expect(scene.safe).toBe('not drained');
});

it('holds windows back by the guard rails, and says so', () => {
  const scene = sceneAt('2026-10-25T00:45:00Z');
  scene.write(write('pools', { ...web, guardRails: { maxLostDataCenters: 1 } }));
  after(1);
  const everything = { target: { kind: 'glob', pattern: 'web/*' } };
  scene.write(windowOf(nightly, everything));
  expect(scene.verdicts).toBe('xxu');
  expect(scene.health('sin-1')?.drain).toEqual({
    leftAt: undefined,
    safeToRebootAt: undefined,
    note: expect.stringMatching(
      /^A guard rail of the pool web .* keeps it in service, where it would be drained/,
    ),
  });
});

it('says when a drain is safe, and tells of it once', () => {
  const scene = sceneAt('2026-05-01T12:00:00Z');
  scene.write(drain(fra1));
  expect(scene.safe).toBe('2026-05-01T12:00:30.000Z');
  after(29);
  expect(scene.drained).toEqual([]);
  after(60);
  expect(scene.drained).toEqual(['web/fra-1 2026-05-01T12:00:30.000Z']);
});

it('counts a larger TTL from shortly before', () => {
  const scene = sceneAt('2026-05-01T12:00:00Z');
  scene.write(write('steeredNames', { ...www, ttlSeconds: 600 }));
  after(60);
  scene.write(write('steeredNames', www));
  after(60);
  scene.write(drain(fra1));
  expect(scene.safe).toBe('2026-05-01T12:11:01.000Z');
});

it('gives no time while a name falls back on what is drained, and counts from the end of that', () => {
  const scene = sceneAt('2026-05-01T12:00:00Z');
  scene.write(drain(fra1));
  after(10);
  scene.write(drain({ kind: 'pool', pool: 'web' }, { id: 'all' }));
  expect(scene.safe).toMatch(/^www\.example\.org\. may be answered with it all the same/);
  after(10);
  scene.write(remove('overrides', 'all'));
  expect(scene.safe).toBe('2026-05-01T12:00:50.000Z');
});

it('gives it where the name answers with nothing instead', () => {
  const scene = sceneAt('2026-05-01T12:00:00Z');
  scene.write(drain({ kind: 'pool', pool: 'web' }));
  expect(scene.safe).toMatch(/may be answered/);
  after(10);
  scene.write(write('steeredNames', { ...www, allDown: 'nodata' }));
  expect(scene.safe).toBe('2026-05-01T12:00:40.000Z');
});

it('minds policies that know no other place for some clients', () => {
  const scene = sceneAt('2026-05-01T12:00:00Z');
  scene.write(write('policies', { name: 'closest', rank: { kind: 'nearest', dataCenters: ['fra'] } }));
  scene.write(drain({ kind: 'glob', pattern: '*/*', dataCenter: 'f*' }));
  expect(scene.verdicts).toBe('xxu');
  expect(scene.safe).toMatch(/for some of its clients nothing else/);
});

it('goes on with a drain after a restart, and answers with nothing that is drained before', () => {
  const leftAtMs = Date.parse('2026-05-01T11:59:50Z');
  const leaves = new Map([['web/fra-1', { leftAtMs, goneAtMs: leftAtMs + 45_000 }]]);
  const scene = sceneAt('2026-05-01T12:00:00Z', leaves, [...sound, drain(fra1)]);
  expect(scene.safe).toBe('2026-05-01T12:00:35.000Z');
  expect(scene.events).toEqual([]);
});

it('takes what is drained for answered until the start where nothing was kept of it', () => {
  const scene = sceneAt('2026-05-01T12:00:00Z', new Map(), [...sound, drain(fra1)]);
  expect(scene.safe).toBe('2026-05-01T12:00:30.000Z');
});

/** One endpoint that reports of itself, within half a minute. */
function reportingScene(): Scene {
  const job = { name: 'job', kind: 'push', settings: { leaseSeconds: 30 } };
  const endpoints = web.endpoints.slice(0, 1).map((endpoint) => ({ ...endpoint, monitor: 'job' }));
  const batch = write('pools', { name: 'web', unknown: 'serve', endpoints });
  const scene = sceneAt('2026-03-01T00:00:00Z', new Map(), [write('monitors', job), batch]);
  scene.report();
  return scene;
}

it('takes nothing down for what could not be reported while the node stood still', () => {
  const scene = reportingScene();
  after(20);
  // What waits is heard later than the look at the leases.
  vi.setSystemTime('2026-03-01T00:20:00Z');
  after(2);
  scene.report();
  after(29);
  expect(scene.events).toEqual(['web/fra-1 up']);
  after(2);
  expect(scene.events).toEqual(['web/fra-1 up', 'web/fra-1 down']);
});

it('ends the lease of an endpoint that is silent in time, however the clock is set', () => {
  const scene = reportingScene();
  after(10);
  vi.setSystemTime('2026-02-20T00:00:00Z');
  after(18);
  expect(scene.events).toEqual(['web/fra-1 up']);
  after(4);
  expect(scene.events).toEqual(['web/fra-1 up', 'web/fra-1 down']);
});
