import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type IdentityFiles, readIdentityFiles } from '../cluster/identity/identity-files.ts';
import { type Contract, createContract } from '../config/contract.ts';
import type { Config } from '../config/model.ts';
import { type DemoDataCenters, startDemoDataCenters } from '../demo/data-centers.ts';
import { DEMO_PORT } from '../demo/demo-port.ts';
import { signatureOf } from '../geofiles/watch-geo-files.ts';
import { openCounters } from '../observe/counters.ts';
import type { Logger } from '../observe/log.ts';
import { createMetrics, type Metrics } from '../observe/metrics.ts';
import { probeKinds } from '../probing/probes/index.ts';
import type { DnsServer } from '../server/serve-dns.ts';
import type { Settings } from '../settings.ts';
import type { SnapshotMessage } from '../snapshot/snapshot.ts';
import { createSpillTable } from '../snapshot/spill-table.ts';
import { createVerdictTable } from '../snapshot/verdict-table.ts';
import type { DirectoryLock } from '../store/directory-lock.ts';
import { openStore } from '../store/open-store.ts';
import type { ReplicatedStore } from '../store/replicated-store.ts';
import type { BootManifest } from './boot/boot-manifest.ts';
import type { CapacityLoop } from './capacity-loop.ts';
import { Closers } from './closers.ts';
import { clusterSource } from './cluster/cluster-source.ts';
import { type RunningCluster, startCluster } from './cluster/start-cluster.ts';
import { Compiler } from './compile/compiler.ts';
import { IMAGE_DIRECTORY } from './compile/image-file.ts';
import type { Publisher } from './compile/publisher.ts';
import { NodeControlPlane } from './control-plane.ts';
import type { DnsOutlet } from './dns-outlet.ts';
import type { HealthLoop } from './health-loop.ts';
import type { IncidentLoop } from './incidents/incident-loop.ts';
import { startIncidents } from './incidents/start-incidents.ts';
import { observeTraffic } from './observe-traffic.ts';
import { keepForBoot, openPublisher } from './open-publisher.ts';
import { startApi } from './start-api.ts';
import { startCapacity } from './start-capacity.ts';
import { StartError } from './start-error.ts';
import { startHealth } from './start-health.ts';
import type { ApiAddress } from './takeover/activated-settings.ts';
import { watchGeo } from './watch-geo.ts';
import { type DirectorySource, prepareDirectory } from './zones/directory-owner.ts';
import type { ZoneFiles } from './zones/zone-files.ts';

export interface NodeOptions {
  readonly settings: Settings;
  /** Where to serve the API, with real ports where they are known. */
  readonly api: readonly ApiAddress[];
  readonly token: string | undefined;
  readonly version: string;
  readonly log: Logger;
  /** Serves already what was served last, or starts to with the first publication. */
  readonly outlet: DnsOutlet;
  /** The numbers of the run before. */
  readonly manifest: BootManifest | undefined;
  /** What the outlet serves already: the images that the manifest names. */
  readonly booted: SnapshotMessage | undefined;
  /** The data directory's lock where it is held already. */
  readonly lock: DirectoryLock | undefined;
}

/** All of a node but the DNS server, which may run before and after. */
export interface RunningNode {
  readonly api: readonly ApiAddress[];
  readonly plane: NodeControlPlane;
  /**
   * Applies the configuration directory again and looks at the geo files; what is wrong with them goes to the log and
   * to the problems.
   */
  reload(): Promise<void>;
  /** Ends in order: no new writes, keep what is served for the next start, close the store. Never rejects. */
  stop(): Promise<void>;
}

/** The demo's configuration, from the sources and from the built program alike. */
const demoDirectory = fileURLToPath(new URL('../../demo', import.meta.url));

const BAD_DIRECTORY = 'the configuration directory has mistakes; what was there before stays and is served';

/** The first notices that files have changed, the second that nobody writes them any more. */
const GEO_LOOKS = 2;

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
  const { settings, token, log, outlet } = options;
  const parts = await openParts(options, closers);
  const { store, compiler } = parts;
  const contract = createContract(probeKinds);
  const demo = await startDemo(settings);
  if (demo !== undefined) closers.add(() => demo.close());
  const joined = joinPlane(options, { ...parts, demo }, closers);
  const { plane, publisher, zoneFiles } = joined;

  const source = directorySource(settings, contract);
  const apply =
    source === undefined
      ? undefined
      : () => plane.follow((config) => prepareDirectory(source, config, store, zoneFiles));
  const problems = (await apply?.()) ?? [];
  // A node that has served before goes on with what it has: a reboot during a bad push must not be an outage.
  if (problems.length > 0 && isNew(plane.config)) throw new StartError(problems);
  if (problems.length > 0) log.error({ problems }, BAD_DIRECTORY);
  if (publisher.published === 0) await plane.publishAll();
  const server = outlet.server;
  if (server === undefined) throw new Error('nothing was published');
  const cluster = await joined.startCluster();

  const traffic = await observeTraffic({
    settings: settings.traffic,
    server,
    names: {
      isSteered: (name) => plane.config.steeredNames.has(name),
      dataCenterName: (index) => publisher.dataCenterName(index),
    },
    identity: settings.nodeId,
    version: options.version,
    log,
    onSample: (sample, scale) => joined.capacity.addSample(sample, scale),
  });
  closers.add(() => traffic.close());
  const metrics = nodeMetrics(options.version, server, joined, traffic.counters);
  plane.subscribe(() => metrics.followDataCenters());
  joined.countProbesIn(metrics);
  const api = await startApi({
    settings,
    wanted: options.api,
    token,
    contract,
    plane,
    metrics,
    traffic: traffic.source,
    capacity: joined.capacity,
    incidents: joined.incidents,
    cluster: cluster && { control: cluster.identity, members: clusterSource(cluster) },
    log,
  });
  closers.add(() => api.close());
  const geoTask = watchGeo(settings.geoFiles, parts.geoSignature, compiler, plane, log);
  closers.add(async () => geoTask?.destroy());
  return {
    api: api.addresses,
    plane,
    reload: async () => {
      await reload(apply, log);
      // Whoever says so has finished writing: two looks in a row find the files alike.
      for (let looks = 0; looks < GEO_LOOKS; looks++) await geoTask?.execute();
    },
    stop: async () => {
      for (const error of await closers.closeAll()) log.error({ err: error }, 'a part did not end well');
    },
  };
}

interface OpenParts {
  readonly store: ReplicatedStore;
  /** The node's part in a cluster; undefined where it is alone. */
  readonly identity: IdentityFiles | undefined;
  readonly compiler: Compiler;
  readonly geoTable: SharedArrayBuffer;
  /** Of the geo files before they were read: a file that is replaced meanwhile is noticed later. */
  readonly geoSignature: string;
}

/** Opens the store and reads the geo table, the two slow steps of a start, side by side. */
async function openParts({ settings, lock }: NodeOptions, closers: Closers): Promise<OpenParts> {
  const { dataDirectory, geoFiles, nodeId } = settings;
  await makeDataDirectory(dataDirectory);
  const compiler = new Compiler(join(dataDirectory, IMAGE_DIRECTORY));
  closers.add(() => compiler.close());
  const geoSignature = await signatureOf(geoFiles);
  const identity = await readIdentityFiles(dataDirectory);
  if (!identity.ok) throw new StartError(identity.problems);
  const node = identity.value?.settings.name ?? nodeId;
  const [opened, loaded] = await Promise.allSettled([
    openStore({ directory: dataDirectory, now: () => new Date(), node, lock }),
    compiler.run<'geo-table'>({ kind: 'geo-table', paths: geoFiles }),
  ]);
  if (opened.status === 'fulfilled') closers.add(() => opened.value.close());
  if (opened.status === 'rejected') throw opened.reason;
  if (loaded.status === 'rejected') throw loaded.reason;
  if (!loaded.value.ok) throw new StartError(loaded.value.problems);
  const geoTable = loaded.value.value;
  return { store: opened.value, identity: identity.value, compiler, geoTable, geoSignature };
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
  readonly incidents: IncidentLoop;
  readonly capacity: CapacityLoop;
  readonly zoneFiles: ZoneFiles;
  /** Metrics come after the servers that they read, and probes start before both. */
  readonly countProbesIn: (metrics: Metrics) => void;
  /** To be called once something is served: brings the node in touch with its cluster, where it has one. */
  readonly startCluster: () => Promise<RunningCluster | undefined>;
}

function joinPlane(
  options: NodeOptions,
  parts: OpenParts & { readonly demo: DemoDataCenters | undefined },
  closers: Closers,
): JoinedPlane {
  const { settings, version, log, outlet, manifest, booted } = options;
  const { store, compiler, geoTable, demo } = parts;
  const verdicts = createVerdictTable();
  const spills = createSpillTable();
  const { publisher, zoneFiles } = openPublisher(options, parts, { verdicts, spills });
  const capacity = startCapacity({ settings, log, verdicts, spills, publisher }, closers);
  keepForBoot(outlet, { manifest, booted }, { compiler, publisher, log }, closers);
  let metrics: Metrics | undefined;
  let cluster: RunningCluster | undefined;
  const announce = (): void => plane.announce();
  const incidents = startIncidents(
    {
      settings,
      log,
      nowMs,
      config: () => store.config,
      health: () => health,
      metrics: () => metrics,
      announce,
    },
    closers,
  );
  const health = startHealth(
    {
      settings,
      log,
      verdicts,
      nowMs,
      onChange: () => {
        capacity.loop.verdictsChanged();
        announce();
      },
      onEvent: (event) => {
        incidents.takeEvent(event);
        cluster?.tellLive(event.key, event.to);
        log[event.to === 'up' ? 'info' : 'warn'](event, 'verdict changed');
      },
      onEndpoints: () => {
        incidents.followEndpoints();
        cluster?.follow();
      },
      vantage: parts.identity?.settings.name,
      onOwn: (observations) => cluster?.takeOwn(observations),
      onResult: (monitor, reason) => metrics?.countProbe(monitor, reason),
      onLoad: (key, load, most) => capacity.loop.endpointLoad(key, load, most),
    },
    closers,
  );
  const plane: NodeControlPlane = new NodeControlPlane(
    { store, publisher, health, incidents, demo, version, nowMs, outlet, compiler, zoneFiles },
    geoTable,
  );
  plane.subscribe(() => incidents.followConfig());
  plane.subscribe(() => capacity.follow(plane.config));
  closers.add(() => plane.close());
  return {
    plane,
    publisher,
    health,
    incidents,
    capacity: capacity.loop,
    zoneFiles,
    countProbesIn: (given) => {
      metrics = given;
    },
    startCluster: async () => {
      const { identity: files } = parts;
      if (files === undefined) return undefined;
      const { dataDirectory } = settings;
      cluster = await startCluster(
        { files, dataDirectory, store, plane, health, incidents, version, log },
        closers,
      );
      plane.subscribe(() => cluster?.follow());
      return cluster;
    },
  };
}

function nodeMetrics(
  version: string,
  server: DnsServer,
  { publisher, health, plane, incidents, capacity }: JoinedPlane,
  observed: Float64Array,
): Metrics {
  return createMetrics({
    version,
    counters: () => [...server.counters.map((buffer) => openCounters(buffer)), observed],
    dataCenterName: (index) => publisher.dataCenterName(index),
    health: () => health.health(),
    vantage: () => health.vantage,
    capacity: () => capacity.capacity(),
    openIncidents: () => incidents.openCounts(),
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
