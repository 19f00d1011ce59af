import { z } from 'zod';
import { parseBody } from '../../config/contract.ts';
import { failoverSeconds, type Incident, severities, timelineOf } from '../../health/incidents/incident.ts';
import type { IncidentFilter } from '../../health/incidents/incident-filter.ts';
import type { IncidentSource } from '../incident-source.ts';
import { JSON_MEDIA_TYPE, json, type ProblemReply, type Reply, refuse, refuseParameters } from '../reply.ts';
import type { ApiRequest, Route } from '../route.ts';

const MAX_PAGE = 500;
const DEFAULT_PAGE = 50;
/** Names are at most 63 characters; an id has two of them and a time. */
const MAX_NAME_LENGTH = 63;
const MAX_ID_LENGTH = 200;

const RETRY_AFTER_SECONDS = '2';

const name = z.string().min(1).max(MAX_NAME_LENGTH).optional();
const time = z.iso.datetime({ offset: true }).optional();

const incidentQuery = z.strictObject({
  endpoint: name.meta({ description: 'Only of this endpoint, by its name within its pool.' }),
  pool: name.meta({ description: 'Only of this pool.' }),
  dataCenter: name.meta({ description: 'Only of this data center.' }),
  since: time.meta({ description: 'Only those that were open at this time or later.' }),
  until: time.meta({ description: 'Only those that began before.' }),
  open: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: 'Only those that are open, or only those that have ended.' }),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE).meta({
    description: 'Most incidents in the answer.',
  }),
  after: z.string().max(MAX_ID_LENGTH).optional().meta({
    description: 'Where to go on: `next` of the page before.',
  }),
});

const timeText = z.iso.datetime();
const verdict = z.enum(['up', 'down', 'unknown', 'drained']);

const incidentFields = {
  id: z.string(),
  kind: z.enum(['endpoint', 'data-center']),
  severity: z.enum(severities),
  state: z.enum(['open', 'closed', 'removed']),
  dataCenter: z.string(),
  pools: z.array(z.string()),
  endpoint: z.string().optional(),
  verdict,
  reason: z.string(),
  openedAt: timeText,
  closedAt: timeText.optional(),
  firstFailureAt: timeText.optional(),
  liveAt: timeText.optional().meta({ description: 'When the last node known to us answered by it.' }),
  staleGoneAt: timeText.meta({
    description: 'When the last resolver that honours TTLs has let go of it.',
  }),
  ttlSeconds: z.int(),
  failoverSeconds: z.number().optional().meta({
    description: 'From the first failed probe to the first answers without it.',
  }),
  partOf: z.string().optional().meta({ description: "The incident of the endpoint's data center." }),
  endpoints: z.int().optional().meta({ description: 'Of a data center: how many endpoints it has.' }),
};

const incidentSchema = z.object(incidentFields).meta({ id: 'Incident' });

const incidentWithTimeline = z
  .object({
    ...incidentFields,
    live: z.array(z.object({ node: z.string(), at: timeText })),
    timeline: z.array(
      z.object({
        at: timeText,
        step: z.enum([
          'first-failure',
          'vantage',
          'decided',
          'live',
          'changed',
          'stale-gone',
          'recovered',
          'removed',
        ]),
        vantage: z.string().optional(),
        node: z.string().optional(),
        text: z.string(),
      }),
    ),
    vantages: z.array(
      z.object({
        vantage: z.string(),
        verdict: z.enum(['up', 'down', 'unknown']),
        since: timeText,
        firstFailureAt: timeText.optional(),
        failures: z.int(),
        at: timeText,
        reason: z.string(),
        detail: z.string(),
        durationMs: z.number(),
        evidence: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
      }),
    ),
    members: z.array(z.string()).meta({ description: 'Of a data center: the incidents of its endpoints.' }),
  })
  .meta({ id: 'IncidentWithTimeline' });

/** `/v1/incidents`: what went out of service, since when, how fast it was noticed, and the evidence. */
export function incidentRoutes(source: IncidentSource | undefined): readonly Route[] {
  const page = z.object({ items: z.array(incidentSchema), next: z.string().optional() });
  return [
    {
      method: 'get',
      path: '/v1/incidents',
      operationId: 'listIncidents',
      tag: 'state',
      summary: 'Endpoints and data centers that are or were out of service, newest first.',
      query: incidentQuery,
      answers: [{ status: 200, description: 'One page.', mediaType: JSON_MEDIA_TYPE, schema: page }],
      refusals: ['bad-parameter', 'overloaded'],
      run: (request) => listIncidents(source, request),
    },
    {
      method: 'get',
      path: '/v1/incidents/{incident}',
      operationId: 'readIncident',
      tag: 'state',
      summary: 'One incident with its timeline and what the probes of every vantage saw.',
      parameters: { incident: 'Id of the incident.' },
      answers: [
        {
          status: 200,
          description: 'The incident.',
          mediaType: JSON_MEDIA_TYPE,
          schema: incidentWithTimeline,
        },
      ],
      refusals: ['not-found', 'overloaded'],
      run: (request) => readIncident(source, request),
    },
  ];
}

/** A question to the history that it cannot answer at the moment is refused, and may be repeated. */
export async function fromHistory<T>(question: Promise<T>): Promise<T | ProblemReply> {
  try {
    return await question;
  } catch {
    const detail = 'The history cannot be read at the moment; repeat this in a while.';
    return refuse('overloaded', detail, [], { 'Retry-After': RETRY_AFTER_SECONDS });
  }
}

async function listIncidents(source: IncidentSource | undefined, request: ApiRequest): Promise<Reply> {
  const query = parseBody(incidentQuery, request.query, '');
  if (!query.ok) return refuseParameters(query.problems);
  if (source === undefined) return json({ items: [] });
  const page = await fromHistory(source.incidents(filterOf(query.value)));
  if ('kind' in page) return page;
  const last = page.items.at(-1);
  const next = page.more && last !== undefined ? { next: last.id } : {};
  return json({ items: page.items.map(shown), ...next });
}

async function readIncident(source: IncidentSource | undefined, request: ApiRequest): Promise<Reply> {
  const id = request.params.incident ?? '';
  const known = id.length > MAX_ID_LENGTH ? undefined : source?.incident(id);
  const incident = known === undefined ? undefined : await fromHistory(known);
  if (incident === undefined)
    return refuse('not-found', `There is no incident ${id.slice(0, MAX_ID_LENGTH)}.`);
  return isRefusal(incident) ? incident : json(shownWhole(incident));
}

function isRefusal(answer: Incident | ProblemReply): answer is ProblemReply {
  return answer.kind === 'problem';
}

function filterOf(query: z.infer<typeof incidentQuery>): IncidentFilter {
  const { endpoint, pool, dataCenter, since, until, open, after, limit } = query;
  return {
    endpoint,
    pool,
    dataCenter,
    sinceMs: since === undefined ? undefined : Date.parse(since),
    untilMs: until === undefined ? undefined : Date.parse(until),
    state: open === undefined ? undefined : open === 'true' ? 'open' : 'ended',
    after,
    limit,
  };
}

function shown(incident: Incident): z.infer<typeof incidentSchema> {
  const { id, kind, severity, state, dataCenter, pools, endpoint, verdict, reason, partOf } = incident;
  return {
    id,
    kind,
    severity,
    state,
    dataCenter,
    pools: [...pools],
    endpoint,
    verdict,
    reason,
    openedAt: textOf(incident.openedAtMs),
    closedAt: optionalText(incident.closedAtMs),
    firstFailureAt: optionalText(incident.firstFailureAtMs),
    liveAt: optionalText(incident.live.at(-1)?.atMs),
    staleGoneAt: textOf(incident.staleGoneAtMs),
    ttlSeconds: incident.ttlSeconds,
    failoverSeconds: failoverSeconds(incident),
    partOf,
    endpoints: kind === 'data-center' ? incident.memberCount : undefined,
  };
}

function shownWhole(incident: Incident): z.infer<typeof incidentWithTimeline> {
  return {
    ...shown(incident),
    live: incident.live.map(({ node, atMs }) => ({ node, at: textOf(atMs) })),
    timeline: timelineOf(incident).map(({ atMs, ...step }) => ({ at: textOf(atMs), ...step })),
    vantages: incident.vantages.map(({ sinceMs, firstFailureAtMs, observedAtMs, result, ...evidence }) => ({
      ...evidence,
      since: textOf(sinceMs),
      firstFailureAt: optionalText(firstFailureAtMs),
      at: textOf(observedAtMs),
      reason: result.reason,
      detail: result.detail,
      durationMs: result.durationMs,
      evidence: { ...result.evidence },
    })),
    members: [...incident.members],
  };
}

function textOf(ms: number): string {
  return new Date(ms).toISOString();
}

function optionalText(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : textOf(ms);
}
