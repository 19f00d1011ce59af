import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../until.ts';
import { type ApiClient, apiClient } from './api-client.ts';
import { addressesOf } from './dns-client.ts';
import { type NodeProcess, startNodeProcess, temporaryDirectory } from './node-process.ts';

const data = temporaryDirectory();
let node: NodeProcess;
let api: ApiClient;

const tokenHash = createHash('sha256').update('only-for-measurements').digest('hex');
const FRA = '192.0.2.1';
const SIN = '192.0.2.2';

beforeAll(async () => {
  node = await startNodeProcess(['--data', data.path, '--config', 'none']);
  api = apiClient(node.api);
  await api.put('/v1/data-centers/fra', { name: 'fra', latitude: 50.11, longitude: 8.68 });
  await api.put('/v1/data-centers/sin', { name: 'sin', latitude: 1.35, longitude: 103.82 });
  await api.put('/v1/pools/web', {
    name: 'web',
    endpoints: [
      { name: 'fra', dataCenter: 'fra', address: FRA },
      { name: 'sin', dataCenter: 'sin', address: SIN },
    ],
  });
  await api.put('/v1/policies/measured', { name: 'measured', rank: { kind: 'latency', tokenHash } });
  await api.put('/v1/policies/closest', { name: 'closest', rank: { kind: 'nearest' } });
  await api.put('/v1/zones/example.org', { name: 'example.org', nameServers: ['ns1.example.net.'] });
  for (const [name, policy] of Object.entries({ www: 'measured', far: 'closest' }))
    await api.put(`/v1/steered-names/${name}.example.org.`, {
      name: `${name}.example.org.`,
      pool: 'web',
      policy,
    });
});
afterAll(async () => {
  await node?.stop();
  data.remove();
});

/** Of a client in Germany, for whom Frankfurt is near. */
async function answer(name: string, subnet = '84.128.1.0/24'): Promise<string> {
  return (await addressesOf(node.dnsPort, { name: `${name}.example.org`, type: 'A', subnet })).join(' ');
}

/** Thirty samples for each data center, of the last ten minutes: Frankfurt is slow, Singapore is not. */
function batch(client: string): unknown {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const measurements = Array.from({ length: 60 }, (_, at) => ({
    client,
    dataCenter: at % 2 === 0 ? 'fra' : 'sin',
    milliseconds: at % 2 === 0 ? 400 : 20,
    atSeconds: nowSeconds - 10 * at,
  }));
  return { measurements };
}

describe('measured latency, on a real node', () => {
  it('moves the answers to where clients are served faster, and only theirs', async () => {
    expect([await answer('www'), await answer('far')]).toEqual([FRA, FRA]);
    expect((await api.send('POST', '/v1/latency/measurements', batch('84.128.1.7'))).status).toBe(200);
    await eventually(async () => ((await answer('www')) === SIN ? true : undefined), {
      withinMs: 30_000,
      what: 'the measured order',
    });
    expect(await answer('far')).toBe(FRA);
    // The country has as many samples, and its detours say the same; elsewhere distance decides.
    expect(await answer('www', '90.0.0.0/24')).toBe(FRA);
    const explained = await api.get<{ readonly steps: readonly { readonly text: string }[] }>(
      '/v1/explain?name=www.example.org.&client=84.128.1.0/24',
    );
    const told = explained.steps.map(({ text }) => text).join(' ');
    expect(told).toContain('as measured for the prefix 84.128.1.0/24: sin 20');
    const why = await api.get<{ readonly client: { readonly decidedBy: string } }>(
      '/v1/latency?client=84.128.1.99',
    );
    expect(why.client.decidedBy).toBe('84.128.1.0/24');
    const metrics = await (await api.send('GET', '/metrics')).text();
    expect(metrics).toContain('meridian_latency_measurements_total{outcome="taken"} 60');
    expect(metrics).toContain('meridian_latency_groups{kind="prefix",state="steering"} 1');
  });

  it('goes on so after a restart', async () => {
    await node.stop();
    node = await startNodeProcess(['--data', data.path, '--config', 'none']);
    api = apiClient(node.api);
    expect([await answer('www'), await answer('far')]).toEqual([SIN, FRA]);
    const why = await api.get<{ readonly client: { readonly decidedBy: string } }>(
      '/v1/latency?client=84.128.1.99',
    );
    expect(why.client.decidedBy).toBe('84.128.1.0/24');
  });
});
