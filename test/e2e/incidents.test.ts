import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startReceiver, type WebhookReceiver } from '../alerts/webhook-receiver.ts';
import { eventually } from '../until.ts';
import { type ApiClient, apiClient } from './api-client.ts';
import { type EndpointProcess, freePort, startEndpoint } from './endpoint-process.ts';
import { type NodeProcess, startNodeProcess, temporaryDirectory } from './node-process.ts';

interface IncidentItem {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly dataCenter: string;
  readonly failoverSeconds?: number;
  readonly openedAt: string;
  readonly staleGoneAt: string;
}

interface DeliveryItem {
  readonly event: string;
  readonly state: string;
}

const data = temporaryDirectory();
const addresses = ['127.0.4.1', '127.0.4.2', '127.0.4.3'];
const endpoints: EndpointProcess[] = [];

let node: NodeProcess;
let api: ApiClient;
let receiver: WebhookReceiver;

async function startNode(): Promise<void> {
  node = await startNodeProcess(['--data', data.path, '--config', 'none', '--node-id', 'ams1']);
  api = apiClient(node.api);
}

beforeAll(async () => {
  receiver = await startReceiver();
  const port = await freePort('127.0.4.1');
  for (const address of addresses) endpoints.push(await startEndpoint(address, port));
  await startNode();
  await api.put('/v1/data-centers/fra', { name: 'fra', latitude: 50.11, longitude: 8.68 });
  await api.put('/v1/data-centers/sin', { name: 'sin', latitude: 1.35, longitude: 103.82 });
  await api.put('/v1/monitors/web', {
    name: 'web',
    kind: 'http',
    port,
    intervalSeconds: 0.2,
    timeoutSeconds: 0.2,
    rise: 2,
    fall: 2,
  });
  await api.put('/v1/pools/web', {
    name: 'web',
    monitor: 'web',
    endpoints: addresses.map((probeAddress, i) => ({
      name: `e${i}`,
      dataCenter: i < 2 ? 'fra' : 'sin',
      address: `192.0.2.${i + 1}`,
      probeAddress,
    })),
  });
  await api.put('/v1/policies/closest', { name: 'closest', rank: { kind: 'nearest' } });
  await api.put('/v1/zones/example.org', { name: 'example.org', nameServers: ['ns1.example.net'] });
  const steered = { name: 'www.example.org', pool: 'web', policy: 'closest', ttlSeconds: 7 };
  await api.put('/v1/steered-names/www.example.org', steered);
  const channel = { name: 'on-call', url: receiver.url, groupSeconds: 1, secret: 'correct horse battery' };
  await api.put('/v1/alert-channels/on-call', channel);
  await eventually(
    async () => {
      const { items } = await api.get<{ items: { verdict: string }[] }>('/v1/health');
      return items.every(({ verdict }) => verdict === 'up') ? true : undefined;
    },
    { withinMs: 10_000, what: 'all are up' },
  );
});

afterAll(async () => {
  await node?.stop();
  for (const endpoint of endpoints) await endpoint.kill();
  await receiver?.close();
  data.remove();
});

async function incidents(query: string): Promise<readonly IncidentItem[]> {
  return (await api.get<{ items: IncidentItem[] }>(`/v1/incidents${query}`)).items;
}

function untilIncidents(query: string, count: number): Promise<readonly IncidentItem[]> {
  return eventually(
    async () => {
      const found = await incidents(query);
      return found.length === count ? found : undefined;
    },
    { withinMs: 10_000, what: `there are ${count} incidents of ${query}` },
  );
}

describe('a data center that dies', () => {
  it('is an incident with a timeline and the evidence of its probes, and one message', async () => {
    await Promise.all([endpoints[0]?.kill(), endpoints[1]?.kill()]);
    const found = await untilIncidents('?open=true', 3);
    const lost = found.find(({ kind }) => kind === 'data-center');
    const endpoint = found.find(({ kind }) => kind === 'endpoint');
    expect(lost?.failoverSeconds).toBeGreaterThan(0);
    expect(lost?.failoverSeconds).toBeLessThan(10);
    expect(Date.parse(lost?.staleGoneAt ?? '') - Date.parse(lost?.openedAt ?? '')).toBeGreaterThanOrEqual(
      7000,
    );
    expect(await api.get(`/v1/incidents/${endpoint?.id}`)).toMatchObject({
      live: [{ node: 'ams1' }],
      vantages: [{ verdict: 'down', reason: 'connection-refused' }],
    });
    await receiver.have(1);
    expect(receiver.received[0]?.body).toMatchObject({ title: 'Data center fra is lost', total: 3 });
    expect(receiver.received[0]?.headers['meridian-signature']).toMatch(/^t=\d+,v1=[0-9a-f]{64}$/);
  });

  it('is in the metrics', async () => {
    const text = await (await api.send('GET', '/metrics')).text();
    expect(text).toMatch(/^meridian_failover_seconds_count\{kind="data-center"\} 1$/m);
    expect(text).toMatch(/^meridian_incidents_open\{kind="endpoint"\} 2$/m);
    expect(text).toMatch(/^meridian_alert_attempts_total\{channel="on-call",outcome="taken"\} 1$/m);
  });

  it('is the same incident, and no message more, after a kill -9', async () => {
    const before = await untilIncidents('?open=true', 3);
    await node.stop('SIGKILL');
    await startNode();
    expect((await untilIncidents('?open=true', 3)).map(({ id }) => id)).toEqual(before.map(({ id }) => id));
    expect(receiver.received.length).toBe(1);
  });

  it('is closed when it is back, which is one message again', async () => {
    await Promise.all([endpoints[0]?.start(), endpoints[1]?.start()]);
    await untilIncidents('?open=false&dataCenter=fra', 3);
    await receiver.have(2);
    expect(receiver.received.map(({ body }) => body.title)).toEqual([
      'Data center fra is lost',
      'Data center fra is back',
    ]);
    const deliveries = await eventually(
      async () => {
        const { items } = await api.get<{ items: DeliveryItem[] }>('/v1/alert-channels/on-call/deliveries');
        return items.every(({ state }) => state === 'delivered') ? items : undefined;
      },
      { withinMs: 5000, what: 'both are delivered' },
    );
    expect(deliveries.map(({ event }) => event)).toEqual(['recovered', 'opened']);
  });

  it('prints no warning of the runtime', () => {
    expect(node.output()).not.toMatch(/ExperimentalWarning/);
  });
});
