import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Problem } from '../config/problem.ts';
import type { ProbeReason } from '../health/probe-result.ts';
import type { Verdict } from '../health/verdict.ts';
import { type ClusterFigures, registerCluster } from './cluster-metrics.ts';
import { type CounterBlock, readCounters } from './counters.ts';
import { DataCenterCounts } from './data-center-counts.ts';
import { type IncidentMetrics, registerIncidents } from './incident-metrics.ts';
import { type LatencyFigures, registerLatency } from './latency-metrics.ts';

/** Where the figures come from, read anew for every exposition. */
export interface MetricsSources {
  readonly version: string;
  /** The counters of every DNS worker. */
  readonly counters: () => readonly Float64Array[];
  /** Name of a data center by its number; undefined for a number that none has. */
  readonly dataCenterName: (index: number) => string | undefined;
  readonly health: () => readonly EndpointVerdict[];
  /** This node's own probing. */
  readonly vantage?: () => VantageFigures;
  /** How many incidents are open. */
  readonly openIncidents?: Parameters<typeof registerIncidents>[1];
  /** What data centers can take, what they have, and what they pass on. */
  readonly capacity?: () => readonly CapacityFigures[];
  /** What clients have measured. */
  readonly latency?: () => LatencyFigures;
  /** The cluster that the node belongs to. */
  readonly cluster?: (() => ClusterFigures) | undefined;
  /** When the geo table was built, in milliseconds since 1970; undefined when the table does not say. */
  readonly geoBuiltAtMs: () => number | undefined;
  readonly generation: () => number;
  readonly problems: () => readonly Problem[];
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

/** What is exposed of the thread that probes. */
interface VantageFigures {
  readonly load: { readonly running: number; readonly waiting: number };
  readonly restarts: number;
}

/** What is exposed of a data center's capacity; see `GET /v1/capacity`. */
interface CapacityFigures {
  readonly dataCenter: string;
  readonly capacity: number | undefined;
  readonly reportedLoad: number | undefined;
  readonly expectedLoad: number;
  readonly homeSpill: number;
  readonly guestSpill: number;
}

/** The part of an endpoint's health that is exposed. */
interface EndpointVerdict {
  readonly pool: string;
  readonly endpoint: string;
  readonly verdict: Verdict;
}

export interface Metrics extends IncidentMetrics {
  /** Everything in Prometheus' text format. */
  exposition(): Promise<string>;
  /** For the HTTP answer that carries the exposition. */
  readonly contentType: string;
  /** Counts one finished probe. */
  countProbe(monitor: string, reason: ProbeReason): void;
  /** To be called when data centers may have come or gone: a number's count starts anew with its next owner. */
  followDataCenters(): void;
}

/** Monitors counted by name; later ones share the label `other`, so that churn cannot grow the exposition. */
const MAX_MONITOR_LABELS = 1000;

const verdicts: readonly Verdict[] = ['up', 'down', 'unknown', 'drained'];

/** A registry of its own, so that several nodes can live in one process. */
export function createMetrics(sources: MetricsSources): Metrics {
  const registry = new Registry();
  const dataCenters = new DataCenterCounts(sources.counters, sources.dataCenterName);
  registerQueries(registry, sources, dataCenters);
  registerSamples(registry, sources);
  registerServer(registry, sources);
  registerHealth(registry, sources);
  registerVantage(registry, sources);
  registerCapacity(registry, sources);
  registerLatency(registry, sources.latency, sources.nowMs);
  registerNode(registry, sources);
  registerCluster(registry, sources.cluster);
  const incidents = registerIncidents(registry, sources.openIncidents);
  collectDefaultMetrics({ register: registry });

  const probeResults = new Counter({
    name: 'meridian_probe_results_total',
    help: 'Finished probes by monitor and by how they ended.',
    labelNames: ['monitor', 'reason'],
    registers: [registry],
  });
  const monitors = new Set<string>();
  return {
    ...incidents,
    exposition: () => registry.metrics(),
    followDataCenters: () => dataCenters.follow(),
    contentType: registry.contentType,
    countProbe: (monitor, reason) => {
      if (monitors.size < MAX_MONITOR_LABELS) monitors.add(monitor);
      probeResults.inc({ monitor: monitors.has(monitor) ? monitor : 'other', reason });
    },
  };
}

function registerQueries(registry: Registry, sources: MetricsSources, dataCenters: DataCenterCounts): void {
  new Counter({
    name: 'meridian_dns_queries_total',
    help: 'DNS queries by transport and query type.',
    labelNames: ['transport', 'type'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { label, value } of readCounters(sources.counters(), 'udpQueries'))
        this.inc({ transport: 'udp', type: label }, value);
      for (const { label, value } of readCounters(sources.counters(), 'tcpQueries'))
        this.inc({ transport: 'tcp', type: label }, value);
    },
  });
  registerBlock(registry, sources, 'responses', {
    name: 'meridian_dns_responses_total',
    help: 'DNS responses by response code.',
    label: 'rcode',
  });
  registerBlock(registry, sources, 'outcomes', {
    name: 'meridian_dns_outcomes_total',
    help: 'DNS queries by how they ended.',
    label: 'outcome',
  });
  registerBlock(registry, sources, 'truncated', {
    name: 'meridian_dns_truncated_total',
    help: 'DNS responses that were truncated.',
    label: 'transport',
  });
  new Counter({
    name: 'meridian_dns_answers_by_data_center_total',
    help: 'Steered answers by the data center that was answered.',
    labelNames: ['data_center'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { dataCenter, answers } of dataCenters.read())
        this.inc({ data_center: dataCenter }, answers);
    },
  });
}

function registerSamples(registry: Registry, sources: MetricsSources): void {
  registerBlock(registry, sources, 'samples', {
    name: 'meridian_traffic_samples_total',
    help: 'DNS queries that were sampled, and those that found no room because the main thread did not keep up.',
    label: 'event',
  });
  registerBlock(registry, sources, 'queryLog', {
    name: 'meridian_query_log_lines_total',
    help: 'Lines of the query log that were written, that found no room, and that could not be written.',
    label: 'event',
  });
  registerBlock(registry, sources, 'dnstap', {
    name: 'meridian_dnstap_events_total',
    help: 'dnstap frames that were sent or found no room; connections to the collector that began or failed.',
    label: 'event',
  });
}

function registerServer(registry: Registry, sources: MetricsSources): void {
  registerBlock(registry, sources, 'drops', {
    name: 'meridian_dns_dropped_total',
    help: 'DNS packets and answers that were dropped, by cause.',
    label: 'cause',
  });
  registerBlock(registry, sources, 'udpSends', {
    name: 'meridian_dns_udp_sends_total',
    help: 'Sends that carried several UDP responses to one client at once.',
    label: 'kind',
  });
  registerBlock(registry, sources, 'protection', {
    name: 'meridian_dns_protection_total',
    help: 'DNS queries by what protection made of them: their cookie, a limit on responses, the access list.',
    label: 'event',
  });
  registerBlock(registry, sources, 'errors', {
    name: 'meridian_dns_errors_total',
    help: 'Errors while serving DNS; a bug was answered with SERVFAIL and is in the log.',
    label: 'kind',
  });
  registerBlock(registry, sources, 'tcpEvents', {
    name: 'meridian_dns_tcp_connections_total',
    help: 'DNS connections over TCP that were accepted, refused, or closed by a limit.',
    label: 'event',
  });
  new Gauge({
    name: 'meridian_dns_tcp_connections',
    help: 'DNS connections over TCP that are open.',
    registers: [registry],
    collect() {
      this.set(readCounters(sources.counters(), 'tcpConnections').reduce((sum, { value }) => sum + value, 0));
    },
  });
  new Counter({
    name: 'meridian_dns_worker_restarts_total',
    help: 'DNS worker threads that ended and were started again.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(readCounters(sources.counters(), 'worker').reduce((sum, { value }) => sum + value, 0));
    },
  });
}

function registerHealth(registry: Registry, sources: MetricsSources): void {
  new Gauge({
    name: 'meridian_endpoint_verdict',
    help: '1 for the verdict that holds for the endpoint, 0 for the others.',
    labelNames: ['pool', 'endpoint', 'verdict'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { pool, endpoint, verdict: holds } of sources.health())
        for (const verdict of verdicts) this.set({ pool, endpoint, verdict }, verdict === holds ? 1 : 0);
    },
  });
}

function registerVantage(registry: Registry, { vantage }: MetricsSources): void {
  if (vantage === undefined) return;
  const gauge = (name: string, help: string, read: (figures: VantageFigures) => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read(vantage()));
      },
    });
  };
  gauge('meridian_probes_running', 'Probes that run now.', ({ load }) => load.running);
  gauge(
    'meridian_probes_waiting',
    'Probes that are due and wait for others to end.',
    ({ load }) => load.waiting,
  );
  new Counter({
    name: 'meridian_vantage_restarts_total',
    help: 'How often the thread that probes ended by itself and was started again.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(vantage().restarts);
    },
  });
}

function registerCapacity(registry: Registry, { capacity }: MetricsSources): void {
  if (capacity === undefined) return;
  const gauge = (
    name: string,
    help: string,
    read: (figures: CapacityFigures) => readonly (readonly [labels: { kind?: string }, value: number])[],
    labelNames: readonly string[] = [],
  ): void => {
    new Gauge({
      name,
      help,
      labelNames: ['data_center', ...labelNames],
      registers: [registry],
      collect() {
        this.reset();
        for (const figures of capacity())
          for (const [labels, value] of read(figures))
            this.set({ data_center: figures.dataCenter, ...labels }, value);
      },
    });
  };
  gauge('meridian_data_center_capacity', 'Load units that the data center can take.', (figures) =>
    figures.capacity === undefined ? [] : [[{}, figures.capacity]],
  );
  gauge(
    'meridian_data_center_load',
    'Load of the data center in units of its capacity: as reported, and as expected from sampled queries.',
    ({ reportedLoad, expectedLoad }) => [
      ...(reportedLoad === undefined ? [] : [[{ kind: 'reported' }, reportedLoad] as const]),
      [{ kind: 'expected' }, expectedLoad],
    ],
    ['kind'],
  );
  gauge(
    'meridian_data_center_spill',
    'Share of clients that the data center passes on: its own, and guests from others.',
    ({ homeSpill, guestSpill }) => [
      [{ kind: 'home' }, homeSpill],
      [{ kind: 'guest' }, guestSpill],
    ],
    ['kind'],
  );
}

function registerNode(registry: Registry, sources: MetricsSources): void {
  new Gauge({
    name: 'meridian_build_info',
    help: 'Always 1; the label carries the version.',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version: sources.version }, 1);
  new Gauge({
    name: 'meridian_config_generation',
    help: 'Generation of the configuration that is served; counts up with every commit.',
    registers: [registry],
    collect() {
      this.set(sources.generation());
    },
  });
  new Gauge({
    name: 'meridian_problems',
    help: 'Problems at present, by code.',
    labelNames: ['code'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { code } of sources.problems()) this.inc({ code });
    },
  });
  // The label-less gauge of an unknown time is left out: 0 would read as 1970.
  const geoGauge = (name: string, help: string, seconds: (builtAtMs: number) => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        const builtAtMs = sources.geoBuiltAtMs();
        if (builtAtMs === undefined) this.remove();
        else this.set(seconds(builtAtMs));
      },
    });
  };
  geoGauge(
    'meridian_geo_table_build_timestamp_seconds',
    'When the geo table was built, in seconds since 1970.',
    (builtAtMs) => builtAtMs / 1000,
  );
  geoGauge('meridian_geo_table_age_seconds', 'Age of the geo table.', (builtAtMs) =>
    Math.max(0, (sources.nowMs() - builtAtMs) / 1000),
  );
}

function registerBlock(
  registry: Registry,
  sources: MetricsSources,
  block: CounterBlock,
  metric: { readonly name: string; readonly help: string; readonly label: string },
): void {
  new Counter({
    name: metric.name,
    help: metric.help,
    labelNames: [metric.label],
    registers: [registry],
    collect() {
      // The cells hold totals, so the metric is set to them rather than counted on.
      this.reset();
      for (const { label, value } of readCounters(sources.counters(), block))
        this.inc({ [metric.label]: label }, value);
    },
  });
}
