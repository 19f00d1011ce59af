import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/config/check.ts';
import type { Change } from '../../src/config/model.ts';
import { configOf, fra, sin, write } from '../config/config-fixture.ts';
import { type StartedApi, startApi } from './started-api.ts';
import { createTestPlane } from './test-plane.ts';

const pushToken = 'only-for-the-batch-job';
const nodeToken = 'correct-horse-battery-staple';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const changes: readonly Change[] = [
  write('dataCenters', fra),
  write('dataCenters', sin),
  write('monitors', { name: 'tcp', kind: 'tcp', port: 80 }),
  write('monitors', { name: 'job', kind: 'push', settings: { tokenHash: sha256(pushToken) } }),
  write('monitors', { name: 'open', kind: 'push', settings: { leaseSeconds: 5 } }),
  write('monitors', {
    name: 'both',
    kind: 'composed',
    settings: { rule: { all: [{ monitor: 'job' }, { monitor: 'open' }, { monitor: 'tcp' }] } },
  }),
  write('pools', {
    name: 'web',
    monitor: 'job',
    endpoints: [
      { name: 'a', dataCenter: 'fra', address: '192.0.2.1' },
      { name: 'b', dataCenter: 'fra', address: '192.0.2.2', monitor: 'tcp' },
      { name: 'c', dataCenter: 'fra', address: '192.0.2.3', monitor: 'both' },
      { name: 'd', dataCenter: 'sin', canonicalName: 'd.example.net', monitor: 'open' },
    ],
  }),
];

const path = (endpoint: string): string => `/v1/pools/web/endpoints/${endpoint}/report`;
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

async function started(): Promise<StartedApi> {
  return startApi(createTestPlane(changes), { token: nodeToken, writesNeedToken: true });
}

it('the configuration has no problem, also without an address to probe', () => {
  expect(checkConfig(configOf(...changes))).toEqual([]);
});

describe('who may report', () => {
  const cases: readonly {
    readonly name: string;
    readonly method?: string;
    readonly path: string;
    readonly token: string | undefined;
    readonly want: number;
  }[] = [
    { name: 'nobody without a token', path: path('a'), token: undefined, want: 401 },
    { name: 'nobody with another', path: path('a'), token: 'guess', want: 401 },
    { name: 'the push token', path: path('a'), token: pushToken, want: 200 },
    { name: "the node's token", path: path('a'), token: nodeToken, want: 200 },
    { name: 'the push token, not for another monitor', path: path('d'), token: pushToken, want: 401 },
    { name: 'the push token, not for one that is probed', path: path('b'), token: pushToken, want: 401 },
    { name: 'the push token, not for one that is not there', path: path('x'), token: pushToken, want: 401 },
    {
      name: 'the push token, by no other method',
      method: 'DELETE',
      path: path('a'),
      token: pushToken,
      want: 401,
    },
    { name: 'the push token, nothing else', path: '/v1/pools/web/endpoints/a', token: pushToken, want: 401 },
    { name: 'the push token, no other path', path: `${path('a')}/`, token: pushToken, want: 401 },
  ];
  it.each(cases)('$name: $want', async ({ method = 'PUT', path: at, token, want }) => {
    const { send, plane } = await started();
    const answer = await send(method, at, { up: true }, token === undefined ? {} : bearer(token));
    expect(answer.status).toBe(want);
    expect(plane.reports.length).toBe(want === 200 ? 1 : 0);
  });

  it('each monitor by its own token, all by that of the node', async () => {
    const { send, plane } = await started();
    await send('PUT', path('c'), { up: true }, bearer(pushToken));
    await send('PUT', path('c'), { up: true }, bearer(nodeToken));
    expect(plane.reports.map(({ keys }) => keys)).toEqual([['web/c@job'], ['web/c@job', 'web/c@open']]);
  });
});

describe('a report', () => {
  const cases: readonly {
    readonly name: string;
    readonly endpoint?: string;
    readonly given: unknown;
    readonly want: number;
  }[] = [
    {
      name: 'in full',
      given: { up: false, reason: 'queue full', load: 3.5, capacity: 10, leaseSeconds: 60 },
      want: 200,
    },
    { name: 'without up or down', given: { load: 1 }, want: 422 },
    { name: 'with a field of its own', given: { up: true, weight: 1 }, want: 422 },
    { name: 'with a negative load', given: { up: true, load: -1 }, want: 422 },
    // Sums of loads must stay numbers.
    { name: 'with a load beyond all measure', given: { up: true, load: 1e308 }, want: 422 },
    { name: 'with a capacity beyond all measure', given: { up: true, load: 1, capacity: 1e308 }, want: 422 },
    { name: 'with an endless lease', given: { up: true, leaseSeconds: 1e9 }, want: 422 },
    { name: 'that is too long', given: { up: true, reason: 'x'.repeat(5000) }, want: 413 },
    { name: 'of an endpoint that is probed', endpoint: 'b', given: { up: true }, want: 422 },
    { name: 'of nobody', endpoint: 'x', given: { up: true }, want: 404 },
  ];
  it.each(cases)('$name: $want', async ({ endpoint = 'a', given, want }) => {
    const { send, plane } = await started();
    const answer = await send('PUT', path(endpoint), given, bearer(nodeToken));
    expect(answer.status).toBe(want);
    expect(plane.reports.map(({ report }) => report)).toEqual(want === 200 ? [given] : []);
  });

  it('that is too long is told how long it may be', async () => {
    const { send } = await started();
    const answer = await send('PUT', path('a'), { up: true, reason: 'x'.repeat(5000) }, bearer(pushToken));
    expect(answer.body).toMatchObject({ detail: 'The body is larger than 4096 octets.' });
  });

  it('that comes too soon is told when to come again', async () => {
    const { send, plane } = await started();
    plane.report = () => ({ kind: 'too-soon', waitMs: 1500 });
    const answer = await send('PUT', path('a'), { up: true }, bearer(pushToken));
    expect(answer).toMatchObject({ status: 429, body: { code: 'too-many-reports' } });
    expect(answer.headers.get('retry-after')).toBe('2');
  });
});
