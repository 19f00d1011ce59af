import { createHmac } from 'node:crypto';
import { type AlertTexts, fillAlertTemplate } from '../config/alert-template.ts';
import type { AlertChannel } from '../config/resources/alert-channel.ts';
import { type Severity, severities } from '../health/incidents/incident.ts';
import type { AlertIncident, Delivery } from './delivery.ts';

/** Lines of a message for people; what is beyond is counted. */
const MAX_LINES = 20;

/** PagerDuty cuts summaries at 1,024 characters. */
const MAX_SUMMARY_LENGTH = 1000;

/** A message as it goes out. */
export interface AlertMessage {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The message of a delivery in its channel's format; `nowMs` goes into the signature. */
export function formatMessage(delivery: Delivery, channel: AlertChannel, nowMs: number): AlertMessage {
  const body = bodyOf(delivery, channel);
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'user-agent': 'meridian',
    'idempotency-key': delivery.id,
  };
  if (channel.secret !== undefined)
    headers['meridian-signature'] = signature(channel.secret, Math.floor(nowMs / 1000), body);
  return { body, headers };
}

/**
 * `t=1767225600,v1=5257a8…`: HMAC-SHA-256 (RFC 2104) in hex, with the secret as key, over the time in seconds, a full
 * stop and the body.
 */
export function signature(secret: string, timeSeconds: number, body: string): string {
  const code = createHmac('sha256', secret).update(`${timeSeconds}.${body}`).digest('hex');
  return `t=${timeSeconds},v1=${code}`;
}

function bodyOf(delivery: Delivery, channel: AlertChannel): string {
  switch (channel.format) {
    case 'json':
      if (channel.template !== undefined) return fillAlertTemplate(channel.template, textsOf(delivery));
      return JSON.stringify(plainBody(delivery));
    case 'slack':
      return JSON.stringify(slackBody(delivery));
    case 'pagerduty':
      return JSON.stringify(pagerDutyBody(delivery, channel.routingKey ?? ''));
  }
}

function plainBody(delivery: Delivery): object {
  const { id, channel, event, createdAtMs, incidents, total } = delivery;
  return {
    id,
    channel,
    event,
    severity: severityOf(delivery),
    title: titleOf(delivery),
    text: linesOf(delivery).join('\n'),
    at: timeText(createdAtMs),
    total,
    incidents: incidents.map(({ openedAtMs, closedAtMs, memberCount, ...incident }) => ({
      ...incident,
      openedAt: timeText(openedAtMs),
      closedAt: closedAtMs === undefined ? undefined : timeText(closedAtMs),
      endpoints: incident.kind === 'data-center' ? memberCount : undefined,
    })),
  };
}

function slackBody(delivery: Delivery): object {
  const lines = [`*${escapeSlack(titleOf(delivery))}*`, ...linesOf(delivery).map(escapeSlack)];
  return { text: lines.join('\n') };
}

/** The three characters that Slack takes for its own markup. */
function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/**
 * An event of the Events API v2. Its key is the data center, on every node the same: what is told of one joins one
 * alert, which is resolved when all of it is back.
 */
function pagerDutyBody(delivery: Delivery, routingKey: string): object {
  const { event, channel, incidents, createdAtMs } = delivery;
  const dataCenter = incidents[0]?.dataCenter ?? '';
  const key = event === 'test' ? `meridian/test/${channel}` : `meridian/${dataCenter}`;
  const head = { routing_key: routingKey, dedup_key: key };
  if (event === 'recovered') return { ...head, event_action: 'resolve' };
  return {
    ...head,
    event_action: 'trigger',
    payload: {
      summary: titleOf(delivery).slice(0, MAX_SUMMARY_LENGTH),
      source: event === 'test' ? 'meridian' : dataCenter,
      severity: severityOf(delivery),
      timestamp: timeText(createdAtMs),
      component: dataCenter,
      custom_details: { text: linesOf(delivery), incidents: incidents.map(({ id }) => id) },
    },
  };
}

function textsOf(delivery: Delivery): AlertTexts {
  const { id, event, createdAtMs, total, incidents } = delivery;
  const join = (names: readonly string[]): string => [...new Set(names)].join(', ');
  return {
    id,
    event,
    severity: severityOf(delivery),
    title: titleOf(delivery),
    text: linesOf(delivery).join('\n'),
    at: timeText(createdAtMs),
    count: String(total),
    dataCenters: join(incidents.map(({ dataCenter }) => dataCenter)),
    pools: join(incidents.flatMap(({ pools }) => pools)),
    endpoints: join(
      incidents.flatMap((incident) => (incident.endpoint === undefined ? [] : nameOf(incident))),
    ),
  };
}

function severityOf({ incidents }: Delivery): Severity {
  const highest = incidents.reduce((most, { severity }) => Math.max(most, severities.indexOf(severity)), 0);
  return severities[highest] ?? 'info';
}

/** One line: what matters most, and how much there is beside it. */
export function titleOf({ event, channel, incidents, total }: Delivery): string {
  if (event === 'test') return `A test of the alert channel ${channel}`;
  const places = incidents.filter(({ kind }) => kind === 'data-center');
  const names = new Set(places.map(({ dataCenter }) => dataCenter));
  const beside = incidents.filter(({ dataCenter }) => !names.has(dataCenter)).length;
  const first = incidents[0];
  if (first === undefined) return 'Nothing has happened';
  if (places.length > 0) {
    const which = [...names].join(', ');
    const what =
      event === 'recovered' ? 'back' : places.some(({ verdict }) => verdict === 'down') ? 'lost' : 'drained';
    const subject =
      names.size === 1 ? `Data center ${which} is ${what}` : `Data centers ${which} are ${what}`;
    return beside === 0 ? subject : `${subject}, and ${counted(beside)} elsewhere`;
  }
  const what = event === 'recovered' ? 'up again' : first.verdict;
  if (total === 1) return `${nameOf(first)} in ${first.dataCenter} is ${what}`;
  const where = [...new Set(incidents.map(({ dataCenter }) => dataCenter))].join(', ');
  return `${counted(total)} in ${where} ${event === 'recovered' ? 'are up again' : 'are out of service'}`;
}

/** One line for each data center and each endpoint beyond them; a data center's endpoints are in its line. */
function linesOf({ event, incidents, total }: Delivery): readonly string[] {
  if (event === 'test') return ['It works: what happens will be told here.'];
  const places = new Set(
    incidents.flatMap(({ kind, dataCenter }) => (kind === 'data-center' ? dataCenter : [])),
  );
  const lines = incidents
    .filter(({ kind, dataCenter }) => kind === 'data-center' || !places.has(dataCenter))
    .map((incident) => lineOf(incident, event));
  const untold = Math.max(0, total - incidents.length) + Math.max(0, lines.length - MAX_LINES);
  const shown = lines.slice(0, MAX_LINES);
  return untold === 0 ? shown : [...shown, `and ${untold} more`];
}

function lineOf(incident: AlertIncident, event: Delivery['event']): string {
  const { kind, dataCenter, pools, verdict, reason, openedAtMs, closedAtMs, memberCount } = incident;
  const subject =
    kind === 'data-center'
      ? `${dataCenter}, ${counted(memberCount)} of ${pools.join(', ')}`
      : `${nameOf(incident)} in ${dataCenter}`;
  if (event !== 'recovered' || closedAtMs === undefined) return `${subject}: ${verdict}. ${reason}`;
  return `${subject}: back after ${Math.round((closedAtMs - openedAtMs) / 1000)} s.`;
}

function nameOf({ pools, endpoint, dataCenter }: AlertIncident): string {
  return endpoint === undefined ? dataCenter : `${pools[0] ?? ''}/${endpoint}`;
}

function counted(endpoints: number): string {
  return endpoints === 1 ? '1 endpoint' : `${endpoints} endpoints`;
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
