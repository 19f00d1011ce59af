import { z } from 'zod';
import { parseBody } from '../../config/contract.ts';
import { type AlertChannel, showAlertChannel } from '../../config/resources/alert-channel.ts';
import type { Conflict, ConflictPlace, ConflictValue } from '../../store/conflicts/conflict.ts';
import { authorshipOf, notValid } from '../collection-writes.ts';
import type { ControlPlane } from '../control-plane.ts';
import { empty, isProblemReply, JSON_MEDIA_TYPE, json, type Reply, refuse } from '../reply.ts';
import type { ApiRequest, Route } from '../route.ts';

const TAG = 'cluster';

/** Most conflicts in one answer; who has more resolves these first. */
const MAX_CONFLICTS_TOLD = 500;

/** An RRset's key with every octet escaped, and the path before it. */
const MAX_ID_LENGTH = 4096;
const MAX_CHOICE_LENGTH = 200;

const valueSchema = z.object({
  choice: z.string().meta({ description: 'Names this value when it is chosen.' }),
  counts: z.boolean().meta({ description: 'This is the one in use.' }),
  deleted: z.boolean(),
  value: z.unknown().optional(),
  author: z.string(),
  reason: z.string(),
  node: z.string().optional(),
  updatedAt: z.string(),
  rrsets: z
    .array(z.string())
    .optional()
    .meta({ description: 'RRsets that come back with this choice; not all of many.' }),
});

const conflictSchema = z
  .object({ id: z.string(), kind: z.string(), values: z.array(valueSchema) })
  .meta({ id: 'Conflict' });

/** What `GET /v1/conflicts` answers. */
export const conflictsSchema = z.object({ total: z.int(), items: z.array(conflictSchema) });

const resolutionSchema = z
  .strictObject({
    id: z.string().min(1).max(MAX_ID_LENGTH),
    choice: z.string().min(1).max(MAX_CHOICE_LENGTH),
  })
  .meta({ id: 'Resolution' });

/** `/v1/conflicts`: what was written on several nodes without knowledge of each other, and the choice between. */
export function conflictRoutes(plane: ControlPlane): readonly Route[] {
  return [
    {
      method: 'get',
      path: '/v1/conflicts',
      operationId: 'listConflicts',
      tag: TAG,
      summary: 'What was written on several nodes without knowledge of each other: all values, who and when.',
      answers: [
        { status: 200, description: 'The conflicts.', mediaType: JSON_MEDIA_TYPE, schema: conflictsSchema },
      ],
      refusals: [],
      run: () => json(conflictsBody(plane.conflicts())),
    },
    {
      method: 'post',
      path: '/v1/conflicts/resolve',
      operationId: 'resolveConflict',
      tag: TAG,
      summary: 'Writes one of the values over all of them, on every node.',
      headers: [{ name: 'Meridian-Reason', description: 'Why; kept with the change.' }],
      body: { schema: resolutionSchema, mediaTypes: [JSON_MEDIA_TYPE] },
      answers: [{ status: 204, description: 'Written.' }],
      refusals: [
        'not-found',
        'not-valid',
        'precondition-failed',
        'bad-parameter',
        'malformed-json',
        'wrong-content-type',
        'body-too-large',
      ],
      run: (request) => resolve(plane, request),
    },
  ];
}

async function resolve(plane: ControlPlane, request: ApiRequest): Promise<Reply> {
  const given = parseBody(resolutionSchema, request.body, '');
  if (!given.ok) return notValid(given.problems);
  const authorship = authorshipOf(request);
  if (isProblemReply(authorship)) return authorship;
  const { id, choice } = given.value;
  const conflict = plane.conflicts().find((one) => one.id === id);
  if (conflict === undefined) return refuse('not-found', `There is no conflict ${id}; it may be resolved.`);
  if (!conflict.values.some((value) => value.choice === choice))
    return refuse('precondition-failed', `The conflict ${id} has no value ${choice} any more; look again.`);
  const outcome = await plane.resolveConflict(id, choice, authorship);
  if (outcome.ok) return empty();
  return refuse('precondition-failed', outcome.problems.map(({ message }) => message).join(' '));
}

function conflictsBody(conflicts: readonly Conflict[]): z.infer<typeof conflictsSchema> {
  const items = conflicts.slice(0, MAX_CONFLICTS_TOLD).map(({ id, place, values }) => ({
    id,
    kind: place.kind,
    values: values.map((value) => valueBody(place, value)),
  }));
  return { total: conflicts.length, items };
}

function valueBody(place: ConflictPlace, given: ConflictValue): z.infer<typeof valueSchema> {
  const { choice, counts, value, author, reason, node, updatedAt, rrsets } = given;
  // Records that would come back have the zone as it was.
  const deleted = value === undefined && rrsets === undefined;
  return {
    choice,
    counts,
    deleted,
    value: shown(place, value),
    author,
    reason,
    node,
    updatedAt,
    rrsets: rrsets === undefined ? undefined : [...rrsets],
  };
}

/** Secrets are hidden as they are in reads of the resource. */
function shown(place: ConflictPlace, value: unknown): unknown {
  if (value === undefined || place.kind !== 'resource' || place.collection !== 'alertChannels') return value;
  return showAlertChannel(value as AlertChannel);
}
