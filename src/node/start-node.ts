import { fileURLToPath } from 'node:url';
import { hasLeftCluster, type IdentityFiles } from '../cluster/identity/identity-files.ts';
import { type Contract, createContract } from '../config/contract.ts';
import type { Config } from '../config/model.ts';
import { type DemoDataCenters, startDemoDataCenters } from '../demo/data-centers.ts';
import { DEMO_PORT } from '../demo/demo-port.ts';
import type { Logger } from '../observe/log.ts';
import { probeKinds } from '../probing/probes/index.ts';
import type { ConfigurationSource } from '../settings/configuration-source.ts';
import type { Settings } from '../settings.ts';
import { Closers } from './closers.ts';
import { clusterSource } from './cluster/cluster-source.ts';
import type { NodeControlPlane } from './control/control-plane.ts';
import { joinPlane } from './join-plane.ts';
import { nodeMetrics } from './node-metrics.ts';
import type { NodeOptions } from './node-options.ts';
import { observeTraffic } from './observe-traffic.ts';
import { openParts } from './open-parts.ts';
import { startApi } from './start-api.ts';
import { StartError } from './start-error.ts';
import type { ApiAddress } from './takeover/activated-settings.ts';
import { watchGeo } from './watch-geo.ts';
import { type DirectorySource, prepareDirectory } from './zones/directory-owner.ts';

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
  const configuration = await configurationOf(settings, parts.identity);
  const demo = await startDemo(configuration);
  if (demo !== undefined) closers.add(() => demo.close());
  const joined = joinPlane(options, { ...parts, demo }, closers);
  const { plane, publisher, zoneFiles } = joined;

  const source = directorySource(configuration, contract);
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
  const metrics = nodeMetrics(options.version, server, joined, traffic.counters, cluster);
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
    latency: joined.latency,
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

/**
 * The demo is for a directory of nobody's. A node of a cluster has the cluster's configuration, and keeps it when it has
 * left: the demo would overwrite what is served.
 */
async function configurationOf(
  { configuration, dataDirectory }: Settings,
  identity: IdentityFiles | undefined,
): Promise<ConfigurationSource> {
  if (configuration.kind !== 'demo') return configuration;
  const hasCluster = identity !== undefined || (await hasLeftCluster(dataDirectory));
  return hasCluster ? { kind: 'none' } : configuration;
}

async function startDemo(configuration: ConfigurationSource): Promise<DemoDataCenters | undefined> {
  return configuration.kind === 'demo' ? startDemoDataCenters({ port: configuration.port }) : undefined;
}

/** Whether nothing was ever configured here. */
function isNew({ generation }: Config): boolean {
  return generation === 0;
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

function directorySource(
  configuration: ConfigurationSource,
  contract: Contract,
): DirectorySource | undefined {
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
