import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Contract, createContract } from '../config/contract.ts';
import type { Config } from '../config/model.ts';
import { DEMO_PORT, type DemoDataCenters, startDemoDataCenters } from '../demo/data-centers.ts';
import { signatureOf } from '../geofiles/watch-geo-files.ts';
import { openCounters } from '../observe/counters.ts';
import type { Logger } from '../observe/log.ts';
import { createMetrics, type Metrics } from '../observe/metrics.ts';
import { monotonicClock } from '../probing/clock.ts';
import { probeKinds } from '../probing/probes/index.ts';
import { createVantage } from '../probing/vantage.ts';
import type { ListenAddress } from '../server/listen-address.ts';
import { type DnsServer, serveDns } from '../server/serve-dns.ts';
import type { Settings } from '../settings.ts';
import { createVerdictTable } from '../snapshot/verdict-table.ts';
import { openStore } from '../store/open-store.ts';
import type { Store } from '../store/store.ts';
import { Closers } from './closers.ts';
import { Compiler } from './compiler.ts';
import { NodeControlPlane } from './control-plane.ts';
import { type DirectorySource, planFromDirectory } from './directory-owner.ts';
import { DnsOutlet } from './dns-outlet.ts';
import { HealthLoop } from './health-loop.ts';
import { Publisher } from './publisher.ts';
import { startApi } from './start-api.ts';
import { StartError } from './start-error.ts';
import { readVerdicts, writeVerdicts } from './verdict-file.ts';
import { watchGeo } from './watch-geo.ts';

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
  /** Ends in order: no new writes, answer what has arrived, close the store. Never rejects. */
  stop(): Promise<void>;
}

/** The demo's configuration, from the sources and from the built program alike. */
const demoDirectory = fileURLToPath(new URL('../../demo', import.meta.url));

const BAD_DIRECTORY = 'the configuration directory has mistakes; what was there before stays and is served';

const nowMs = (): number => Date.now();

/** Joins the parts into a node; rejects, with nothing left running, when one of them cannot start. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const closers = new Closers();
  try {
    return await start(options, closers);
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

async function start(options: NodeOptions, closers: Closers): Promise<RunningNode> {
  const { settings, token, log } = options;
  const parts = await openParts(settings, closers);
  const { store, compiler } = parts;
  const contract = createContract(probeKinds);
  const demo = await startDemo(settings);
  if (demo !== undefined) closers.add(() => demo.close());
  const outlet = new DnsOutlet();
  const joined = joinPlane(options, { ...parts, demo, outlet }, closers);
  const { plane, publisher, health } = joined;

  const source = directorySource(settings, contract);
  const apply =
    source === undefined
      ? undefined
      : () => plane.follow((config) => planFromDirectory(source, config, store));
  const problems = (await apply?.()) ?? [];
  // A node that has served before goes on with what it has: a reboot during a bad push must not be an outage.
  if (problems.length > 0 && isNew(plane.config)) throw new StartError(problems);
  if (problems.length > 0) log.error({ problems }, BAD_DIRECTORY);
  if (outlet.latest === undefined) await plane.publishAll();
  if (outlet.latest === undefined) throw new Error('nothing was published');
  const server = await serveDns({ addresses: settings.dns, snapshot: outlet.latest, log });
  closers.add(() => server.close());
  outlet.attach(server);

  const metrics = nodeMetrics(options.version, server, publisher, health, plane);
  joined.countProbesIn(metrics);
  const api = await startApi({ settings, token, contract, plane, metrics, log });
  closers.add(() => api.close());
  const geoTask = watchGeo(settings.geoFiles, parts.geoSignature, compiler, plane, log);
  closers.add(async () => geoTask?.destroy());
  return {
    dns: server.addresses,
    api: api.addresses,
    plane,
    reload: () => reload(apply, log),
    stop: async () => {
      for (const error of await closers.closeAll()) log.error({ err: error }, 'a part did not end well');
    },
  };
}

interface OpenParts {
  readonly store: Store;
  readonly compiler: Compiler;
  readonly geoTable: SharedArrayBuffer;
  /** Of the geo files before they were read: a file that is replaced meanwhile is noticed later. */
  readonly geoSignature: string;
}

/** Opens the store and reads the geo table, the two slow steps of a start, side by side. */
async function openParts({ dataDirectory, geoFiles }: Settings, closers: Closers): Promise<OpenParts> {
  await makeDataDirectory(dataDirectory);
  const compiler = new Compiler(join(dataDirectory, 'images'));
  closers.add(() => compiler.close());
  const geoSignature = await signatureOf(geoFiles);
  const [opened, loaded] = await Promise.allSettled([
    openStore({ directory: dataDirectory, now: () => new Date() }),
    compiler.run<'geo-table'>({ kind: 'geo-table', paths: geoFiles }),
  ]);
  if (opened.status === 'fulfilled') closers.add(() => opened.value.close());
  if (opened.status === 'rejected') throw opened.reason;
  if (loaded.status === 'rejected') throw loaded.reason;
  if (!loaded.value.ok) throw new StartError(loaded.value.problems);
  return { store: opened.value, compiler, geoTable: loaded.value.value, geoSignature };
}

async function makeDataDirectory(directory: string): Promise<void> {
  try {
    await mkdirs(resolve(directory));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `the data directory ${directory} cannot be made (${why}); choose another with --data`;
    throw new StartError([{ code: 'unusable-data-directory', path: '', message }]);
  }
}

/** Not Node's own `recursive`: on file systems that refuse with ENOENT, such as /proc, that never ends. */
async function mkdirs(directory: string): Promise<void> {
  if (existsSync(directory)) return;
  const parent = dirname(directory);
  if (parent !== directory) await mkdirs(parent);
  await mkdir(directory);
}

interface JoinedPlane {
  readonly plane: NodeControlPlane;
  readonly publisher: Publisher;
  readonly health: HealthLoop;
  /** Metrics come after the servers that they read, and probes start before both. */
  readonly countProbesIn: (metrics: Metrics) => void;
}

function joinPlane(
  { settings, version, log }: NodeOptions,
  parts: OpenParts & { readonly demo: DemoDataCenters | undefined; readonly outlet: DnsOutlet },
  closers: Closers,
): JoinedPlane {
  const { store, compiler, geoTable, demo, outlet } = parts;
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
  const verdictFile = join(settings.dataDirectory, 'verdicts.json');
  let metrics: Metrics | undefined;
  const health: HealthLoop = new HealthLoop({
    verdicts,
    nowMs,
    vantage: (onResult) =>
      createVantage({ clock: monotonicClock, random: () => Math.random(), probeKinds, onResult }),
    remembered: readVerdicts(verdictFile, nowMs()),
    keep: (known) => {
      try {
        writeVerdicts(verdictFile, known, nowMs());
      } catch (error) {
        log.warn({ err: error }, 'the verdicts could not be kept for the next start');
      }
    },
    onChange: () => plane.announce(),
    onEvent: (event) => log[event.to === 'up' ? 'info' : 'warn'](event, 'verdict changed'),
    onResult: (key, { reason }) => metrics?.countProbe(health.monitorOf(key) ?? '', reason),
  });
  closers.add(() => health.close());
  const plane: NodeControlPlane = new NodeControlPlane(
    { store, publisher, health, demo, version, nowMs, outlet },
    geoTable,
  );
  closers.add(() => plane.close());
  return {
    plane,
    publisher,
    health,
    countProbesIn: (given) => {
      metrics = given;
    },
  };
}

function nodeMetrics(
  version: string,
  server: DnsServer,
  publisher: Publisher,
  health: HealthLoop,
  plane: NodeControlPlane,
): Metrics {
  return createMetrics({
    version,
    counters: () => server.counters.map((buffer) => openCounters(buffer)),
    dataCenterName: (index) => publisher.dataCenterName(index),
    health: () => health.health(),
    geoBuiltAtMs: () => Date.parse(plane.geoTable.metadata.builtAt) || undefined,
    generation: () => plane.config.generation,
    problems: () => plane.problems(),
    nowMs,
  });
}

async function startDemo({ configuration }: Settings): Promise<DemoDataCenters | undefined> {
  return configuration.kind === 'demo' ? startDemoDataCenters({ port: configuration.port }) : undefined;
}

/** Whether nothing was ever configured here. */
function isNew({ generation }: Config): boolean {
  return generation === 0;
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

async function reload(
  apply: (() => ReturnType<NodeControlPlane['follow']>) | undefined,
  log: Logger,
): Promise<void> {
  if (apply === undefined) {
    log.warn('there is no configuration directory to apply again');
    return;
  }
  try {
    const problems = await apply();
    if (problems.length === 0) log.info('configuration directory applied');
    else log.error({ problems }, BAD_DIRECTORY);
  } catch (error) {
    log.error(
      { err: error },
      'the configuration directory could not be applied; what was there before stays',
    );
  }
}
