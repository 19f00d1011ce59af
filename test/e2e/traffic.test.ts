import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PrefixReport, TrafficReport } from '../../src/observe/traffic/traffic-report.ts';
import { eventually } from '../until.ts';
import { type ApiClient, apiClient } from './api-client.ts';
import { askTcp, askUdp } from './dns-client.ts';
import { type NodeProcess, startNodeProcess, temporaryDirectory } from './node-process.ts';

const hasTools = ['fstrm_capture', 'dnstap-read'].every(
  (tool) => spawnSync(tool, ['-h'], { stdio: 'ignore' }).error === undefined,
);

const data = temporaryDirectory();
const config = temporaryDirectory();
const queryLog = join(data.path, 'queries.jsonl');
const tapSocket = join(data.path, 'tap.sock');
const tapFile = join(data.path, 'tap.fstrm');
let node: NodeProcess;
let api: ApiClient;
let endTap: () => Promise<void> = async () => {};

beforeAll(async () => {
  writeFileSync(
    join(config.path, 'example.org.zone'),
    `$TTL 300
@ IN SOA ns1 hostmaster 1 3600 600 86400 60
@ IN NS ns1
ns1 IN A 192.0.2.53
`,
  );
  writeFileSync(
    join(config.path, 'meridian.yaml'),
    `dataCenters:
  - { name: fra, latitude: 50.11, longitude: 8.68 }
  - { name: sin, latitude: 1.35, longitude: 103.82 }
pools:
  - name: web
    endpoints:
      - { name: fra, dataCenter: fra, address: 192.0.2.1 }
      - { name: sin, dataCenter: sin, address: 192.0.2.2 }
policies:
  - { name: closest, rank: { kind: nearest } }
steeredNames:
  - { name: www.example.org, pool: web, policy: closest }
  - { name: "*.any.example.org", pool: web, policy: closest }
`,
  );
  if (hasTools) {
    const tap = spawn('fstrm_capture', ['-t', 'protobuf:dnstap.Dnstap', '-u', tapSocket, '-w', tapFile], {
      stdio: 'ignore',
    });
    await eventually(async () => existsSync(tapSocket) || undefined, { withinMs: 5000, what: 'a collector' });
    endTap = async () => {
      const ended = once(tap, 'exit');
      tap.kill('SIGTERM');
      await ended;
    };
  }
  node = await startNodeProcess([
    ...['--data', data.path, '--config', config.path, '--node-id', 'fra-1', '--sample', '1'],
    ...['--query-log', queryLog, ...(hasTools ? ['--dnstap', tapSocket] : [])],
  ]);
  api = apiClient(node.api);
  const ask = (name: string, subnet?: string): Promise<unknown> =>
    askUdp(node.dnsPort, { name, type: 'A', ...(subnet === undefined ? {} : { subnet }) });
  await ask('www.example.org', '84.128.1.0/24');
  await ask('www.example.org', '84.128.1.0/24');
  await ask('wWw.eXample.org', '165.21.0.0/24');
  await ask('x.any.example.org');
  await askTcp(node.dnsPort, { name: 'no.example.org', type: 'AAAA' });
});
afterAll(async () => {
  await node?.stop();
  data.remove();
  config.remove();
});

async function traffic(): Promise<TrafficReport> {
  return eventually(
    async () => {
      const report = await api.get<TrafficReport>('/v1/traffic');
      return report.sampling.samples === 5 ? report : undefined;
    },
    { withinMs: 5000, what: 'five samples' },
  );
}

describe('the traffic of a node', () => {
  it('is told by the API', async () => {
    const report = await traffic();
    expect(report.total).toEqual({ queries: 5, missingAtMost: 0, samplingError: 0 });
    expect(report.names.map(({ name, steered, queries }) => `${name} ${steered} ${queries}`).sort()).toEqual([
      '*.any.example.org. true 1',
      'no.example.org. false 1',
      'www.example.org. true 3',
    ]);
    expect(report.clients.map(({ prefix, queries }) => `${prefix} ${queries}`).sort()).toEqual([
      '127.0.0.0/24 1',
      '165.21.0.0/24 1',
      '84.128.1.0/24 2',
    ]);
    expect(report.resolvers.map(({ prefix, queries }) => `${prefix} ${queries}`)).toEqual(['127.0.0.0/24 5']);
    const ofWww = report.nameDataCenters.filter(({ name }) => name === 'www.example.org.');
    expect(ofWww.map(({ dataCenter, queries }) => `${dataCenter} ${queries}`)).toEqual(['fra 2', 'sin 1']);
    const prefixes = await api.get<PrefixReport>('/v1/traffic/prefixes');
    expect(prefixes.counted.queries).toBe(4);
  });

  it('is in the metrics', async () => {
    await traffic();
    const metrics = await (await api.send('GET', '/metrics')).text();
    expect(metrics).toMatch(/^meridian_traffic_samples_total\{event="taken"\} 5$/m);
    expect(metrics).toMatch(/^meridian_traffic_samples_total\{event="dropped"\} 0$/m);
  });

  it('is in the query log, line by line', async () => {
    const lines = await eventually(
      async () => {
        const text = existsSync(queryLog) ? readFileSync(queryLog, 'utf8') : '';
        const read = text.trimEnd().split('\n');
        return read.length === 5 ? read.map((line) => JSON.parse(line)) : undefined;
      },
      { withinMs: 5000, what: 'five lines' },
    );
    // Several workers share the queries, so their lines come in no order.
    const ofClient = (prefix: string): unknown => lines.find(({ client }) => client === prefix);
    expect(ofClient('84.128.1.0/24')).toMatchObject({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      transport: 'udp',
      resolver: '127.0.0.1',
      port: expect.any(Number),
      name: 'www.example.org.',
      type: 'A',
      outcome: 'answer',
      rcode: 'NOERROR',
      zone: 'example.org.',
      steered: 'www.example.org.',
      dataCenter: 'fra',
      client: '84.128.1.0/24',
      clientSource: 'client-subnet',
      every: 1,
    });
    expect(ofClient('165.21.0.0/24')).toMatchObject({ name: 'www.example.org.', dataCenter: 'sin' });
    expect(lines.find(({ transport }) => transport === 'tcp')).toMatchObject({
      name: 'no.example.org.',
      type: 'AAAA',
      outcome: 'nxdomain',
      rcode: 'NXDOMAIN',
    });
  });

  it.skipIf(!hasTools)(
    'is sent as dnstap, of which BIND reads every message (Debian: fstrm-bin, bind9-utils)',
    async () => {
      await traffic();
      await node.stop();
      await endTap();
      const lines = execFileSync('dnstap-read', [tapFile], { encoding: 'utf8' }).trimEnd().split('\n');
      expect(lines.filter((line) => / AQ /.test(line))).toHaveLength(5);
      expect(lines.filter((line) => / AR /.test(line))).toHaveLength(5);
      expect(lines.filter((line) => /wWw\.eXample\.org\/IN\/A/.test(line))).toHaveLength(2);
      expect(lines.filter((line) => / TCP .*no\.example\.org\/IN\/AAAA/.test(line))).toHaveLength(2);
    },
  );
});
