import { z } from 'zod';
import { parseBody } from '../../config/contract.ts';
import type { Authorship } from '../../config/model.ts';
import type { Parsed } from '../../config/problem.ts';
import type { ClusterControl } from '../cluster-control.ts';
import { clusterOverviewSchema, invitedSchema, leftSchema } from '../cluster-schemas.ts';
import { authorshipOf, notValid } from '../collection-writes.ts';
import type { ControlPlane } from '../control-plane.ts';
import type { HttpProblemCode } from '../problem-details.ts';
import { empty, isProblemReply, JSON_MEDIA_TYPE, json, type Reply, refuse } from '../reply.ts';
import type { ApiRequest, HeaderText, Route } from '../route.ts';

const DEFAULT_INVITATION_SECONDS = 3600;
const MIN_INVITATION_SECONDS = 60;

/** Whoever takes longer to install a machine asks for another. */
const MAX_INVITATION_SECONDS = 7 * 24 * 3600;

const invitationRequest = z
  .strictObject({
    expiresSeconds: z
      .int()
      .min(MIN_INVITATION_SECONDS)
      .max(MAX_INVITATION_SECONDS)
      .default(DEFAULT_INVITATION_SECONDS),
  })
  .meta({ id: 'InvitationRequest' });

const TAG = 'cluster';
const REASON: HeaderText = { name: 'Meridian-Reason', description: 'Why; kept with the change.' };
const REFUSALS: readonly HttpProblemCode[] = ['bad-parameter', 'not-found', 'not-valid'];

/** Undefined where the node is in no cluster. */
type Cluster = ClusterControl | undefined;

/** `/v1/cluster` and what is done about who belongs to it. */
export function clusterRoutes(plane: ControlPlane, control: Cluster): readonly Route[] {
  return [
    overviewRoute(control),
    inviteRoute(control),
    ...endingRoutes(plane, control),
    rotateRoute(control),
  ];
}

function overviewRoute(control: Cluster): Route {
  return {
    method: 'get',
    path: '/v1/cluster',
    operationId: 'readCluster',
    tag: TAG,
    summary: "This node's part in its cluster.",
    answers: [
      { status: 200, description: 'The part.', mediaType: JSON_MEDIA_TYPE, schema: clusterOverviewSchema },
    ],
    refusals: ['not-found'],
    run: () => (control === undefined ? noCluster() : json(control.overview())),
  };
}

function inviteRoute(control: Cluster): Route {
  return {
    method: 'post',
    path: '/v1/cluster/invitations',
    operationId: 'createInvitation',
    tag: TAG,
    summary: 'Makes a token with which one machine can join, once, until it expires.',
    headers: [REASON],
    body: { schema: invitationRequest, mediaTypes: [JSON_MEDIA_TYPE] },
    answers: [
      {
        status: 201,
        description: 'The token; it is not shown again.',
        mediaType: JSON_MEDIA_TYPE,
        schema: invitedSchema,
      },
    ],
    refusals: [...REFUSALS, 'malformed-json', 'wrong-content-type', 'body-too-large'],
    run: async (request) => {
      const body = parseBody(invitationRequest, request.body, 'invitation');
      if (!body.ok) return notValid(body.problems);
      return asAuthor(
        control,
        request,
        (cluster, authorship) => cluster.invite(body.value.expiresSeconds, authorship),
        // A token is a secret: no cache on the way may keep it.
        (issued) => json(issued, 201, { 'Cache-Control': 'no-store' }),
      );
    },
  };
}

function endingRoutes(plane: ControlPlane, control: Cluster): readonly Route[] {
  return [
    {
      method: 'delete',
      path: '/v1/cluster/invitations/{invitation}',
      operationId: 'deleteInvitation',
      tag: TAG,
      summary: 'Ends an invitation that nobody has used.',
      parameters: { invitation: 'Id of the invitation.' },
      headers: [REASON],
      answers: [{ status: 204, description: 'Ended.' }],
      refusals: REFUSALS,
      run: (request) => {
        const id = request.params.invitation ?? '';
        if (!plane.config.invitations.has(id)) return refuse('not-found', `There is no invitation ${id}.`);
        return asAuthor(control, request, (cluster, authorship) => cluster.withdraw(id, authorship), empty);
      },
    },
    {
      method: 'post',
      path: '/v1/nodes/{node}/remove',
      operationId: 'removeClusterNode',
      tag: TAG,
      summary: "Ends another node's membership: its certificates count no more, on any node.",
      parameters: { node: 'Name of the node.' },
      headers: [REASON],
      answers: [{ status: 204, description: 'Removed, or removed before.' }],
      refusals: REFUSALS,
      run: (request) => {
        const name = request.params.node ?? '';
        if (!plane.config.nodes.has(name)) return refuse('not-found', `There is no node ${name}.`);
        return asAuthor(control, request, (cluster, authorship) => cluster.remove(name, authorship), empty);
      },
    },
    {
      method: 'post',
      path: '/v1/cluster/leave',
      operationId: 'leaveCluster',
      tag: TAG,
      summary: "Ends this node's own membership; it goes on alone, and its files are put aside.",
      headers: [REASON],
      answers: [{ status: 200, description: 'Left.', mediaType: JSON_MEDIA_TYPE, schema: leftSchema }],
      refusals: REFUSALS,
      run: (request) => asAuthor(control, request, (cluster, authorship) => cluster.leave(authorship), json),
    },
  ];
}

function rotateRoute(control: Cluster): Route {
  return {
    method: 'post',
    path: '/v1/cluster/rotate',
    operationId: 'rotateCertificate',
    tag: TAG,
    summary: 'Gives this node a new key and certificate, without an interruption.',
    headers: [REASON],
    answers: [
      {
        status: 200,
        description: 'The new certificate.',
        mediaType: JSON_MEDIA_TYPE,
        schema: clusterOverviewSchema,
      },
    ],
    refusals: REFUSALS,
    run: (request) => asAuthor(control, request, (cluster, authorship) => cluster.rotate(authorship), json),
  };
}

async function asAuthor<T>(
  control: Cluster,
  request: ApiRequest,
  operation: (cluster: ClusterControl, authorship: Authorship) => Promise<Parsed<T>>,
  reply: (value: T) => Reply,
): Promise<Reply> {
  if (control === undefined) return noCluster();
  const authorship = authorshipOf(request);
  if (isProblemReply(authorship)) return authorship;
  const outcome = await operation(control, authorship);
  return outcome.ok ? reply(outcome.value) : notValid(outcome.problems);
}

function noCluster(): Reply {
  return refuse('not-found', 'This node is in no cluster; stop it, and run: meridian cluster init');
}
