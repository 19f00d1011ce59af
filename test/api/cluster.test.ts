import { describe, expect, it } from 'vitest';
import type { ClusterControl } from '../../src/api/cluster-control.ts';
import { API_OWNER } from '../../src/api/collection.ts';
import { ClusterIdentity } from '../../src/cluster/identity/cluster-identity.ts';
import { createCluster, nodeOf } from '../../src/cluster/identity/create-cluster.ts';
import { parseToken } from '../../src/cluster/identity/invitation-token.ts';
import { nodeChange } from '../../src/cluster/identity/member-config.ts';
import type { Change } from '../../src/config/model.ts';
import type { ClusterNode } from '../../src/config/resources/cluster-node.ts';
import { type StartedApi, startApi } from './started-api.ts';
import { createTestPlane } from './test-plane.ts';

const node: ClusterNode = {
  name: 'fra-1',
  region: 'eu',
  addresses: ['192.0.2.1:7053'],
  role: 'full',
  membership: 'a'.repeat(32),
  certificateSerial: '4'.repeat(32),
  revokedSerials: [],
  joinedAt: '2026-01-01T00:00:00Z',
};

const invitation = {
  id: 'b'.repeat(32),
  verifier: 'v'.repeat(43),
  expiresAt: '2026-01-01T01:00:00Z',
  createdBy: 'alice',
} as const;

const given: readonly Change[] = [
  { collection: 'nodes', key: node.name, owner: API_OWNER, value: node },
  { collection: 'invitations', key: invitation.id, owner: API_OWNER, value: invitation },
];

describe('/v1/nodes', () => {
  it('is read', async () => {
    const { send } = await startApi(createTestPlane(given));
    expect((await send('GET', '/v1/nodes')).body).toMatchObject({
      items: [{ value: { name: 'fra-1', region: 'eu' } }],
    });
    expect((await send('GET', '/v1/nodes/fra-1')).body).toMatchObject({
      value: { addresses: ['192.0.2.1:7053'] },
    });
  });

  it.each([
    ['POST', '/v1/nodes'],
    ['PUT', '/v1/nodes/fra-1'],
    ['PATCH', '/v1/nodes/fra-1'],
    ['DELETE', '/v1/nodes/fra-1'],
    ['PUT', `/v1/cluster/invitations/${invitation.id}`],
  ])('is not written by %s %s', async (method, path) => {
    const { send, plane } = await startApi(createTestPlane(given));
    expect((await send(method, path, { ...node, name: 'mallory' })).status).toBe(405);
    expect(plane.writes).toEqual([]);
  });
});

describe('/v1/cluster/invitations', () => {
  it('tells of an invitation but not what proves it', async () => {
    const { send } = await startApi(createTestPlane(given));
    const { body } = await send('GET', `/v1/cluster/invitations/${invitation.id}`);
    expect(body).toMatchObject({ value: { id: invitation.id, createdBy: 'alice' } });
    expect(JSON.stringify(body)).not.toContain(invitation.verifier);
  });
});

describe('/v1/cluster', () => {
  const files = createCluster(
    {
      name: 'lon-1',
      region: 'eu',
      role: 'full',
      listen: '192.0.2.2:7053',
      advertise: [],
      transport: { kind: 'mesh' },
      peers: [],
    },
    Date.now(),
  );

  async function started(): Promise<StartedApi & { readonly control: ClusterControl }> {
    const plane = createTestPlane([...given, nodeChange(nodeOf(files, new Date()))]);
    const control: ClusterControl = new ClusterIdentity({
      dataDirectory: '/proc/none',
      files,
      members: plane,
      now: () => new Date(),
      log: () => undefined,
      onRenewed: () => undefined,
      onLeft: () => undefined,
    });
    return { ...(await startApi(plane, { cluster: control })), control };
  }

  it('tells of the node itself, and nothing secret', async () => {
    const { send } = await started();
    const { status, body } = await send('GET', '/v1/cluster');
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({ name: 'lon-1', standing: 'member', addresses: ['192.0.2.2:7053'] }),
    ]);
    expect(JSON.stringify(body)).not.toContain(Buffer.from(files.clusterKey).toString('base64'));
  });

  it('invites, shows the token once, and takes the invitation back', async () => {
    const { send, plane } = await started();
    const made = await send('POST', '/v1/cluster/invitations', { expiresSeconds: 600 });
    expect([made.status, made.headers.get('cache-control')]).toEqual([201, 'no-store']);
    const { id, token } = made.body as { readonly id: string; readonly token: string };
    expect(parseToken(token)).toMatchObject({ ok: true, value: { invitation: id } });
    const secret = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')).s as string;
    const listed = await send('GET', '/v1/cluster/invitations');
    expect(JSON.stringify([listed.body, plane.writes])).toContain(id);
    expect(JSON.stringify([listed.body, plane.writes])).not.toContain(secret);
    expect((await send('DELETE', `/v1/cluster/invitations/${id}`)).status).toBe(204);
    expect((await send('DELETE', `/v1/cluster/invitations/${id}`)).status).toBe(404);
  });

  it.each([{ expiresSeconds: 5 }, { expiresSeconds: 1e9 }, { expires: 600 }, []])(
    'refuses an invitation of %j',
    async (body) => {
      const { send, plane } = await started();
      expect((await send('POST', '/v1/cluster/invitations', body)).status).toBe(422);
      expect(plane.writes).toEqual([]);
    },
  );

  it('removes another node, not itself, and none that is not there', async () => {
    const { send, plane } = await started();
    const remove = async (name: string): Promise<number> =>
      (await send('POST', `/v1/nodes/${name}/remove`)).status;
    expect([await remove('fra-1'), await remove('lon-1'), await remove('nyc-1')]).toEqual([204, 422, 404]);
    expect(plane.config.nodes.get('fra-1')?.value.removed).toBe(true);
    expect(plane.config.removals.size).toBe(1);
  });

  it('tells why a certificate could not be changed', async () => {
    const { send } = await started();
    expect(await send('POST', '/v1/cluster/rotate')).toMatchObject({
      status: 422,
      body: { problems: [{ code: 'not-rotated' }] },
    });
  });

  it('says that a node is in no cluster', async () => {
    const { send } = await startApi();
    for (const [method, path] of [
      ['GET', '/v1/cluster'],
      ['POST', '/v1/cluster/rotate'],
      ['POST', '/v1/cluster/leave'],
    ] as const)
      expect(await send(method, path)).toMatchObject({
        status: 404,
        body: { detail: expect.stringContaining('meridian cluster init') },
      });
  });
});
