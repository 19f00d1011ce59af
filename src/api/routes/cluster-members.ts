import { z } from 'zod';
import type { Member } from '../../cluster/members/member-view.ts';
import { parseBody } from '../../config/contract.ts';
import type { ClusterSource } from '../cluster-source.ts';
import { notValid } from '../collection-writes.ts';
import { empty, JSON_MEDIA_TYPE, json, type Reply, refuse, text } from '../reply.ts';
import type { Answer, ApiRequest, Route } from '../route.ts';

const NOT_ANNOUNCED_STATUS = 503;
const MAX_REASON_LENGTH = 200;
const timeText = z.iso.datetime();

const memberSchema = z
  .object({
    name: z.string(),
    self: z.boolean(),
    region: z.string(),
    role: z.enum(['full', 'delayed']),
    addresses: z.array(z.string()),
    state: z.enum(['up', 'down', 'never-seen']),
    since: timeText.optional().meta({ description: 'Since when it is so, as this node sees it.' }),
    downReason: z.string().optional().meta({ description: 'Why the last connection ended.' }),
    roundTripMs: z.number().optional(),
    behind: z
      .object({ documents: z.int(), since: timeText.optional() })
      .meta({ description: 'Documents in which it and this node differ, and since when.' }),
    version: z.string().optional(),
    generation: z.int().optional(),
    certificateExpiresAt: timeText.optional(),
    serving: z.boolean().optional().meta({ description: 'It answers queries, and has not withdrawn.' }),
    withdrawal: z.enum(['none', 'wanted', 'taken']).optional(),
    reason: z.string().optional().meta({ description: 'Why it is not ready, or wants no queries.' }),
    clockAheadSeconds: z.number().optional(),
  })
  .meta({ id: 'ClusterMember' });

/** What `GET /v1/cluster/members` answers; the command line reads answers with it. */
export const clusterMembersSchema = z
  .object({
    clusterId: z.string(),
    node: z.string().meta({ description: 'The node that was asked.' }),
    mostWithdrawn: z.int(),
    members: z.array(memberSchema),
  })
  .meta({ id: 'ClusterMembers' });

const withdrawalSchema = z
  .strictObject({ reason: z.string().min(1).max(MAX_REASON_LENGTH) })
  .meta({ id: 'Withdrawal' });

/** `/v1/cluster/members`: the nodes as this one sees them; `/anycast`: what a BGP speaker beside the node asks. */
export function clusterMemberRoutes(source: ClusterSource | undefined): readonly Route[] {
  return [
    ...(source === undefined ? [] : memberRoutes(source)),
    {
      method: 'get',
      path: '/anycast',
      operationId: 'readAnnouncement',
      tag: 'cluster',
      summary: 'Whether a BGP speaker beside this node should announce its address.',
      answers: [
        { status: 200, description: 'Announce it.', mediaType: 'text/plain', schema: z.string() },
        {
          status: NOT_ANNOUNCED_STATUS,
          description: 'The node has withdrawn.',
          mediaType: 'text/plain',
          schema: z.string(),
        },
      ],
      refusals: [],
      run: () => announcement(source?.isAnnounced() ?? true),
    },
  ];
}

function memberRoutes(source: ClusterSource): readonly Route[] {
  const done: Answer = {
    status: 204,
    description: 'Taken down; `withdrawal` of this node tells what came of it.',
  };
  return [
    {
      method: 'get',
      path: '/v1/cluster/members',
      operationId: 'listMembers',
      tag: 'cluster',
      summary: 'Every node of the cluster as this node sees it.',
      answers: [
        { status: 200, description: 'The nodes.', mediaType: JSON_MEDIA_TYPE, schema: clusterMembersSchema },
      ],
      refusals: [],
      run: () => json(clusterBody(source)),
    },
    {
      method: 'put',
      path: '/v1/cluster/withdrawal',
      operationId: 'askWithdrawal',
      tag: 'cluster',
      summary: 'Asks that this node withdraws from service, as soon as enough others serve.',
      body: { schema: withdrawalSchema, mediaTypes: [JSON_MEDIA_TYPE] },
      answers: [done],
      refusals: ['not-valid', 'malformed-json', 'wrong-content-type', 'body-too-large'],
      run: (request) => askWithdrawal(source, request),
    },
    {
      method: 'delete',
      path: '/v1/cluster/withdrawal',
      operationId: 'endWithdrawal',
      tag: 'cluster',
      summary: 'Takes the wish to withdraw back.',
      answers: [done],
      refusals: [],
      run: () => {
        source.askWithdrawal(undefined);
        return empty();
      },
    },
  ];
}

function announcement(isAnnounced: boolean): Reply {
  if (isAnnounced) return text('text/plain', 'announce\n');
  return {
    kind: 'text',
    status: NOT_ANNOUNCED_STATUS,
    contentType: 'text/plain',
    text: 'withdraw\n',
    headers: {},
  };
}

function askWithdrawal(source: ClusterSource, { body }: ApiRequest): Reply {
  const given = parseBody(withdrawalSchema, body, '');
  if (!given.ok) return notValid(given.problems);
  if (source.mostWithdrawn === 0)
    return refuse(
      'not-valid',
      'No node of this cluster may withdraw: there is no other to serve in its place.',
    );
  source.askWithdrawal(given.value.reason);
  return empty();
}

function clusterBody(source: ClusterSource): z.infer<typeof clusterMembersSchema> {
  const { clusterId, node, mostWithdrawn } = source;
  return { clusterId, node, mostWithdrawn, members: source.members().map(memberBody) };
}

function memberBody(member: Member): z.infer<typeof memberSchema> {
  return {
    name: member.name,
    self: member.isSelf,
    region: member.region,
    role: member.role,
    addresses: [...member.addresses],
    state: member.state,
    since: timeOf(member.sinceMs),
    downReason: member.downReason === '' ? undefined : member.downReason,
    roundTripMs: member.roundTripMs,
    behind: { documents: member.behindDocuments, since: timeOf(member.behindSinceMs) },
    version: member.version,
    generation: member.generation,
    certificateExpiresAt: timeOf(member.certificateExpiresAtMs),
    serving: member.isServing,
    withdrawal: member.withdrawal,
    reason: member.reason === '' ? undefined : member.reason,
    clockAheadSeconds: member.clockAheadMs === undefined ? undefined : member.clockAheadMs / 1000,
  };
}

function timeOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}
