import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ScheduledTask, schedule } from 'node-cron';
import { createApp } from '../api/create-app.ts';
import { type Contract, createContract } from '../config/contract.ts';
import type { Problem } from '../config/problem.ts';
import { DEMO_PORT, type DemoDataCenters, startDemoDataCenters } from '../demo/data-centers.ts';
import { createGeoLook } from '../geofiles/watch-geo-files.ts';
import { openCounters } from '../observe/counters.ts';
import type { Logger } from '../observe/log.ts';
import { createMetrics, type Metrics } from '../observe/metrics.ts';
import { monotonicClock } from '../probing/clock.ts';
import { probeKinds } from '../probing/probes/index.ts';
import { createVantage } from '../probing/vantage.ts';
import { formatListenAddress, type ListenAddress } from '../server/listen-address.ts';
import { type DnsServer, serveDns } from '../server/serve-dns.ts';
import type { Settings } from '../settings.ts';
import type { SnapshotMessage } from '../snapshot/snapshot.ts';
import { createVerdictTable } from '../snapshot/verdict-table.ts';
import { openStore } from '../store/open-store.ts';
import type { Store } from '../store/store.ts';
import { Compiler } from './compiler.ts';
import { NodeControlPlane } from './control-plane.ts';
import { type DirectorySource, planFromDirectory } from './directory-owner.ts';
import { HealthLoop } from './health-loop.ts';
import { closeHttp, listenHttp } from './listen-http.ts';
import { Publisher } from './publisher.ts';

/** What an operator has to mend before the node can start. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ message }) => message).join('\n'));
    this.problems = problems;
  }
}

export interface NodeOptions {
  readonly settings: Settings;
  readonly token: string | undefined;
  readonly version: string;
  readonly log: Logger;
}

export interface RunningNode {
  readonly dns: readonly ListenAddress[];
  readonly api: readonly ListenAddress[];
  readonly plane: NodeControlPlane;
  /** Applies the configuration directory again; what is wrong with it goes to the log and to the problems. */
  reload(): Promise<void>;
  /** Ends in order: no new writes, answer what has arrived, close the store. */
  stop(): Promise<void>;
}

/** The demo's configuration, from the sources and from the built program alike. */
const demoDirectory = fileURLToPath(new URL('../../demo', import.meta.url));
const dashboardDirectory = fileURLToPath(new URL('../../dist/dashboard', import.meta.url));

/** Geo files change weekly at most; a look every ten seconds costs a `stat` each. */
const GEO_LOOK_SCHEDULE = '*/10 * * * * *';

/** Joins the parts into a node; rejects, with nothing left running, when one of them cannot start. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const closers: (() => Promise<unknown> | undefined)[] = [];
  try {
    return await start(options, closers);
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

async function start(
  options: NodeOptions,
  closers: (() => Promise<unknown> | undefined)[],
): Promise<RunningNode> {
  const { settings, log } = options;
  const nowMs = (): number => Date.now();
  await makeDataDirectory(settings.dataDirectory);
  const compiler = new Compiler(join(settings.dataDirectory, 'images'));
  closers.push(() => compiler.close());
  // The two slow steps of a start, side by side.
  const opening = openStore({ directory: settings.dataDirectory, now: () => new Date() });
  const loading = compiler.run<'geo-table'>({ kind: 'geo-table', paths: settings.geoFiles });
  const [opened, loaded] = await Promise.allSettled([opening, loading]);
  if (opened.status === 'fulfilled') closers.push(() => opened.value.close());
  if (opened.status === 'rejected') throw opened.reason;
  if (loaded.status === 'rejected') throw loaded.reason;
  if (!loaded.value.ok) throw new StartError(loaded.value.problems);
  const store = opened.value;

  const contract = createContract(probeKinds);
  const demo = await startDemo(settings);
  if (demo !== undefined) closers.push(() => demo.close());

  const verdicts = createVerdictTable();
  const publisher = new Publisher({
    compiler,
    verdicts,
    serverId: new TextEncoder().encode(settings.nodeId),
    blobText: (hash) => {
      const blob = store.getBlob(hash);
      return blob === undefined ? undefined : new TextDecoder().decode(blob);
    },
  });
  let dns: DnsServer | undefined;
  let firstSnapshot: SnapshotMessage | undefined;
  let metrics: Metrics | undefined;
  const health: HealthLoop = new HealthLoop({
    verdicts,
    nowMs,
    vantage: (onResult) =>
      createVantage({ clock: monotonicClock, random: () => Math.random(), probeKinds, onResult }),
    onChange: () => plane.announce(),
    onResult: (key, result) => metrics?.countProbe(health.monitorOf(key) ?? '', result.reason),
  });
  closers.push(() => health.close());
  const plane: NodeControlPlane = new NodeControlPlane(
    {
      store,
      publisher,
      health,
      demo,
      version: options.version,
      nowMs,
      dnsAddresses: () => (dns?.addresses ?? []).map(formatListenAddress),
      publish: async (snapshot) => {
        if (dns === undefined) firstSnapshot = snapshot;
        else await dns.publish(snapshot);
      },
    },
    loaded.value.value,
  );
  closers.push(() => plane.close());

  const source = directorySource(settings, contract);
  if (source !== undefined) {
    const problems = await plane.follow((config) => planFromDirectory(source, config, store));
    if (problems.length > 0) throw new StartError(problems);
  }
  if (firstSnapshot === undefined) await plane.publishAll();
  if (firstSnapshot === undefined) throw new Error('nothing was published');
  const server = await serveDns({ addresses: settings.dns, snapshot: firstSnapshot, log });
  dns = server;
  closers.push(() => server.close());

  metrics = createMetrics({
    version: options.version,
    counters: () => server.counters.map((buffer) => openCounters(buffer)),
    dataCenterName: (index) => publisher.dataCenterName(index),
    health: () => health.health(),
    geoBuiltAtMs: () => Date.parse(plane.geoTable.metadata.builtAt) || undefined,
    generation: () => store.config.generation,
    problems: () => plane.problems(),
    nowMs,
  });
  const api = await startApi(options, contract, plane, metrics);
  closers.push(() => api.close());
  const geoTask = watchGeo(settings, compiler, plane, log);
  if (geoTask !== undefined) closers.push(async () => geoTask.destroy());

  return {
    dns: server.addresses,
    api: api.addresses,
    plane,
    reload: () => reload(source, plane, store, log),
    stop: () => closeAll(closers),
  };
}

/** Last started, first closed. One part that cannot close does not keep the others open. */
async function closeAll(closers: (() => Promise<unknown> | undefined)[]): Promise<void> {
  for (const close of closers.splice(0).reverse()) {
    try {
      await close();
    } catch {
      // The node ends anyway, and what is durable is durable already.
    }
  }
}

async function makeDataDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `the data directory ${directory} cannot be made (${why}); choose another with --data`;
    throw new StartError([{ code: 'unusable-data-directory', path: '', message }]);
  }
}

function startDemo(settings: Settings): Promise<DemoDataCenters> | undefined {
  return settings.configuration.kind === 'demo'
    ? startDemoDataCenters({ port: settings.configuration.port })
    : undefined;
}

function directorySource({ configuration }: Settings, contract: Contract): DirectorySource | undefined {
  switch (configuration.kind) {
    case 'none':
      return undefined;
    case 'directory':
      return { directory: configuration.directory, contract, monitorPort: undefined };
    case 'demo': {
      const monitorPort = configuration.port === DEMO_PORT ? undefined : configuration.port;
      return { directory: demoDirectory, contract, monitorPort };
    }
  }
}

interface RunningApi {
  readonly addresses: readonly ListenAddress[];
  close(): Promise<void>;
}

async function startApi(
  { settings, token, log }: NodeOptions,
  contract: Contract,
  plane: NodeControlPlane,
  metrics: Metrics,
): Promise<RunningApi> {
  const app = createApp({
    plane,
    contract,
    token,
    writesNeedToken: settings.apiBeyondLoopback,
    dashboardDirectory: existsSync(join(dashboardDirectory, 'index.html')) ? dashboardDirectory : undefined,
    metrics: async () => ({ contentType: metrics.contentType, text: await metrics.exposition() }),
    log: (level, message, fields) => log[level](fields, message),
    now: () => new Date(),
  });
  const servers: Server[] = [];
  const addresses: ListenAddress[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => closeHttp(server)));
  };
  try {
    for (const wanted of settings.api) {
      const { server, address } = await listenHttp(app, wanted);
      servers.push(server);
      addresses.push(address);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { addresses, close };
}

/** Looks at the operator's own geo files on a calendar and goes over to new ones; the shipped table never changes. */
function watchGeo(
  settings: Settings,
  compiler: Compiler,
  plane: NodeControlPlane,
  log: Logger,
): ScheduledTask | undefined {
  if (settings.geoFiles.length === 0) return undefined;
  const look = createGeoLook(
    settings.geoFiles,
    (table) => {
      log.info({ files: settings.geoFiles }, 'new geo table');
      plane
        .useGeoTable(table)
        .catch((error) => log.error({ error }, 'the new geo table could not be published'));
    },
    (problems) => {
      log.warn({ problems }, 'the geo files cannot be used; the table in use stays');
      plane.reportGeoProblems(problems);
    },
    { load: () => compiler.run<'geo-table'>({ kind: 'geo-table', paths: settings.geoFiles }) },
  );
  void look();
  return schedule(GEO_LOOK_SCHEDULE, look, { noOverlap: true });
}

async function reload(
  source: DirectorySource | undefined,
  plane: NodeControlPlane,
  store: Store,
  log: Logger,
): Promise<void> {
  if (source === undefined) return;
  try {
    const problems = await plane.follow((config) => planFromDirectory(source, config, store));
    if (problems.length === 0) log.info({ directory: source.directory }, 'configuration directory applied');
    else log.error({ problems }, 'the configuration directory has mistakes; what was there before stays');
  } catch (error) {
    log.error({ error }, 'the configuration directory could not be applied; what was there before stays');
  }
}
