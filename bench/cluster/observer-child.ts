/* Members of a cluster that do nothing but tell observations, over the true transport. One process is several of them. */
import { join } from 'node:path';
import { decodeFrame } from '../../src/cluster/frame.ts';
import { ObservationExchange } from '../../src/cluster/health/exchange.ts';
import { readIdentityFiles } from '../../src/cluster/identity/identity-files.ts';
import { splitAddress } from '../../src/cluster/identity/peer-address.ts';
import { MeshTransport } from '../../src/cluster/transport/mesh/mesh-transport.ts';
import type { Observation } from '../../src/health/observation.ts';
import { exchangeClock } from '../../src/node/cluster/exchange-clock.ts';
import { createLogger } from '../../src/observe/log.ts';

export interface ObserverPlan {
  /** Holds a data directory for each of the names. */
  readonly directory: string;
  readonly names: readonly string[];
  readonly peers: readonly { readonly name: string; readonly address: string }[];
  /** Keys with what is probed for each; each is observed by each in turn. */
  readonly sources: readonly (readonly [key: string, target: string])[];
  /** By each. */
  readonly perSecond: number;
}

/** As a vantage reports: a hundredth of a second's observations at a time. */
const STEP_MS = 10;

let told = 0;

process.on('message', (message) => {
  if (message === 'count') process.send?.(told);
  else void observe(message as ObserverPlan);
});

async function observe(plan: ObserverPlan): Promise<void> {
  const exchanges = await Promise.all(plan.names.map((name) => observer(plan, name)));
  process.send?.('ready');
  const perStep = Math.round((plan.perSecond * STEP_MS) / 1000);
  const startMs = performance.now();
  for (let step = 0; ; step++) {
    for (const [index, exchange] of exchanges.entries()) {
      const from = step * perStep;
      const name = plan.names[index] ?? '';
      exchange.takeOwn(Array.from({ length: perStep }, (_, at) => observation(plan, name, from + at)));
      told += perStep;
    }
    const waitMs = startMs + (step + 1) * STEP_MS - performance.now();
    await new Promise<void>((resolve) => (waitMs > 1 ? setTimeout(resolve, waitMs) : setImmediate(resolve)));
  }
}

/** A member that is in touch with all peers. */
async function observer(plan: ObserverPlan, name: string): Promise<ObservationExchange> {
  const files = await readIdentityFiles(join(plan.directory, name));
  if (!files.ok || files.value === undefined) throw new Error(`${name} has no identity`);
  const { settings, certificatePem, privateKeyPem, caCertificatePem } = files.value;
  const exchange = new ObservationExchange({
    node: name,
    clock: exchangeClock,
    onObservations: () => undefined,
    onSeats: () => undefined,
    onLive: () => undefined,
  });
  exchange.setSources(new Map(plan.sources));
  exchange.setNodes(
    [...plan.names, ...plan.peers.map((peer) => peer.name)].map((node) => ({ name: node, region: node })),
  );
  const transport = new MeshTransport({
    identity: {
      name,
      clusterId: settings.clusterId,
      certificatePem,
      privateKeyPem,
      caCertificatesPem: [caCertificatePem],
      isRevoked: () => false,
    },
    listen: splitAddress(settings.listen),
    version: 'bench',
    log: createLogger('warn'),
  });
  transport.setPeers(
    plan.peers.map((peer) => ({ name: peer.name, addresses: [splitAddress(peer.address)] })),
  );
  let up = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  await transport.start({
    onUp: (session) => {
      up += 1;
      exchange.onUp(session);
      if (up === plan.peers.length) resolve();
    },
    onFrame: (session, octets) => {
      const decoded = decodeFrame(octets);
      if (decoded.ok && decoded.frame.channel === 'observations')
        exchange.onFrame(session, decoded.frame.value);
    },
    onDrain: (session) => exchange.onDrain(session),
    onDown: (session) => exchange.onDown(session),
  });
  await promise;
  return exchange;
}

const sequences = new Map<string, number>();
const startedAtMs = Date.now();

function observation(plan: ObserverPlan, vantage: string, at: number): Observation {
  const [key, target] = plan.sources[at % plan.sources.length] ?? ['', ''];
  const sequence = (sequences.get(`${vantage} ${key}`) ?? startedAtMs) + 1;
  sequences.set(`${vantage} ${key}`, sequence);
  const durationMs = 5 + Math.random() * 40;
  return {
    vantage,
    key,
    sequence,
    verdict: 'up',
    sinceMs: startedAtMs,
    successes: sequence - startedAtMs,
    failures: 0,
    firstFailureAtMs: undefined,
    heldDownUntilMs: undefined,
    latency: { p50: 21.3, p90: 38.9, p99: 44.1 },
    result: {
      ok: true,
      reason: 'ok',
      detail: `connected to ${target} after ${Math.round(durationMs)} ms`,
      durationMs,
      evidence: {},
    },
    observedAtMs: Date.now(),
  };
}
