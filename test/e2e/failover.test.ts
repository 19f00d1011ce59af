import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../until.ts';
import { type ApiClient, apiClient } from './api-client.ts';
import { addressesOf, askIndependently, askTcp, askUdp } from './dns-client.ts';
import { type EndpointProcess, freePort, startEndpoint } from './endpoint-process.ts';
import { type NodeProcess, startNodeProcess, temporaryDirectory } from './node-process.ts';

const data = temporaryDirectory();
const places = [
  { name: 'fra', latitude: 50.11, longitude: 8.68, address: '127.0.2.1', answer: '192.0.2.1' },
  { name: 'sin', latitude: 1.35, longitude: 103.82, address: '127.0.2.2', answer: '192.0.2.2' },
  { name: 'iad', latitude: 39.04, longitude: -77.49, address: '127.0.2.3', answer: '192.0.2.3' },
] as const;

let node: NodeProcess;
let api: ApiClient;
const endpoints = new Map<string, EndpointProcess>();

beforeAll(async () => {
  const port = await freePort('127.0.2.1');
  for (const { name, address } of places) endpoints.set(name, await startEndpoint(address, port));
  node = await startNodeProcess(['--data', data.path, '--config', 'none']);
  api = apiClient(node.api);
  for (const { name, latitude, longitude } of places)
    await api.put(`/v1/data-centers/${name}`, { name, latitude, longitude });
  await api.put('/v1/monitors/web', {
    name: 'web',
    kind: 'http',
    port,
    intervalSeconds: 0.2,
    timeoutSeconds: 0.2,
    rise: 2,
    fall: 2,
    // Endpoints are killed more often here than one that does not flap would be.
    flapping: { holdDownSeconds: 0, maxHoldDownSeconds: 0 },
  });
  await api.put('/v1/pools/web', {
    name: 'web',
    monitor: 'web',
    endpoints: places.map(({ name, address, answer }) => ({
      name,
      dataCenter: name,
      address: answer,
      probeAddress: address,
    })),
  });
  await api.put('/v1/policies/closest', { name: 'closest', rank: { kind: 'nearest' } });
  await api.put('/v1/zones/example.org', { name: 'example.org', nameServers: ['ns1.example.org'] });
  await api.put('/v1/zones/example.org/rrsets/ns1.example.org/A', {
    name: 'ns1.example.org',
    type: 'A',
    ttlSeconds: 60,
    records: ['192.0.2.53'],
  });
  await api.put('/v1/steered-names/www.example.org', {
    name: 'www.example.org',
    pool: 'web',
    policy: 'closest',
    ttlSeconds: 5,
  });
});

afterAll(async () => {
  await node?.stop();
  for (const endpoint of endpoints.values()) await endpoint.kill();
  data.remove();
});

/** A German client, by the shipped table. */
const germanSubnet = '84.128.0.0/24';

function germanAnswer(): Promise<readonly string[]> {
  return addressesOf(node.dnsPort, { name: 'www.example.org', type: 'A', subnet: germanSubnet });
}

function untilGermansGet(address: string): Promise<true> {
  return eventually(async () => ((await germanAnswer()).includes(address) ? true : undefined), {
    withinMs: 10_000,
    what: `German clients are sent to ${address}`,
  });
}

describe('a node that was configured by REST', () => {
  it('answers a static name at once, by UDP and TCP alike', async () => {
    const question = { name: 'ns1.example.org', type: 'A' };
    const overUdp = await askUdp(node.dnsPort, question);
    const overTcp = await askTcp(node.dnsPort, question);
    expect(overUdp?.answers.map((record) => record.text)).toEqual(['192.0.2.53']);
    expect(overTcp?.answers).toEqual(overUdp?.answers);
  });

  it('shows a write in the very next answer', async () => {
    for (let last = 1; last <= 20; last++) {
      const address = `192.0.2.${last}`;
      await api.put('/v1/zones/example.org/rrsets/now.example.org/A', {
        name: 'now.example.org',
        type: 'A',
        ttlSeconds: 60,
        records: [address],
      });
      expect(await addressesOf(node.dnsPort, { name: 'now.example.org', type: 'A' })).toEqual([address]);
    }
  });

  it('forgets a deleted RRset in the very next answer', async () => {
    await api.put('/v1/zones/example.org/rrsets/gone.example.org/A', {
      name: 'gone.example.org',
      type: 'A',
      ttlSeconds: 60,
      records: ['192.0.2.99'],
    });
    await api.remove('/v1/zones/example.org/rrsets/gone.example.org/A');
    const answer = await askUdp(node.dnsPort, { name: 'gone.example.org', type: 'A' });
    expect([answer?.rcode, answer?.answers.length]).toEqual([3, 0]);
  });

  it('moves away from a killed data center and back, and changes no other answer', async () => {
    await untilGermansGet('192.0.2.1');
    const singapore = { name: 'www.example.org', type: 'A', subnet: '203.116.0.0/24' };
    const before = await addressesOf(node.dnsPort, singapore);
    await endpoints.get('fra')?.kill();
    await untilGermansGet('192.0.2.3');
    expect(await addressesOf(node.dnsPort, singapore)).toEqual(before);
    await endpoints.get('fra')?.start();
    await untilGermansGet('192.0.2.1');
    expect(await addressesOf(node.dnsPort, singapore)).toEqual(before);
  });

  it('says the same to an independent client', async () => {
    await untilGermansGet('192.0.2.1');
    expect(await askIndependently(node.dnsPort, 'www.example.org', 'A', '84.128.0.1')).toEqual(['192.0.2.1']);
  });

  it('follows an override and its end', async () => {
    await untilGermansGet('192.0.2.1');
    await api.put('/v1/overrides/move-out', {
      id: 'move-out',
      state: 'drain',
      target: { kind: 'data-center', dataCenter: 'fra' },
      reason: 'power work',
    });
    expect(await germanAnswer()).toEqual(['192.0.2.3']);
    await api.remove('/v1/overrides/move-out');
    expect(await germanAnswer()).toEqual(['192.0.2.1']);
  });

  it('remembers over a restart who was down', async () => {
    await untilGermansGet('192.0.2.1');
    await endpoints.get('fra')?.kill();
    await untilGermansGet('192.0.2.3');
    await node.stop();
    node = await startNodeProcess(['--data', data.path, '--config', 'none']);
    api = apiClient(node.api);
    // The very first answer: no probe needs to have reported yet.
    expect(await germanAnswer()).toEqual(['192.0.2.3']);
    await endpoints.get('fra')?.start();
    await untilGermansGet('192.0.2.1');
  });

  it('tells as a problem that all of a pool are down', async () => {
    for (const endpoint of endpoints.values()) await endpoint.kill();
    const problem = await eventually(
      async () => {
        const { items } = await api.get<{ items: { code: string; path: string }[] }>('/v1/problems');
        return items.find(({ code }) => code === 'all-down');
      },
      { withinMs: 10_000, what: 'the problem is told' },
    );
    expect(problem.path).toBe('steeredNames/www.example.org.');
    // Fail open: as if all were up.
    expect(await germanAnswer()).toEqual(['192.0.2.1']);
    for (const endpoint of endpoints.values()) await endpoint.start();
    await untilGermansGet('192.0.2.1');
  });

  it('explains what it answers', async () => {
    await untilGermansGet('192.0.2.1');
    const told = await api.get<{ answer: { records: string[] }; client: { location: { country: string } } }>(
      `/v1/explain?name=www.example.org&type=A&client=${encodeURIComponent(germanSubnet)}`,
    );
    expect(told.client.location.country).toBe('DE');
    expect(told.answer.records).toEqual(['www.example.org. 5 IN A 192.0.2.1']);
  });

  it('refuses a write that would break another resource, with every reason', async () => {
    const response = await api.send('DELETE', '/v1/data-centers/fra');
    const body = (await response.json()) as { problems: { path: string }[] };
    expect(response.status).toBe(422);
    expect(body.problems.map((problem) => problem.path)).toContain('pools/web/endpoints/fra/dataCenter');
  });
});
