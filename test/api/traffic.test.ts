import { describe, expect, it } from 'vitest';
import { TrafficTally } from '../../src/observe/traffic/traffic-tally.ts';
import { namedSample } from '../observe/samples.ts';
import { type StartedApi, startApi } from './started-api.ts';
import { createTestPlane } from './test-plane.ts';

const NOW_MS = Date.UTC(2026, 0, 1, 12, 0, 30);

/** An API over three steered answers and one static one. */
async function setUp(): Promise<StartedApi> {
  const traffic = new TrafficTally(1, () => NOW_MS);
  for (const [client, dataCenter] of [
    ['203.0.113.0/24', 'fra'],
    ['203.0.113.0/24', 'fra'],
    ['2001:db8::/48', 'nyc'],
  ] as const)
    traffic.add(namedSample({ client, dataCenter }), 1);
  traffic.add(namedSample({ name: 'ns1.example.org.', steered: false }), 1);
  return startApi(createTestPlane(), { traffic });
}

const exact = { missingAtMost: 0, samplingError: 0 };

describe('/v1/traffic', () => {
  it('tells the heaviest of everything', async () => {
    const { send } = await setUp();
    const { status, body } = await send('GET', '/v1/traffic');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      from: '2026-01-01T11:01:00.000Z',
      to: '2026-01-01T12:00:30.000Z',
      sampling: { every: 1, samples: 4, dropped: 0 },
      total: { queries: 4, ...exact },
      names: [{ name: 'www.example.org.', steered: true, queries: 3 }, { name: 'ns1.example.org.' }],
      clients: [{ prefix: '203.0.113.0/24', queries: 2 }, { prefix: '2001:db8::/48' }],
      resolvers: [{ prefix: '192.0.2.0/24', queries: 4 }],
      dataCenters: [{ dataCenter: 'fra', share: 0.6667 }, { dataCenter: 'nyc' }],
    });
  });

  it('takes names as people write them, and a limit', async () => {
    const { send } = await setUp();
    const { body } = await send('GET', '/v1/traffic?name=NS1.example.org&limit=1&minutes=5');
    expect(body).toMatchObject({
      from: '2026-01-01T11:56:00.000Z',
      names: [{ name: 'ns1.example.org.' }],
      nameDataCenters: [],
      clients: [{ prefix: '203.0.113.0/24' }],
    });
  });

  it('gives prefixes as JSON and as comma-separated values', async () => {
    const { send } = await setUp();
    expect((await send('GET', '/v1/traffic/prefixes?limit=1')).body).toMatchObject({
      counted: { queries: 3, ...exact },
      items: [{ prefix: '203.0.113.0/24', queries: 2, ...exact }],
    });
    const { headers, body } = await send('GET', '/v1/traffic/prefixes.csv');
    expect(headers.get('content-type')).toMatch(/^text\/csv/);
    expect(body).toBe(
      'prefix,queries,missing_at_most,sampling_error\n203.0.113.0/24,2,0,0\n2001:db8::/48,1,0,0\n',
    );
    expect((await send('GET', '/v1/traffic/prefixes.csv?of=resolvers')).body).toMatch(
      /^192\.0\.2\.0\/24,4,/m,
    );
  });

  const refusals: readonly { path: string; want: RegExp }[] = [
    { path: '/v1/traffic?minutes=61', want: /minutes/ },
    { path: '/v1/traffic?minutes=0', want: /minutes/ },
    { path: '/v1/traffic?limit=501', want: /limit/ },
    { path: '/v1/traffic?name=a..b', want: /name/ },
    { path: '/v1/traffic?nmae=x', want: /nmae/ },
    { path: '/v1/traffic/prefixes?of=names', want: /of/ },
    { path: '/v1/traffic/prefixes?limit=10001', want: /limit/ },
  ];
  it.each(refusals)('refuses $path', async ({ path, want }) => {
    const { send } = await setUp();
    const { status, body } = await send('GET', path);
    expect([status, (body as { code: string }).code]).toEqual([400, 'bad-parameter']);
    expect((body as { detail: string }).detail).toMatch(want);
  });

  it.each(['/v1/traffic', '/v1/traffic/prefixes', '/v1/traffic/prefixes.csv'])(
    '%s is not there where nothing is sampled',
    async (path) => {
      const { send } = await startApi();
      const { status, body } = await send('GET', path);
      expect([status, (body as { detail: string }).detail]).toEqual([
        404,
        expect.stringMatching(/--sample 0/),
      ]);
    },
  );
});
