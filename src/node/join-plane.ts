import { join } from 'node:path';
import type { Problem } from '../config/problem.ts';
import type { DemoDataCenters } from '../demo/data-centers.ts';
import type { Metrics } from '../observe/metrics.ts';
import { createSpillTable } from '../snapshot/spill-table.ts';
import { createVerdictTable } from '../snapshot/verdict-table.ts';
import type { CapacityLoop } from './capacity/capacity-loop.ts';
import { startCapacity } from './capacity/start-capacity.ts';
import type { Closers } from './closers.ts';
import { DELAY_FILE, DelayedView, keepDelay } from './cluster/delayed-view.ts';
import { NodeCluster } from './cluster/node-cluster.ts';
import type { Publisher } from './compile/publisher.ts';
import { NodeControlPlane } from './control/control-plane.ts';
import type { HealthLoop } from './health/health-loop.ts';
import { startHealth } from './health/start-health.ts';
import type { IncidentLoop } from './incidents/incident-loop.ts';
import { startIncidents } from './incidents/start-incidents.ts';
import type { LatencyLoop } from './latency/latency-loop.ts';
import { startLatency } from './latency/start-latency.ts';
import type { NodeOptions } from './node-options.ts';
import type { OpenParts } from './open-parts.ts';
import { keepForBoot, openPublisher } from './open-publisher.ts';
import { nowMs } from './wall-clock.ts';
import type { ZoneFiles } from './zones/zone-files.ts';

/** The parts of a node that are there whether anybody can reach it or not. */
export interface JoinedPlane {
  readonly plane: NodeControlPlane;
  readonly publisher: Publisher;
  readonly health: HealthLoop;
  readonly incidents: IncidentLoop;
  readonly capacity: CapacityLoop;
  readonly latency: LatencyLoop;
  readonly zoneFiles: ZoneFiles;
  /** Metrics come after the servers that they read, and probes start before both. */
  readonly countProbesIn: (metrics: Metrics) => void;
  /** To be called once something is served: brings the node in touch with its cluster, where it has one. */
  readonly startCluster: () => Promise<NodeCluster | undefined>;
}

type PlaneParts = OpenParts & { readonly demo: DemoDataCenters | undefined };

/** Parts that are spoken to before they are there. */
interface Later {
  plane: NodeControlPlane | undefined;
  metrics: Metrics | undefined;
  cluster: NodeCluster | undefined;
}

/** Joins store, publication, health, capacity and incidents; each hears of the others through what is given here. */
export function joinPlane(options: NodeOptions, parts: PlaneParts, closers: Closers): JoinedPlane {
  const { settings, version, log, outlet, manifest, booted } = options;
  const { store, compiler, geoTable, demo, identity } = parts;
  const verdicts = createVerdictTable();
  const spills = createSpillTable();
  const { publisher, zoneFiles } = openPublisher(options, parts, { verdicts, spills });
  const capacity = startCapacity({ settings, log, verdicts, spills, publisher }, closers);
  keepForBoot(outlet, { manifest, booted }, { compiler, publisher, log }, closers);
  const later: Later = { plane: undefined, metrics: undefined, cluster: undefined };
  const { health, incidents } = joinHealth(
    options,
    { ...parts, verdicts, capacity: capacity.loop, later },
    closers,
  );
  const moreProblems = (): readonly Problem[] => [
    ...incidents.problems(),
    ...(later.cluster?.problems() ?? []),
  ];
  const delayed = delayedView(options, parts);
  const plane = new NodeControlPlane(
    {
      store,
      ...(delayed === undefined ? {} : { served: () => delayed.config }),
      dataDirectory: settings.dataDirectory,
      publisher,
      health,
      moreProblems,
      demo,
      version,
      nowMs,
      outlet,
      compiler,
      zoneFiles,
    },
    geoTable,
  );
  later.plane = plane;
  plane.subscribe(() => incidents.followConfig());
  plane.subscribe(() => capacity.follow(plane.config));
  if (delayed !== undefined) keepDelay(delayed, plane, log, closers);
  closers.add(() => plane.close());
  const latency = startLatency({ settings, log, plane }, closers);
  return {
    plane,
    publisher,
    health,
    incidents,
    capacity: capacity.loop,
    latency,
    zoneFiles,
    countProbesIn: (given) => {
      later.metrics = given;
    },
    startCluster: async () => {
      if (identity === undefined) return undefined;
      const { dataDirectory } = settings;
      const around = { dataDirectory, store, plane, health, incidents, version, log };
      const cluster = new NodeCluster({ files: identity, ...around });
      closers.add(() => cluster.close());
      later.cluster = cluster;
      await cluster.start();
      plane.subscribe(() => cluster.followNodes());
      return cluster;
    },
  };
}

/** Undefined but for a node of a cluster with delayed input. */
function delayedView(
  { settings, log }: NodeOptions,
  { store, identity }: OpenParts,
): DelayedView | undefined {
  if (identity?.settings.role !== 'delayed') return undefined;
  const file = join(settings.dataDirectory, DELAY_FILE);
  return new DelayedView({ store, file, steadyMs: () => performance.now(), log });
}

function joinHealth(
  { settings, log }: NodeOptions,
  parts: PlaneParts & {
    readonly verdicts: Uint8Array;
    readonly capacity: CapacityLoop;
    readonly later: Later;
  },
  closers: Closers,
): Pick<JoinedPlane, 'health' | 'incidents'> {
  const { store, identity, verdicts, capacity, later } = parts;
  const announce = (): void => later.plane?.announce();
  const incidents = startIncidents(
    {
      settings,
      log,
      nowMs,
      config: () => store.config,
      health: () => health,
      metrics: () => later.metrics,
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
        capacity.verdictsChanged();
        announce();
      },
      onEvent: (event) => {
        incidents.takeEvent(event);
        later.cluster?.tellLive(event.key, event.to);
        log[event.to === 'up' ? 'info' : 'warn'](event, 'verdict changed');
      },
      onEndpoints: () => {
        incidents.followEndpoints();
        later.cluster?.followEndpoints();
      },
      vantage: identity?.settings.name,
      onOwn: (observations) => later.cluster?.takeOwn(observations),
      onResult: (monitor, reason) => later.metrics?.countProbe(monitor, reason),
      onLoad: (key, load, most) => capacity.endpointLoad(key, load, most),
    },
    closers,
  );
  return { health, incidents };
}
