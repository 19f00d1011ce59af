import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Incident } from '../health/incidents/incident.ts';

/** From a watched connection's half a second to slow probes with many failures in a row. */
const FAILOVER_BUCKETS = [0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300];

/** Channels counted by name; there are no more in a configuration. */
const MAX_CHANNEL_LABELS = 100;

/** Counts incidents and alerts. */
export interface IncidentMetrics {
  /** Counts an incident that has opened; `failoverSeconds` where failed probes led to it. */
  countIncident(incident: Incident, failoverSeconds: number | undefined): void;
  /** Counts an attempt to deliver an alert. */
  countAlert(channel: string, outcome: string): void;
}

/** Registers the metrics of incidents and alerts; `open` tells how many are open of each kind. */
export function registerIncidents(
  registry: Registry,
  open: (() => ReadonlyMap<Incident['kind'], number>) | undefined,
): IncidentMetrics {
  const incidents = new Counter({
    name: 'meridian_incidents_total',
    help: 'Endpoints and data centers that went out of service, by severity.',
    labelNames: ['kind', 'severity'],
    registers: [registry],
  });
  const failovers = new Histogram({
    name: 'meridian_failover_seconds',
    help: 'From the first failed probe of an endpoint or data center to the first answers without it.',
    labelNames: ['kind'],
    buckets: FAILOVER_BUCKETS,
    registers: [registry],
  });
  const alerts = new Counter({
    name: 'meridian_alert_attempts_total',
    help: 'Attempts to deliver an alert, by channel and by how they ended.',
    labelNames: ['channel', 'outcome'],
    registers: [registry],
  });
  new Gauge({
    name: 'meridian_incidents_open',
    help: 'Endpoints and data centers that are out of service.',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      for (const [kind, count] of open?.() ?? []) this.set({ kind }, count);
    },
  });
  const channels = new Set<string>();
  return {
    countIncident: ({ kind, severity }, failoverSeconds) => {
      incidents.inc({ kind, severity });
      if (failoverSeconds !== undefined) failovers.observe({ kind }, failoverSeconds);
    },
    countAlert: (channel, outcome) => {
      if (channels.size < MAX_CHANNEL_LABELS) channels.add(channel);
      alerts.inc({ channel: channels.has(channel) ? channel : 'other', outcome });
    },
  };
}
