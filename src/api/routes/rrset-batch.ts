import { z } from 'zod';
import { type Contract, parseBody } from '../../config/contract.ts';
import type { Change } from '../../config/model.ts';
import type { Problem } from '../../config/problem.ts';
import { rrsetPath } from '../../config/resource-path.ts';
import type { RRset } from '../../config/resources/rrset.ts';
import { API_OWNER } from '../collection.ts';
import { authorshipOf, notValid, refusedWrite, type WriteContext } from '../collection-writes.ts';
import { canonicalName, rrsetIdentity } from '../identities.ts';
import { isProblemReply, JSON_MEDIA_TYPE, json, type Reply, refuse } from '../reply.ts';
import type { ApiRequest, Route } from '../route.ts';
import { ZONE_PARAMETER_TEXT } from './zones.ts';

/** Each takes some tenths of a millisecond of the thread that also answers all else. */
export const MAX_BATCH_RRSETS = 1000;

/** `PATCH /v1/zones/{zone}/rrsets`: many RRsets in one write, all of them or none. */
export function rrsetBatchRoute(context: WriteContext, contract: Contract): Route {
  const schema = batchSchema(contract);
  const outcome = z.object({ set: z.int(), deleted: z.int() });
  return {
    method: 'patch',
    path: '/v1/zones/{zone}/rrsets',
    operationId: 'writeRRsets',
    tag: 'zones',
    summary: `Creates, replaces and deletes up to ${MAX_BATCH_RRSETS} RRsets of a zone in one write: all of it or nothing.`,
    parameters: { zone: ZONE_PARAMETER_TEXT },
    headers: [{ name: 'Meridian-Reason', description: 'Why; kept with the change.' }],
    body: { schema, mediaTypes: [JSON_MEDIA_TYPE] },
    answers: [
      {
        status: 200,
        description: 'How many were set and deleted; all of them are durable and answered.',
        mediaType: JSON_MEDIA_TYPE,
        schema: outcome,
      },
    ],
    refusals: [
      'bad-parameter',
      'not-found',
      'owned-by-directory',
      'not-valid',
      'malformed-json',
      'wrong-content-type',
      'body-too-large',
      'overloaded',
    ],
    run: (request) => writeBatch(context, schema, request),
  };
}

interface Batch {
  readonly set: readonly RRset[];
  readonly delete: readonly { readonly name: string; readonly type: string }[];
}

function batchSchema({ rrsetSchema }: Contract): z.ZodType<Batch> {
  const identity = z.strictObject({ name: z.string(), type: z.string() });
  return z
    .strictObject({
      set: z.array(rrsetSchema).default([]),
      delete: z
        .array(identity)
        .default([])
        .meta({ description: 'Those that are not there are passed over.' }),
    })
    .refine((batch) => batch.set.length + batch.delete.length <= MAX_BATCH_RRSETS, {
      error: `must have at most ${MAX_BATCH_RRSETS} RRsets in all`,
    })
    .meta({ id: 'RRsetBatch' });
}

async function writeBatch(
  context: WriteContext,
  schema: z.ZodType<Batch>,
  request: ApiRequest,
): Promise<Reply> {
  const apex = canonicalName(request.params.zone ?? '');
  if (!apex.ok) return refuse('bad-parameter', 'The zone is not a domain name.', apex.problems);
  const zone = apex.value;
  const body = parseBody(schema, request.body, `zones/${zone}/rrsets`);
  if (!body.ok) return notValid(body.problems);
  const authorship = authorshipOf(request);
  if (isProblemReply(authorship)) return authorship;
  const problems: Problem[] = [];
  const changes = batchChanges(zone, body.value, problems);
  if (problems.length > 0) return notValid(problems);
  const lanes = changes.map(({ key }) => rrsetPath(zone, key));
  const reply = context.lanes.runAll(lanes, async () => {
    const { config } = context.plane;
    if (!config.zones.has(zone)) return refuse('not-found', `There is no zone ${zone}`);
    const present = config.rrsets.get(zone);
    const needed = changes.filter(({ key, value }) => value !== undefined || present?.has(key) === true);
    const outcome = await context.plane.write(needed, authorship);
    if (!outcome.ok) return refusedWrite(outcome.problems);
    const set = body.value.set.length;
    return json({ set, deleted: needed.length - set });
  });
  const tooMany = 'Too many writes are waiting; repeat this one in a moment.';
  return reply ?? refuse('overloaded', tooMany, [], { 'Retry-After': '1' });
}

type RRsetChange = Extract<Change, { collection: 'rrsets' }>;

/** One change for each RRset; naming one twice is a mistake. */
function batchChanges(zone: string, batch: Batch, problems: Problem[]): readonly RRsetChange[] {
  const changes = new Map<string, RRsetChange>();
  const add = (place: string, named: { name: string; type: string }, value: RRset | undefined): void => {
    const path = `zones/${zone}/rrsets/${place}`;
    const identity = rrsetIdentity({ name: named.name, type: named.type });
    if (!identity.ok) {
      problems.push(...identity.problems.map((problem) => ({ ...problem, path: `${path}/${problem.path}` })));
      return;
    }
    const { key, fields } = identity.value;
    if (changes.has(key)) {
      problems.push({ code: 'duplicate-resource', path, message: `The RRset ${key} is named twice.` });
    }
    const canonical = value === undefined ? undefined : { ...value, ...fields };
    changes.set(key, { collection: 'rrsets', zone, key, owner: API_OWNER, value: canonical });
  };
  for (const [i, rrset] of batch.set.entries()) add(`set/${i}`, rrset, rrset);
  for (const [i, identity] of batch.delete.entries()) add(`delete/${i}`, identity, undefined);
  return [...changes.values()];
}
