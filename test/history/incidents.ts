import type { Delivery } from '../../src/alerts/delivery.ts';
import type { Incident } from '../../src/health/incidents/incident.ts';

export const T0 = Date.parse('2026-01-01T00:00:00Z');
export const MINUTE_MS = 60_000;

/** An open incident of `web/<endpoint>` in fra, a number of minutes after `T0`. */
export function incident(endpoint: string, minute: number, changes: Partial<Incident> = {}): Incident {
  const openedAtMs = T0 + minute * MINUTE_MS;
  return {
    id: `${openedAtMs}.web.${endpoint}`,
    kind: 'endpoint',
    severity: 'warning',
    state: 'open',
    dataCenter: 'fra',
    pools: ['web'],
    endpoint,
    verdict: 'down',
    reason: '2 failures in a row: HTTP 503 from 192.0.2.1:80.',
    openedAtMs,
    closedAtMs: undefined,
    firstFailureAtMs: openedAtMs - 1500,
    decidedAtMs: openedAtMs,
    live: [{ node: 'ams1', atMs: openedAtMs + 2 }],
    ttlSeconds: 30,
    staleGoneAtMs: openedAtMs + 30_002,
    vantages: [],
    changes: [],
    partOf: undefined,
    members: [],
    memberCount: 0,
    ...changes,
  };
}

/** The loss of a data center. */
export function loss(dataCenter: string, minute: number, changes: Partial<Incident> = {}): Incident {
  const openedAtMs = T0 + minute * MINUTE_MS;
  return incident('', minute, {
    id: `${openedAtMs}.${dataCenter}`,
    kind: 'data-center',
    severity: 'critical',
    endpoint: undefined,
    dataCenter,
    memberCount: 2,
    ...changes,
  });
}

/** The same incident, ended a number of minutes after `T0`. */
export function ended(of: Incident, minute: number): Incident {
  return { ...of, state: 'closed', closedAtMs: T0 + minute * MINUTE_MS };
}

/** A message to `on-call` that waits, a number of minutes after `T0`. */
export function delivery(tag: string, minute: number, changes: Partial<Delivery> = {}): Delivery {
  const createdAtMs = T0 + minute * MINUTE_MS;
  return {
    id: `${createdAtMs}-${tag}`,
    channel: 'on-call',
    event: 'opened',
    group: 'opened',
    state: 'waiting',
    createdAtMs,
    dueAtMs: createdAtMs,
    finishedAtMs: undefined,
    attempts: 0,
    status: undefined,
    error: undefined,
    incidents: [],
    total: 1,
    ...changes,
  };
}
