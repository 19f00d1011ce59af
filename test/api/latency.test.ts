import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { AppOptions } from '../../src/api/create-app.ts';
import { NOWHERE } from '../../src/geo/location.ts';
import { LatencyLedger } from '../../src/latency/ledger.ts';
import { LatencyLoop } from '../../src/node/latency/latency-loop.ts';
import { fra, sin, write } from '../config/config-fixture.ts';
import { places } from '../geo/table-of.ts';
import { type StartedApi, startApi } from './started-api.ts';
import { createTestPlane } from './test-plane.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
const pushToken = 'only-for-measurements';
const nodeToken = 'correct-horse-battery-staple';
const tokenHash = createHash('sha256').update(pushToken).digest('hex');
const PATH = '/v1/latency/measurements';

const loops: LatencyLoop[] = [];
afterEach(async () => {
  for (const loop of loops.splice(0)) await loop.close();
});

async function started(
  changed: Partial<AppOptions> = {},
): Promise<StartedApi & { readonly loop: LatencyLoop }> {
  const plane = createTestPlane([
    write('dataCenters', fra),
    write('dataCenters', sin),
    write('policies', { name: 'measured', rank: { kind: 'latency', tokenHash } }),
  ]);
  const loop = new LatencyLoop({
    ledger: new LatencyLedger(),
    steering: new Map(),
    config: () => plane.config,
    locate: () => ({ ...NOWHERE, ...places.paris, coordinates: places.paris }),
    publish: async () => {},
    keep: async () => {},
    onFailure: () => {},
    nowMs: () => NOW,
    steadyMs: () => NOW,
    pause: async () => {},
  });
  loops.push(loop);
  const api = await startApi(plane, { latency: loop, ...changed });
  return { ...api, loop };
}

/** Samples of the last ten minutes, for both data centers. */
function rows(
  client: string,
): { client: string; dataCenter: string; milliseconds: number; atSeconds: number }[] {
  return Array.from({ length: 60 }, (_, at) => ({
    client,
    dataCenter: at % 2 === 0 ? 'fra' : 'sin',
    milliseconds: at % 2 === 0 ? 80 : 20,
    atSeconds: NOW / 1000 - 10 * at,
  }));
}

const csvHeaders = { 'content-type': 'text/csv' };

describe('pushed measurements', () => {
  it('are taken as JSON and as CSV alike, and GET tells what they come to', async () => {
    const { send, loop } = await started();
    const before = await send('GET', '/v1/latency?client=192.0.2.7');
    expect(before.body).toMatchObject({ sketches: 0, ranks: true, client: { decidedBy: null } });
    const json = await send('POST', PATH, { measurements: rows('192.0.2.1') });
    expect([json.status, json.body]).toEqual([200, { taken: 60 }]);
    const lines = rows('203.0.113.1').map((row) => Object.values(row).join(','));
    const csv = await send(
      'POST',
      PATH,
      `client,dataCenter,milliseconds,atSeconds\n${lines.join('\n')}\n`,
      csvHeaders,
    );
    expect([csv.status, csv.body]).toEqual([200, { taken: 60 }]);
    await loop.tick();
    const { body } = await send('GET', '/v1/latency?client=192.0.2.7');
    expect(body).toMatchObject({
      groups: { prefix: 2, asn: 0, country: 1 },
      steering: { prefix: 2, asn: 0, country: 0 },
      measurements: { taken: 120, invalid: 0, tooMany: 0 },
      decidedAt: '2026-01-01T12:00:00.000Z',
      publishedAt: '2026-01-01T12:00:00.000Z',
      client: {
        client: '192.0.2.7',
        country: 'FR',
        decidedBy: '192.0.2.0/24',
        groups: [
          { group: '192.0.2.0/24', steers: true, dataCenters: [{ dataCenter: 'fra', samples: 30 }, {}] },
          { group: 'FR', unit: 'detour', dataCenters: [{}, { dataCenter: 'sin', samples: 4 }] },
        ],
      },
    });
  });

  const good = rows('192.0.2.1');
  const cases: readonly {
    readonly name: string;
    readonly body: unknown;
    readonly headers?: Record<string, string>;
    readonly want: number;
    readonly paths?: readonly string[];
  }[] = [
    { name: 'no JSON', body: '{', want: 400 },
    { name: 'no body', body: undefined, want: 400 },
    { name: 'an empty list', body: { measurements: [] }, want: 422, paths: ['measurements'] },
    {
      name: 'other fields and types',
      body: {
        measurements: [
          { ...good[0], milliseconds: '1' },
          { ...good[0], more: 1 },
        ],
      },
      want: 422,
      paths: ['measurements/0/milliseconds', 'measurements/1/more'],
    },
    {
      name: 'a bad line among good ones',
      body: { measurements: [...good, { client: 'x', dataCenter: 'y', milliseconds: -1, atSeconds: 0 }] },
      want: 422,
      paths: ['client', 'dataCenter', 'milliseconds', 'atSeconds'].map((field) => `measurements/60/${field}`),
    },
    { name: 'CSV that is none', body: 'a', headers: csvHeaders, want: 422, paths: ['line 1'] },
    { name: 'another type', body: 'a', headers: { 'content-type': 'text/plain' }, want: 415 },
    {
      name: 'CSV in another charset',
      body: new Uint8Array([0xff]),
      headers: csvHeaders,
      want: 415,
    },
    { name: 'too many octets', body: '1'.repeat(1_100_000), headers: csvHeaders, want: 413 },
    {
      name: 'too many measurements',
      body: { measurements: Array.from({ length: 2001 }, () => good[0]) },
      want: 422,
      paths: ['measurements'],
    },
  ];
  it.each(cases)('are refused, and nothing is kept: $name', async ({ body, headers, want, paths }) => {
    const { send } = await started();
    const answer = await send('POST', PATH, body, headers);
    expect(answer.status).toBe(want);
    if (paths !== undefined) {
      const { problems } = answer.body as { readonly problems: readonly { readonly path: string }[] };
      expect(problems.map(({ path }) => path)).toEqual(paths);
    }
    const { body: summary } = await send('GET', '/v1/latency');
    expect(summary).toMatchObject({ sketches: 0, measurements: { taken: 0 } });
  });

  it('are refused when they come too fast, with the time to wait', async () => {
    const { send } = await started();
    const full = { measurements: Array.from({ length: 2000 }, () => good[0]) };
    const statuses: number[] = [];
    for (let count = 0; count < 11; count += 1) statuses.push((await send('POST', PATH, full)).status);
    expect(statuses).toEqual([...new Array(10).fill(200), 429]);
    const refused = await send('POST', PATH, full);
    expect(refused.headers.get('retry-after')).toBe('2');
    expect(refused.body).toMatchObject({ code: 'too-many-measurements' });
  });
});

describe('who may push', () => {
  const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
  const body = { measurements: rows('192.0.2.1') };
  const cases: readonly (readonly [string, string, string, Record<string, string>, number])[] = [
    ['nobody without a token', 'POST', PATH, {}, 401],
    ['nobody with another', 'POST', PATH, bearer('guess'), 401],
    ['the token of the policy', 'POST', PATH, bearer(pushToken), 200],
    ["the node's token", 'POST', PATH, bearer(nodeToken), 200],
    ['the token of the policy, nothing else', 'PUT', '/v1/data-centers/ams', bearer(pushToken), 401],
    ['nor by another method', 'PUT', PATH, bearer(pushToken), 401],
  ];
  it.each(cases)('%s', async (_, method, path, headers, want) => {
    const { send } = await started({ token: nodeToken, writesNeedToken: true });
    expect((await send(method, path, body, headers)).status).toBe(want);
  });
});

describe('self', () => {
  const body = { measurements: [{ client: 'self', dataCenter: 'fra', milliseconds: 10 }] };
  const group = async ({ send }: StartedApi, client: string): Promise<number> => {
    const answer = await send('GET', `/v1/latency?client=${client}`);
    const { client: told } = answer.body as {
      readonly client: { readonly groups: { readonly dataCenters: unknown[] }[] };
    };
    return told.groups[0]?.dataCenters.length ?? 0;
  };

  it('is the peer, whatever headers say, where no header is configured', async () => {
    const api = await started();
    expect((await api.send('POST', PATH, body, { 'x-real-ip': '192.0.2.1' })).status).toBe(200);
    expect([await group(api, '127.0.0.1'), await group(api, '192.0.2.1')]).toEqual([1, 0]);
  });

  it('is the last address of the configured header', async () => {
    const api = await started({ measurementClientHeader: 'x-forwarded-for' });
    const headers = { 'x-forwarded-for': '203.0.113.1, 192.0.2.1' };
    expect((await api.send('POST', PATH, body, headers)).status).toBe(200);
    expect([await group(api, '192.0.2.1'), await group(api, '203.0.113.1')]).toEqual([1, 0]);
  });

  it('is the only client that may be spoken for where the address says so', async () => {
    const api = await started();
    const other = { ...body.measurements[0], client: '192.0.2.1' };
    const refused = await api.send('POST', `${PATH}?client=self`, {
      measurements: [...body.measurements, other],
    });
    expect(refused.status).toBe(422);
    expect(refused.body).toMatchObject({ problems: [{ path: 'measurements/1/client' }] });
    expect((await api.send('POST', `${PATH}?client=self`, body)).status).toBe(200);
    expect((await api.send('POST', `${PATH}?client=192.0.2.1`, body)).status).toBe(400);
    expect([await group(api, '127.0.0.1'), await group(api, '192.0.2.1')]).toEqual([1, 0]);
  });

  it.each([{}, { 'x-real-ip': 'unknown' }])('is nobody where that header names none: %o', async (headers) => {
    const { send } = await started({ measurementClientHeader: 'x-real-ip' });
    const answer = await send('POST', PATH, body, headers);
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ problems: [{ path: 'measurements/0/client' }] });
  });
});

it('refuses a client that is no address', async () => {
  const { send } = await started();
  for (const query of ['client=x', 'client=192.0.2.0/24', 'other=1'])
    expect((await send('GET', `/v1/latency?${query}`)).status).toBe(400);
});
