import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ClusterNodes, putAddress, putZone } from '../../test/e2e/cluster-nodes.ts';
import { freePort, startEndpoint } from '../../test/e2e/endpoint-process.ts';
import { meridianProgram } from '../compare/servers/meridian.ts';
import { Asker, NODES, type Part, spread, startFive, type Tell } from './ground.ts';
import type { ObserverPlan } from './observer-child.ts';

const PAUSE_MS = 20;

/** From the request on one node to the answer of the last of five. */
export const visible: Part = async ({ quick, rounds }, tell) => {
  const cluster = await startFive();
  try {
    const { p50, p99, text } = spread(await timesOf(cluster, rounds ?? (quick ? 50 : 500)));
    tell(
      'a write anywhere visible in DNS on all five',
      text,
      'p50 50 ms, p99 250 ms',
      p50 <= 50 && p99 <= 250,
    );
  } finally {
    await cluster.stop();
  }
};

async function timesOf(cluster: ClusterNodes, count: number): Promise<readonly number[]> {
  const askers = await Promise.all(cluster.nodes.map(({ process }) => Asker.open(process.dnsPort)));
  const times: number[] = [];
  // The first writes find code that has never run.
  for (let write = -NODES.length * 2; write < count; write++) {
    const writer = cluster.node(NODES[Math.abs(write) % NODES.length] ?? NODES[0]);
    const label = `visible-${write < 0 ? `first${-write}` : write}`;
    const startedMs = performance.now();
    const seen = askers.map((asker) =>
      asker.until({ name: `${label}.example.org`, type: 'A' }, ([address]) => address === '192.0.2.1'),
    );
    await putAddress(writer.api, label, '192.0.2.1');
    const last = Math.max(...(await Promise.all(seen)));
    if (write >= 0) times.push(last - startedMs);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * Math.random()));
  }
  for (const asker of askers) asker.close();
  return times;
}

/** Of every vantage, each second. */
const OBSERVATIONS_PER_SECOND = 10_000;
/** Each is observed five times a second by each. */
const ENDPOINTS = 2000;
const POOLS = 4;

/** What each node hears from the four others comes from four members of the cluster that only observe. */
const OBSERVERS = ['obs-1', 'obs-2', 'obs-3', 'obs-4'] as const;

/**
 * 2,000 endpoints, and four further members that tell 10,000 observations a second each to each of the five nodes, over
 * the true transport with the true encoder: what every node takes in is what four busy peers would send. The nodes do
 * not probe as much themselves (an hour's interval), because 50,000 connections a second would measure the
 * kernel; so what each would do to send its own 10,000 is done by the observers, on the same machine.
 */
export const visibleWithObservations: Part = async ({ quick, rounds }, tell) => {
  const cluster = await ClusterNodes.make([...NODES, ...OBSERVERS], { program: meridianProgram });
  const port = await freePort('0.0.0.0');
  const endpoint = await startEndpoint('0.0.0.0', port);
  let observer: ReturnType<typeof fork> | undefined;
  try {
    await cluster.run(...NODES);
    await cluster.inTouch();
    const { api } = cluster.node(NODES[0]);
    await putZone(api);
    const sources = await putEndpoints(cluster, port);
    const plan: ObserverPlan = {
      directory: cluster.directory,
      names: OBSERVERS,
      peers: NODES.map((name) => ({ name, address: cluster.identities.get(name)?.settings.listen ?? '' })),
      sources,
      perSecond: OBSERVATIONS_PER_SECOND,
    };
    observer = fork(join(import.meta.dirname, 'observer-child.ts'), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    observer.send(plan);
    await once(observer, 'message');
    const before = await reached(observer);
    const startedMs = performance.now();
    const { p99, text } = spread(await timesOf(cluster, rounds ?? (quick ? 50 : 500)));
    const perSecond = ((await reached(observer)) - before) / ((performance.now() - startedMs) / 1000);
    await tellHeard(cluster, tell, perSecond / OBSERVERS.length);
    tell('the same while observations travel', text, 'p99 500 ms', p99 <= 500);
  } finally {
    observer?.kill('SIGKILL');
    await cluster.stop();
    await endpoint.kill();
  }
};

async function reached(observer: ReturnType<typeof fork>): Promise<number> {
  observer.send('count');
  const [count] = await once(observer, 'message');
  return Number(count);
}

async function tellHeard(cluster: ClusterNodes, tell: Tell, perSecond: number): Promise<void> {
  const { vantages } = await cluster.node(NODES[0]).api.get<{
    vantages: readonly { vantage: string; up: number }[];
  }>('/v1/health');
  const heard = vantages.filter(({ vantage }) => vantage.startsWith('obs-')).map(({ up }) => up);
  tell(
    'observations a second of each of four observers to each node',
    `${perSecond.toFixed(0)}; up by each, as ${NODES[0]} heard: ${heard.join(' ')}`,
    `${OBSERVATIONS_PER_SECOND}`,
    perSecond >= OBSERVATIONS_PER_SECOND * 0.95,
  );
}

async function putEndpoints(cluster: ClusterNodes, port: number): Promise<ObserverPlan['sources']> {
  const { api } = cluster.node(NODES[0]);
  await api.put('/v1/data-centers/fra', { name: 'fra', latitude: 50.11, longitude: 8.68 });
  await api.put('/v1/monitors/rare', {
    name: 'rare',
    kind: 'tcp',
    port,
    intervalSeconds: 3600,
    timeoutSeconds: 3,
    vantages: NODES.length + OBSERVERS.length,
  });
  const perPool = ENDPOINTS / POOLS;
  const sources: (readonly [key: string, target: string])[] = [];
  for (let pool = 0; pool < POOLS; pool++) {
    const places = Array.from({ length: perPool }, (_, index) => ({
      name: `e${index}`,
      probeAddress: `127.0.${16 + (index >> 8)}.${index & 0xff}`,
    }));
    sources.push(...places.map(({ name, probeAddress }) => [`p${pool}/${name}`, probeAddress] as const));
    await api.put(`/v1/pools/p${pool}`, {
      name: `p${pool}`,
      monitor: 'rare',
      endpoints: places.map(({ name, probeAddress }, index) => ({
        name,
        dataCenter: 'fra',
        address: `198.18.${index >> 8}.${index & 0xff}`,
        probeAddress,
      })),
    });
  }
  await cluster.inTouch();
  return sources;
}
