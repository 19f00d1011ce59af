import { openCounters } from '../observe/counters.ts';
import { createMetrics, type Metrics } from '../observe/metrics.ts';
import type { DnsServer } from '../server/serve-dns.ts';
import { clusterFigures } from './cluster/cluster-figures.ts';
import type { NodeCluster } from './cluster/node-cluster.ts';
import type { JoinedPlane } from './join-plane.ts';
import { nowMs } from './wall-clock.ts';

/** The figures of all parts of a node; `observed` are those of its samples. */
export function nodeMetrics(
  version: string,
  server: DnsServer,
  { publisher, health, plane, incidents, capacity, latency }: JoinedPlane,
  observed: Float64Array,
  cluster: NodeCluster | undefined,
): Metrics {
  return createMetrics({
    version,
    counters: () => [...server.counters.map((buffer) => openCounters(buffer)), observed],
    dataCenterName: (index) => publisher.dataCenterName(index),
    health: () => health.health(),
    vantage: () => health.vantage,
    capacity: () => capacity.capacity(),
    latency: () => latency.summary(),
    openIncidents: () => incidents.openCounts(),
    geoBuiltAtMs: () => Date.parse(plane.geoTable.metadata.builtAt) || undefined,
    generation: () => plane.config.generation,
    problems: () => plane.problems(),
    cluster: cluster && (() => clusterFigures(cluster, plane.conflicts().length)),
    nowMs,
  });
}
