import { describe, expect, it } from 'vitest';
import type { EndpointHealth } from '../../src/health/endpoint-health.ts';
import { bodies } from './resources.ts';
import { type StartedApi, startApi } from './started-api.ts';
import { createTestPlane } from './test-plane.ts';

/** What the API needs to know of endpoints to tell what an override comes to. */
function healthOf(name: string, more: Partial<EndpointHealth> = {}): EndpointHealth {
  return {
    key: `web/${name}`,
    pool: 'web',
    endpoint: name,
    dataCenter: name.slice(0, 3),
    address: '192.0.2.1',
    probeAddress: undefined,
    monitor: undefined,
    verdict: 'up',
    since: '2026-01-01T00:00:00.000Z',
    reason: 'No monitor checks it, so it counts as up.',
    probed: 'up',
    basis: 'quorum',
    stale: false,
    rememberedFrom: undefined,
    unknown: 'last-resort',
    held: undefined,
    lastKnownUp: true,
    lastResult: undefined,
    consecutiveSuccesses: 0,
    consecutiveFailures: 0,
    vantages: [],
    parts: [],
    override: undefined,
    drain: undefined,
    ...more,
  };
}

function drained(name: string, safeToRebootAt: string | undefined): EndpointHealth {
  const note =
    safeToRebootAt === undefined ? 'A guard rail keeps it in service.' : `Safe at ${safeToRebootAt}.`;
  return healthOf(name, { verdict: 'drained', drain: { leftAt: undefined, safeToRebootAt, note } });
}

async function started(time: string, health: readonly EndpointHealth[] = []): Promise<StartedApi> {
  const plane = createTestPlane();
  plane.health = () => health;
  const api = await startApi(plane, { now: () => new Date(time) });
  for (const [path, body] of [
    ['/v1/data-centers/fra', bodies.fra],
    ['/v1/data-centers/sin', bodies.sin],
    ['/v1/monitors/web', bodies.monitor],
    ['/v1/pools/web', bodies.pool],
  ] as const)
    await api.send('PUT', path, body);
  return api;
}

async function read(api: StartedApi, path: string): Promise<Readonly<Record<string, unknown>>> {
  const { owner, revision, author, reason, updatedAt, value, ...figures } = (await api.send('GET', path))
    .body as Readonly<Record<string, unknown>>;
  return figures;
}

const fraHealth = [healthOf('fra-v4'), healthOf('sin-v4')];
const fraSundays = '/v1/maintenance-windows/fra-sundays';

describe('a maintenance window', () => {
  it('tells when it opens next, on the Sunday without its hour', async () => {
    const api = await started('2026-03-28T00:00:00Z', fraHealth);
    expect((await api.send('PUT', fraSundays, bodies.maintenanceWindow)).body).toMatchObject({ open: false });
    expect(await read(api, fraSundays)).toEqual({
      open: false,
      nextOpensAt: '2026-03-29T01:00:00.000Z',
      endpoints: ['web/fra-v4'],
      endpointCount: 1,
    });
  });

  it('tells that it is open, and when whoever works there may begin', async () => {
    const api = await started('2026-03-29T01:30:00Z', [drained('fra-v4', '2026-03-29T01:00:30.000Z')]);
    await api.send('PUT', fraSundays, bodies.maintenanceWindow);
    expect(await read(api, fraSundays)).toEqual({
      open: true,
      endsAt: '2026-03-29T02:00:00.000Z',
      nextOpensAt: '2026-04-05T00:30:00.000Z',
      endpoints: ['web/fra-v4'],
      endpointCount: 1,
      safeToRebootAt: '2026-03-29T01:00:30.000Z',
      rebootNote: 'The last resolver that honours TTLs lets go of it at 2026-03-29T01:00:30.000Z.',
    });
  });

  const refusals = [
    ['a cron text of six fields', { cron: '0 30 2 * * 0' }, 'cron'],
    ['a minute that is none', { cron: '61 2 * * 0' }, 'cron'],
    ['a day that never comes', { cron: '0 2 31 2,4 *' }, 'cron'],
    ['a zone that nobody knows', { timeZone: 'Europe/Atlantis' }, 'timeZone'],
    ['an offset in the place of a zone', { timeZone: '+01:00' }, 'timeZone'],
  ] as const;
  it.each(refusals)('is refused with %s', async (_, given, field) => {
    const api = await started('2026-03-28T00:00:00Z');
    const schedule = { ...bodies.maintenanceWindow.schedule, ...given };
    const { status, body } = await api.send('PUT', fraSundays, { ...bodies.maintenanceWindow, schedule });
    expect(status).toBe(422);
    expect((body as { problems: readonly { path: string }[] }).problems.map(({ path }) => path)).toEqual([
      `maintenanceWindows/fra-sundays/schedule/${field}`,
    ]);
    expect((await api.send('GET', fraSundays)).status).toBe(404);
  });
});

it('a maintenance window that is over already is refused', async () => {
  const api = await started('2026-03-28T00:00:00Z');
  const schedule = { kind: 'once', startsAt: '2026-03-27T00:00:00Z', endsAt: '2026-03-28T00:00:00Z' };
  const { status, body } = await api.send('PUT', fraSundays, { ...bodies.maintenanceWindow, schedule });
  expect([status, (body as { problems: unknown }).problems]).toEqual([
    422,
    [expect.objectContaining({ code: 'already-over' })],
  ]);
});

describe('an override', () => {
  const cases: readonly (readonly [string, object, readonly EndpointHealth[], object])[] = [
    [
      'of a glob tells what it holds for, and the last of the times',
      { target: { kind: 'glob', pattern: 'w*/*-v4' } },
      [drained('fra-v4', '2026-01-01T00:00:30.000Z'), drained('sin-v4', '2026-01-01T00:01:00.000Z')],
      {
        endpoints: ['web/fra-v4', 'web/sin-v4'],
        endpointCount: 2,
        safeToRebootAt: '2026-01-01T00:01:00.000Z',
      },
    ],
    [
      'gives no time while one of them is held, and says why',
      { target: { kind: 'pool', pool: 'web' } },
      [drained('fra-v4', '2026-01-01T00:00:30.000Z'), drained('sin-v4', undefined)],
      { rebootNote: 'Not safe for web/sin-v4: A guard rail keeps it in service.' },
    ],
    [
      'gives no time where another one outranks it',
      { target: { kind: 'data-center', dataCenter: 'fra' } },
      [healthOf('fra-v4', { reason: 'Override keep holds it up: Needed.' })],
      { rebootNote: 'Not safe for web/fra-v4: It is up: Override keep holds it up: Needed.' },
    ],
    [
      'that forces up has nothing to tell of reboots',
      { state: 'up', target: { kind: 'data-center', dataCenter: 'fra' } },
      [healthOf('fra-v4')],
      { inForce: true, endpointCount: 1 },
    ],
  ];
  it.each(cases)('%s', async (_, given, health, want) => {
    const api = await started('2026-01-01T00:00:00Z', health);
    const { status } = await api.send('PUT', '/v1/overrides/fra-works', { ...bodies.override, ...given });
    expect(status).toBe(201);
    const figures = await read(api, '/v1/overrides/fra-works');
    expect(figures).toMatchObject({ inForce: true, ...want });
    expect('safeToRebootAt' in figures).toBe('safeToRebootAt' in want);
    const { items } = (await api.send('GET', '/v1/overrides')).body as { items: readonly object[] };
    expect(items[0]).toMatchObject(figures);
  });

  it('is no longer in force once it has expired', async () => {
    let time = '2026-01-01T00:00:00Z';
    const plane = createTestPlane();
    const api = await startApi(plane, { now: () => new Date(time) });
    await api.send('PUT', '/v1/data-centers/fra', bodies.fra);
    await api.send('PUT', '/v1/overrides/fra-works', bodies.override);
    time = bodies.override.expiresAt;
    expect(await read(api, '/v1/overrides/fra-works')).toEqual({
      inForce: false,
      endpoints: [],
      endpointCount: 0,
    });
  });
});
