import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../until.ts';
import { ClusterNodes, PATIENCE_MS, putZone } from './cluster-nodes.ts';
import { type EndpointProcess, freePort, startEndpoint } from './endpoint-process.ts';
import { temporaryDirectory } from './node-process.ts';

/* Three real nodes that probe the same endpoints and tell each other what they see. */

const NAMES = ['ams', 'fra', 'iad'] as const;

/** Probes come as quickly as a busy machine bears. */
const CHECK = { intervalSeconds: 0.5, timeoutSeconds: 0.5, rise: 1, fall: 2 };

/** Both pools have an endpoint in each; the first data center is nearer to every client of the small geo file. */
const PLACES = [
  { name: 'par', latitude: 48.86, longitude: 2.35 },
  { name: 'nrt', latitude: 35.76, longitude: 140.39 },
] as const;

const programs = temporaryDirectory();
let cluster: ClusterNodes;
let endpoints: readonly EndpointProcess[] = [];

beforeAll(async () => {
  const program = join(programs.path, 'reach');
  // A way to endpoints that can be cut for one node alone: the program's parent is the node.
  writeFileSync(program, '#!/bin/sh\ntest ! -e "cut-$PPID"\n', { mode: 0o755 });
  const port = await freePort('127.0.5.1');
  endpoints = await Promise.all(PLACES.map((_, index) => startEndpoint(`127.0.5.${index + 1}`, port)));
  cluster = await ClusterNodes.start(NAMES, { flags: ['--allow-exec', programs.path] });
  const { api } = cluster.node('ams');
  await putZone(api);
  for (const place of PLACES) await api.put(`/v1/data-centers/${place.name}`, place);
  await api.put('/v1/policies/closest', { name: 'closest', rank: { kind: 'nearest' } });
  await api.put('/v1/monitors/web', { name: 'web', kind: 'tcp', port, ...CHECK });
  await api.put('/v1/monitors/program', { name: 'program', kind: 'exec', settings: { program }, ...CHECK });
  for (const [pool, monitor, first] of [
    ['web', 'web', '192.0.2.1'],
    ['far', 'program', '192.0.2.11'],
  ] as const) {
    const address = (index: number): string => first.slice(0, -1) + String(index + 1);
    await api.put(`/v1/pools/${pool}`, {
      name: pool,
      monitor,
      endpoints: PLACES.map(({ name }, index) => ({
        name,
        dataCenter: name,
        address: address(index),
        probeAddress: `127.0.5.${index + 1}`,
      })),
    });
    await api.put(`/v1/steered-names/${pool}.example.org`, {
      name: `${pool}.example.org`,
      pool,
      policy: 'closest',
      ttlSeconds: 5,
    });
  }
  for (const name of NAMES)
    for (const pool of ['web', 'far']) await said(name, `${pool}/par`, 'ams up fra up iad up');
}, PATIENCE_MS);

afterAll(async () => {
  await cluster?.stop();
  await Promise.all(endpoints.map((endpoint) => endpoint.kill()));
  programs.remove();
});

interface HealthBody {
  readonly items: readonly {
    readonly key: string;
    readonly verdict: string;
    readonly vantages: readonly {
      readonly vantage: string;
      readonly verdict: string;
      readonly fresh: boolean;
    }[];
  }[];
}

/** Resolves when a node knows that the vantages say so of an endpoint. */
async function said(node: string, key: string, want: string): Promise<void> {
  let last = '';
  await eventually(
    async () => {
      const { items } = await cluster.node(node).api.get<HealthBody>('/v1/health');
      const vantages = items.find((item) => item.key === key)?.vantages ?? [];
      last = vantages
        .filter(({ fresh }) => fresh)
        .map(({ vantage, verdict }) => `${vantage} ${verdict}`)
        .join(' ');
      return last === want ? true : undefined;
    },
    { withinMs: PATIENCE_MS / 2, what: `${node} hears of ${key}: ${want}` },
  ).catch((error) => {
    throw new Error(`${error instanceof Error ? error.message : error}; it heard: ${last}`);
  });
}

const FROM_PARIS = '192.0.2.0/24';

describe('an endpoint that three nodes probe', { timeout: PATIENCE_MS }, () => {
  it('moves answers of all nodes when it is killed, and back when it runs', async () => {
    const question = { name: 'web.example.org', subnet: FROM_PARIS };
    await cluster.allAnswer(question, ['192.0.2.1']);
    await endpoints[0]?.kill();
    await cluster.allAnswer(question, ['192.0.2.2']);
    await endpoints[0]?.start();
    await cluster.allAnswer(question, ['192.0.2.1']);
  });

  it('keeps its answers while one node alone cannot reach it', async () => {
    const cut = join(programs.path, `cut-${cluster.node('iad').process.pid}`);
    writeFileSync(cut, '');
    for (const name of NAMES)
      for (const { name: place } of PLACES) await said(name, `far/${place}`, 'ams up fra up iad down');
    await cluster.allAnswer({ name: 'far.example.org', subnet: FROM_PARIS }, ['192.0.2.11']);
    for (const name of NAMES) {
      const { items } = await cluster.node(name).api.get<HealthBody>('/v1/health');
      expect(items.map(({ key, verdict }) => `${key} ${verdict}`).toSorted()).toEqual([
        'far/nrt up',
        'far/par up',
        'web/nrt up',
        'web/par up',
      ]);
    }
    rmSync(cut);
    for (const name of NAMES) await said(name, 'far/par', 'ams up fra up iad up');
  });

  it('is seen by two of three when a node is killed, and by three when that is back', async () => {
    const question = { name: 'web.example.org', subnet: FROM_PARIS };
    await cluster.kill('iad');
    for (const name of ['ams', 'fra']) await said(name, 'web/par', 'ams up fra up');
    await endpoints[0]?.kill();
    await cluster.allAnswer(question, ['192.0.2.2']);
    await cluster.run('iad');
    await cluster.allAnswer(question, ['192.0.2.2']);
    for (const name of NAMES) await said(name, 'web/par', 'ams down fra down iad down');
  });
});
