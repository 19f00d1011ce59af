import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../until.ts';
import { type ApiClient, apiClient } from './api-client.ts';
import { type NodeProcess, runMeridian, startNodeProcess, temporaryDirectory } from './node-process.ts';

interface HealthItem {
  readonly key: string;
  readonly verdict: string;
  readonly reason: string;
  readonly drain?: { readonly safeToRebootAt?: string; readonly note: string };
}

interface Figures {
  readonly open?: boolean;
  readonly endpoints: readonly string[];
  readonly safeToRebootAt?: string;
  readonly rebootNote?: string;
}

const TTL_SECONDS = 7;

const data = temporaryDirectory();
let node: NodeProcess;
let api: ApiClient;
let endpoint: Server;

async function startNode(): Promise<void> {
  node = await startNodeProcess(['--data', data.path, '--config', 'none']);
  api = apiClient(node.api);
}

beforeAll(async () => {
  endpoint = createServer((_, response) =>
    response.writeHead(200, { 'X-Load': '30', 'X-Capacity': '100' }).end(),
  );
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
  const { port } = endpoint.address() as AddressInfo;
  await startNode();
  // Loads are only counted where a capacity is declared.
  await api.put('/v1/data-centers/fra', { name: 'fra', latitude: 50.11, longitude: 8.68, capacity: 1000 });
  await api.put('/v1/data-centers/sin', { name: 'sin', latitude: 1.35, longitude: 103.82 });
  await api.put('/v1/monitors/web', {
    name: 'web',
    kind: 'http',
    port,
    intervalSeconds: 0.2,
    timeoutSeconds: 0.2,
    rise: 1,
    settings: { loadHeaders: { load: 'x-load', capacity: 'x-capacity' } },
  });
  await api.put('/v1/pools/web', {
    name: 'web',
    monitor: 'web',
    guardRails: { minimumUp: 1 },
    endpoints: ['fra-1', 'fra-2', 'sin-1'].map((name, i) => ({
      name,
      dataCenter: name.slice(0, 3),
      address: `192.0.2.${i + 1}`,
      probeAddress: '127.0.0.1',
    })),
  });
  await api.put('/v1/policies/closest', { name: 'closest', rank: { kind: 'nearest' } });
  await api.put('/v1/zones/example.org', { name: 'example.org', nameServers: ['ns1.example.net'] });
  await api.put('/v1/steered-names/www.example.org', {
    name: 'www.example.org',
    pool: 'web',
    policy: 'closest',
    ttlSeconds: TTL_SECONDS,
  });
  await untilHealth('all are up', (items) => items.every(({ verdict }) => verdict === 'up'));
});

afterAll(async () => {
  await node?.stop();
  endpoint?.close();
  data.remove();
});

function untilHealth(
  what: string,
  holds: (items: readonly HealthItem[]) => boolean,
): Promise<readonly HealthItem[]> {
  return eventually(
    async () => {
      const { items } = await api.get<{ items: HealthItem[] }>('/v1/health');
      return holds(items) ? items : undefined;
    },
    { withinMs: 10_000, what },
  );
}

it('takes loads and capacities from the headers of probes', async () => {
  const { items } = await eventually(
    async () => {
      const capacity = await api.get<{ items: { reportedLoad?: number }[] }>('/v1/capacity');
      return capacity.items.every(({ reportedLoad }) => reportedLoad !== undefined) ? capacity : undefined;
    },
    { withinMs: 10_000, what: 'both data centers have a load' },
  );
  expect(items).toMatchObject([
    { dataCenter: 'fra', reportedLoad: 60, capacity: 200 },
    { dataCenter: 'sin', reportedLoad: 30, capacity: 100 },
  ]);
});

it('opens a window at once that is open when it is written, and says when it is safe to reboot', async () => {
  const writtenAtMs = Date.now();
  const window = {
    name: 'works',
    reason: 'Power supply.',
    target: { kind: 'glob', pattern: '*/*', dataCenter: 'fr*' },
    schedule: { kind: 'repeating', cron: '* * * * *', timeZone: 'Europe/Berlin', durationMinutes: 120 },
  };
  await api.put('/v1/maintenance-windows/works', window);
  const figures = await api.get<Figures>('/v1/maintenance-windows/works');
  expect(figures).toMatchObject({ open: true, endpoints: ['web/fra-1', 'web/fra-2'] });
  const safeAtMs = Date.parse(figures.safeToRebootAt ?? '');
  expect(safeAtMs).toBeGreaterThanOrEqual(writtenAtMs + TTL_SECONDS * 1000);
  expect(safeAtMs).toBeLessThanOrEqual(Date.now() + TTL_SECONDS * 1000);

  const { items } = await api.get<{ items: HealthItem[] }>('/v1/health');
  expect(items.map(({ verdict }) => verdict)).toEqual(['drained', 'drained', 'up']);
  expect(items[0]?.reason).toMatch(
    /^Maintenance window works \(by api, until 20.*Z\) drains it: Power supply\.$/,
  );
  const { output } = await runMeridian(['status', `--api=${node.api}`]);
  expect(output).toMatch(/web\/fra-1 +maintenance-window works +20\d\d-\S+Z +It was last answered at/);
});

it('has it in the timeline of the incident', async () => {
  const list = await api.get<{ items: { id: string; kind: string }[] }>('/v1/incidents?open=true');
  const incident = list.items.find(({ kind }) => kind === 'endpoint');
  const { timeline } = await api.get<{ timeline: { step: string; text: string }[] }>(
    `/v1/incidents/${incident?.id}`,
  );
  expect(timeline.find(({ step }) => step === 'decided')?.text).toMatch(/^Maintenance window works/);
  expect(timeline.find(({ step }) => step === 'stale-gone')?.text).toBe(
    'The last answers with it end by their TTL of 7 s: it is safe to reboot, unless all else is down.',
  );
});

it('gives no time for what a guard rail holds', async () => {
  const override = {
    id: 'sin',
    state: 'drain',
    reason: 'Disk.',
    target: { kind: 'data-center', dataCenter: 'sin' },
  };
  await api.put('/v1/overrides/sin', override);
  const { safeToRebootAt, rebootNote } = await api.get<Figures>('/v1/overrides/sin');
  expect([safeToRebootAt, rebootNote]).toEqual([
    undefined,
    expect.stringMatching(/^Not safe for web\/sin-1: A guard rail of the pool web \(1 endpoint stays up\)/),
  ]);
  await api.remove('/v1/overrides/sin');
});

it('knows the same time after a restart', async () => {
  const before = await api.get<Figures>('/v1/maintenance-windows/works');
  await node.stop();
  await startNode();
  await untilHealth('the probes have reported', (items) =>
    items.every(({ verdict }) => verdict !== 'unknown'),
  );
  const after = await api.get<Figures>('/v1/maintenance-windows/works');
  expect([after.open, after.safeToRebootAt]).toEqual([true, before.safeToRebootAt]);
});

it('lets an operator bring back one of them', async () => {
  const target = { kind: 'endpoint', pool: 'web', endpoint: 'fra-2' };
  await api.put('/v1/overrides/fra-2', { id: 'fra-2', state: 'up', reason: 'Needed.', target });
  const items = await untilHealth('it is up', (all) =>
    all.some(({ key, verdict }) => key === 'web/fra-2' && verdict === 'up'),
  );
  expect(items.map(({ verdict }) => verdict)).toEqual(['drained', 'up', 'up']);
  await api.remove('/v1/maintenance-windows/works');
  await untilHealth('all are up', (all) => all.every(({ verdict }) => verdict === 'up'));
});
