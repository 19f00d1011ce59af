import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterNodes } from '../../test/e2e/cluster-nodes.ts';
import { type EndpointProcess, freePort, startEndpoint } from '../../test/e2e/endpoint-process.ts';
import { temporaryDirectory } from '../../test/e2e/node-process.ts';
import { eventually } from '../../test/until.ts';
import { Asker, NODES, type Part, spread, startFive } from './ground.ts';

const PLACES = [
  { name: 'par', latitude: 48.86, longitude: 2.35 },
  { name: 'nrt', latitude: 35.76, longitude: 140.39 },
] as const;

/** As the issue's: probes of a second, and three of the five nodes look at each endpoint. */
const CHECK = {
  intervalSeconds: 1,
  timeoutSeconds: 0.5,
  rise: 2,
  fall: 2,
  vantages: 3,
  flapping: { holdDownSeconds: 0, maxHoldDownSeconds: 0 },
};

/** After it has come back: watched connections are open again, and the kill falls at any time of the interval. */
const REST_MS = 1500;

export const death: Part = async ({ quick, rounds = quick ? 3 : 20 }, tell) => {
  for (const [what, isWatched, boundMs] of [
    ['an endpoint killed, three vantages, 1 s probes: answers moved on all five', false, 3000],
    ['the same with a watched connection', true, 1000],
  ] as const) {
    const { text, p99 } = spread(await deaths(rounds, isWatched));
    tell(what, text, `${boundMs} ms`, p99 <= boundMs);
  }
};

async function deaths(rounds: number, isWatched: boolean): Promise<readonly number[]> {
  const port = await freePort('127.0.5.1');
  const endpoints = await Promise.all(PLACES.map((_, index) => startEndpoint(`127.0.5.${index + 1}`, port)));
  const cluster = await startFive();
  const times: number[] = [];
  try {
    await steer(cluster, { kind: 'http', port, settings: { watch: isWatched } });
    const askers = await Promise.all(cluster.nodes.map(({ process }) => Asker.open(process.dnsPort)));
    for (let round = 0; round < rounds; round++) {
      await answer(askers, '192.0.2.1');
      await delay(REST_MS + 1000 * Math.random());
      const startedMs = performance.now();
      await endpoints[0]?.kill();
      times.push((await answer(askers, '192.0.2.2')) - startedMs);
      await endpoints[0]?.start();
    }
    for (const asker of askers) asker.close();
  } finally {
    await cluster.stop();
    await Promise.all(endpoints.map((endpoint: EndpointProcess) => endpoint.kill()));
  }
  return times;
}

/** When the last of all answered with this address. */
async function answer(askers: readonly Asker[], address: string): Promise<number> {
  const question = { name: 'www.example.org', type: 'A', subnet: '192.0.2.0/24' };
  const all = askers.map((asker) => asker.until(question, ([first]) => first === address, { everyMs: 5 }));
  return Math.max(...(await Promise.all(all)));
}

async function steer(cluster: ClusterNodes, monitor: object): Promise<void> {
  const { api } = cluster.node(NODES[0]);
  for (const place of PLACES) await api.put(`/v1/data-centers/${place.name}`, place);
  await api.put('/v1/policies/closest', { name: 'closest', rank: { kind: 'nearest' } });
  await api.put('/v1/monitors/web', { name: 'web', ...CHECK, ...monitor });
  await api.put('/v1/pools/web', {
    name: 'web',
    monitor: 'web',
    endpoints: PLACES.map(({ name }, index) => ({
      name,
      dataCenter: name,
      address: `192.0.2.${index + 1}`,
      probeAddress: `127.0.5.${index + 1}`,
    })),
  });
  const name = 'www.example.org';
  await api.put(`/v1/steered-names/${name}`, { name, pool: 'web', policy: 'closest', ttlSeconds: 5 });
}

/** Long enough for every probe of the cut vantage to have failed many times. */
const CUT_SECONDS = 20;

/**
 * The network of one vantage to all endpoints is cut: the probe is a program that fails on that node alone, because on
 * loopback all nodes have one network. `test/e2e/cluster-namespaces.test.ts` cuts true ones.
 */
export const cutVantage: Part = async ({ quick }, tell) => {
  const programs = temporaryDirectory();
  const program = join(programs.path, 'reach');
  writeFileSync(program, '#!/bin/sh\ntest ! -e "cut-$PPID"\n', { mode: 0o755 });
  const cluster = await startFive({ flags: ['--allow-exec', programs.path] });
  try {
    await steer(cluster, { kind: 'exec', settings: { program }, vantages: 5 });
    const askers = await Promise.all(cluster.nodes.map(({ process }) => Asker.open(process.dnsPort)));
    await answer(askers, '192.0.2.1');
    await said(cluster, 'ams up fra up iad up nrt up sin up');
    const cut = join(programs.path, `cut-${cluster.node('iad').process.pid}`);
    writeFileSync(cut, '');
    let others = 0;
    let asked = 0;
    const endMs = performance.now() + (quick ? 5 : CUT_SECONDS) * 1000;
    while (performance.now() < endMs) {
      await Promise.all(
        askers.map((asker) =>
          asker.until({ name: 'www.example.org', type: 'A', subnet: '192.0.2.0/24' }, ([first]) => {
            asked += 1;
            if (first !== '192.0.2.1') others += 1;
            return true;
          }),
        ),
      );
      await delay(10);
    }
    await said(cluster, 'ams up fra up iad down nrt up sin up');
    rmSync(cut);
    for (const asker of askers) asker.close();
    tell(
      "one vantage's network to all endpoints cut: other answers",
      `${others} of ${asked}`,
      '0',
      others === 0,
    );
  } finally {
    await cluster.stop();
    programs.remove();
  }
};

async function said(cluster: ClusterNodes, want: string): Promise<void> {
  interface Body {
    readonly items: readonly {
      readonly vantages: readonly { readonly vantage: string; readonly verdict: string }[];
    }[];
  }
  for (const { name, api } of cluster.nodes)
    await eventually(
      async () => {
        const { items } = await api.get<Body>('/v1/health');
        const all = items.map(({ vantages }) =>
          vantages.map(({ vantage, verdict }) => `${vantage} ${verdict}`).join(' '),
        );
        return all.length > 0 && all.every((one) => one === want) ? true : undefined;
      },
      { withinMs: 60_000, what: `${name} hears: ${want}` },
    );
}
