import { describe, expect, it } from 'vitest';
import { API_OWNER } from '../../src/api/collection.ts';
import type { Change } from '../../src/config/model.ts';
import type { ClusterNode } from '../../src/config/resources/cluster-node.ts';
import { startApi } from './started-api.ts';
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
    ['DELETE', `/v1/cluster/invitations/${invitation.id}`],
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
