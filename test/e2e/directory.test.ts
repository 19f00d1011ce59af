import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../until.ts';
import { apiClient } from './api-client.ts';
import { addressesOf } from './dns-client.ts';
import { type NodeProcess, startNodeProcess, temporaryDirectory } from './node-process.ts';

const data = temporaryDirectory();
const config = temporaryDirectory();
const zoneFile = join(config.path, 'zones', 'example.org.zone');
const yamlFile = join(config.path, 'meridian.yaml');
let node: NodeProcess;

function zoneText(address: string): string {
  return `$TTL 300
@ IN SOA ns1 hostmaster ( 1 3600 600 86400 60 )
  IN NS ns1
ns1 IN A 192.0.2.53
www IN A ${address}
`;
}

const yaml = `dataCenters:
  - name: fra
    latitude: 50.11
    longitude: 8.68
pools:
  - name: web
    endpoints:
      - { name: fra, dataCenter: fra, address: 192.0.2.1 }
policies:
  - name: closest
    rank: { kind: nearest }
steeredNames:
  - { name: app.example.org, pool: web, policy: closest }
`;

beforeAll(async () => {
  mkdirSync(join(config.path, 'zones'));
  writeFileSync(zoneFile, zoneText('192.0.2.10'));
  writeFileSync(yamlFile, yaml);
  node = await startNodeProcess(['--data', data.path, '--config', config.path]);
});
afterAll(async () => {
  await node?.stop();
  data.remove();
  config.remove();
});

function www(): Promise<readonly string[]> {
  return addressesOf(node.dnsPort, { name: 'www.example.org', type: 'A' });
}

async function reloadUntilWww(want: string): Promise<void> {
  node.signal('SIGHUP');
  await eventually(async () => ((await www()).includes(want) ? true : undefined), {
    withinMs: 5000,
    what: `www.example.org is ${want}`,
  });
}

describe('a node with a configuration directory', () => {
  it('serves its zones and steered names', async () => {
    expect(await www()).toEqual(['192.0.2.10']);
    expect(await addressesOf(node.dnsPort, { name: 'app.example.org', type: 'A' })).toEqual(['192.0.2.1']);
  });

  it('follows a changed file on SIGHUP and keeps what the API made', async () => {
    const api = apiClient(node.api);
    await api.put('/v1/data-centers/sin', { name: 'sin', latitude: 1.35, longitude: 103.82 });
    writeFileSync(zoneFile, zoneText('192.0.2.11'));
    await reloadUntilWww('192.0.2.11');
    const kept = await api.get<{ value: { name: string } }>('/v1/data-centers/sin');
    expect(kept.value.name).toBe('sin');
  });

  it('refuses to edit what a file owns and names the file', async () => {
    const response = await apiClient(node.api).send('PUT', '/v1/pools/web', { name: 'web', endpoints: [] });
    const body = await response.text();
    expect([response.status, body.includes('meridian.yaml')]).toEqual([409, true]);
  });

  it('keeps serving the last good state when a file is broken, and reports every mistake', async () => {
    writeFileSync(zoneFile, zoneText('192.0.2.300').replace('ns1 IN A', 'ns1 IN AAAA'));
    node.signal('SIGHUP');
    const problems = await eventually(
      async () => {
        const list = await apiClient(node.api).get<{ items: { source?: { file: string; line: number } }[] }>(
          '/v1/problems',
        );
        return list.items.length > 0 ? list.items : undefined;
      },
      { withinMs: 5000, what: 'problems are reported' },
    );
    expect(problems.map((problem) => problem.source)).toEqual([
      { file: 'zones/example.org.zone', line: 4 },
      { file: 'zones/example.org.zone', line: 5 },
    ]);
    expect(await www()).toEqual(['192.0.2.11']);
    writeFileSync(zoneFile, zoneText('192.0.2.12'));
    await reloadUntilWww('192.0.2.12');
    expect(await apiClient(node.api).get('/v1/problems')).toMatchObject({ items: [] });
  });

  it('starts again with what it had when the files are broken meanwhile, and says so', async () => {
    await node.stop();
    writeFileSync(zoneFile, zoneText('192.0.2.300'));
    node = await startNodeProcess(['--data', data.path, '--config', config.path]);
    expect(await www()).toEqual(['192.0.2.12']);
    expect(node.output()).toMatch(/has mistakes/);
    const { items } = await apiClient(node.api).get<{ items: { source?: unknown }[] }>('/v1/problems');
    expect(items.map(({ source }) => source)).toEqual([{ file: 'zones/example.org.zone', line: 5 }]);
    writeFileSync(zoneFile, zoneText('192.0.2.12'));
  });

  it('forgets what was removed from the files', async () => {
    rmSync(yamlFile);
    node.signal('SIGHUP');
    await eventually(
      async () => {
        const answers = await addressesOf(node.dnsPort, { name: 'app.example.org', type: 'A' });
        return answers.length === 0 ? true : undefined;
      },
      { withinMs: 5000, what: 'app.example.org is gone' },
    );
    expect(await www()).toEqual(['192.0.2.12']);
  });
});
