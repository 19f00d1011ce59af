import { z } from 'zod';
import type { Delivery } from '../../alerts/delivery.ts';
import { parseBody } from '../../config/contract.ts';
import type { ControlPlane } from '../control-plane.ts';
import type { IncidentSource } from '../incident-source.ts';
import { JSON_MEDIA_TYPE, json, type ProblemReply, type Reply, refuse } from '../reply.ts';
import type { ApiRequest, Route } from '../route.ts';
import { fromHistory } from './incidents.ts';

const MAX_PAGE = 500;
const DEFAULT_PAGE = 50;
const MAX_ID_LENGTH = 64;

const CHANNEL = { channel: 'Name of the alert channel.' };

const deliveryQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE).meta({
    description: 'Most messages in the answer.',
  }),
  after: z.string().max(MAX_ID_LENGTH).optional().meta({
    description: 'Where to go on: `next` of the page before.',
  }),
});

const time = z.iso.datetime();

const deliverySchema = z
  .object({
    id: z.string().meta({ description: 'Sent with every attempt, as Idempotency-Key.' }),
    event: z.enum(['opened', 'recovered', 'test']),
    state: z.enum(['collecting', 'waiting', 'delivered', 'failed', 'dropped', 'not-needed']),
    createdAt: time,
    dueAt: time.optional().meta({ description: 'When it is sent, or sent again; of what is not finished.' }),
    finishedAt: time.optional(),
    attempts: z.int(),
    status: z.int().optional().meta({ description: 'HTTP status of the last attempt.' }),
    error: z.string().optional().meta({ description: 'Why the last attempt failed.' }),
    incidents: z.array(z.string()),
    total: z.int().meta({ description: 'How many incidents it tells of.' }),
  })
  .meta({ id: 'AlertDelivery' });

/** What was and is to be sent to an alert channel, and a test of it. */
export function alertDeliveryRoutes(
  plane: ControlPlane,
  source: IncidentSource | undefined,
): readonly Route[] {
  const page = z.object({ items: z.array(deliverySchema), next: z.string().optional() });
  const delivered = { mediaType: JSON_MEDIA_TYPE, schema: deliverySchema };
  return [
    {
      method: 'get',
      path: '/v1/alert-channels/{channel}/deliveries',
      operationId: 'listAlertDeliveries',
      tag: 'alert-channels',
      summary: 'Messages to the channel, newest first, with how their delivery stands.',
      parameters: CHANNEL,
      query: deliveryQuery,
      answers: [{ status: 200, description: 'One page.', mediaType: JSON_MEDIA_TYPE, schema: page }],
      refusals: ['bad-parameter', 'not-found', 'overloaded'],
      run: (request) => listDeliveries(plane, source, request),
    },
    {
      method: 'post',
      path: '/v1/alert-channels/{channel}/test',
      operationId: 'testAlertChannel',
      tag: 'alert-channels',
      summary: 'Sends a test message once, at once, and tells how that went.',
      parameters: CHANNEL,
      answers: [{ ...delivered, status: 200, description: 'The attempt, also where it failed.' }],
      refusals: ['not-found'],
      run: (request) => testChannel(plane, source, request),
    },
  ];
}

async function listDeliveries(
  plane: ControlPlane,
  source: IncidentSource | undefined,
  request: ApiRequest,
): Promise<Reply> {
  const query = parseBody(deliveryQuery, request.query, '');
  if (!query.ok) return refuse('bad-parameter', 'The page asked for is not valid.', query.problems);
  const channel = request.params.channel ?? '';
  if (!plane.config.alertChannels.has(channel)) return noSuchChannel(channel);
  if (source === undefined) return json({ items: [] });
  const page = await fromHistory(source.deliveries({ channel, ...query.value }));
  if ('kind' in page) return page;
  const last = page.items.at(-1);
  const next = page.more && last !== undefined ? { next: last.id } : {};
  return json({ items: page.items.map(shown), ...next });
}

async function testChannel(
  plane: ControlPlane,
  source: IncidentSource | undefined,
  request: ApiRequest,
): Promise<Reply> {
  const channel = request.params.channel ?? '';
  if (!plane.config.alertChannels.has(channel)) return noSuchChannel(channel);
  const delivery = await source?.testChannel(channel);
  return delivery === undefined ? noSuchChannel(channel) : json(shown(delivery));
}

function noSuchChannel(name: string): ProblemReply {
  return refuse('not-found', `There is no alert channel ${name}.`);
}

function shown(delivery: Delivery): z.infer<typeof deliverySchema> {
  const { id, event, state, createdAtMs, dueAtMs, finishedAtMs, attempts, status, error, total } = delivery;
  const finished = finishedAtMs !== undefined;
  return {
    id,
    event,
    state,
    createdAt: new Date(createdAtMs).toISOString(),
    dueAt: finished ? undefined : new Date(dueAtMs).toISOString(),
    finishedAt: finished ? new Date(finishedAtMs).toISOString() : undefined,
    attempts,
    status,
    error,
    incidents: delivery.incidents.map((incident) => incident.id),
    total,
  };
}
