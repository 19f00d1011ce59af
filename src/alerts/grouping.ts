import type { AlertChannel } from '../config/resources/alert-channel.ts';
import { type Incident, severities } from '../health/incidents/incident.ts';
import type { IncidentNews } from '../health/incidents/timeline.ts';
import type { AlertEvent, AlertIncident, Delivery } from './delivery.ts';

/** A message names at most so many incidents and counts the rest. */
export const MAX_INCIDENTS = 200;

/** What keeps coming is told at the latest after so many times the time of a group. */
const LONGEST_GROUP = 6;

/*
 * Pure: what is told to whom, and what is told together.
 *
 *     news .... news .......... news               |  quiet for groupSeconds: sent
 *     `- first: opens the group  `- each: moves its end, up to LONGEST_GROUP times groupSeconds after the first
 */

/** What the news is to a channel: undefined when it is not told of it. */
export function eventOf({ what }: IncidentNews): Exclude<AlertEvent, 'test'> | undefined {
  switch (what) {
    case 'opened':
    case 'escalated':
      return 'opened';
    case 'closed':
      return 'recovered';
    case 'updated':
      return undefined;
  }
}

/** Whether the channel wants to hear of the incident. */
export function accepts(channel: AlertChannel, incident: Incident): boolean {
  const { pools, dataCenters, minimumSeverity } = channel;
  if (severities.indexOf(incident.severity) < severities.indexOf(minimumSeverity)) return false;
  if (dataCenters !== undefined && !dataCenters.includes(incident.dataCenter)) return false;
  return pools === undefined || incident.pools.some((pool) => pools.includes(pool));
}

/**
 * What is told together: all of a channel, but for PagerDuty, whose alerts are resolved one by one: there, all of a
 * data center.
 */
export function groupOf({ format }: AlertChannel, event: AlertEvent, dataCenter: string): string {
  return format === 'pagerduty' ? `${event} ${dataCenter}` : event;
}

/** The group with one incident more; the newest of the same incident stays. */
export function addIncident(
  group: Delivery,
  incident: Incident,
  { groupSeconds }: AlertChannel,
  nowMs: number,
): Delivery {
  const others = group.incidents.filter(({ id }) => id !== incident.id);
  const isNew = others.length === group.incidents.length;
  const groupMs = groupSeconds * 1000;
  const latestMs = group.createdAtMs + LONGEST_GROUP * groupMs;
  // A data center as a whole says more than any of its endpoints, and is named first.
  const incidents =
    incident.kind === 'data-center' ? [told(incident), ...others] : [...others, told(incident)];
  return {
    ...group,
    incidents: incidents.slice(0, MAX_INCIDENTS),
    total: group.total + (isNew ? 1 : 0),
    dueAtMs: Math.min(latestMs, nowMs + groupMs),
  };
}

function told(incident: Incident): AlertIncident {
  const { id, kind, severity, dataCenter, pools, endpoint, verdict, reason } = incident;
  const { openedAtMs, closedAtMs, memberCount } = incident;
  return {
    id,
    kind,
    severity,
    dataCenter,
    pools,
    endpoint,
    verdict,
    reason,
    openedAtMs,
    closedAtMs,
    memberCount,
  };
}
