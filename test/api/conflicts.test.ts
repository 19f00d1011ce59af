import { describe, expect, it } from 'vitest';
import { conflictRoutes } from '../../src/api/routes/conflicts.ts';
import type { Conflict } from '../../src/store/conflicts/conflict.ts';
import { createTestPlane } from './test-plane.ts';

const stamp = {
  owner: { kind: 'api' },
  reason: 'as told',
  updatedAt: '2026-01-01T00:00:00.000Z',
} as const;

const conflict: Conflict = {
  id: 'alertChannels/on-call',
  place: { kind: 'resource', collection: 'alertChannels', key: 'on-call' },
  values: [
    {
      ...stamp,
      choice: 'a1',
      author: 'alice',
      node: 'fra',
      counts: true,
      value: {
        name: 'on-call',
        url: 'https://alerts.example.net/secret-path',
        format: 'json',
        secret: 'very secret text',
      },
    },
    { ...stamp, choice: 'b2', author: 'bob', node: 'sin', counts: false, value: undefined },
  ],
};

const ended: Conflict = {
  id: 'zones/example.org./records',
  place: { kind: 'zone-records', zone: 'example.org.' },
  values: [
    { ...stamp, choice: '2-a1', author: 'alice', node: 'fra', counts: true, value: undefined },
    {
      ...stamp,
      choice: 'life-0',
      author: 'bob',
      node: 'sin',
      counts: false,
      value: { name: 'example.org.' },
      rrsets: ['www.example.org. A'],
    },
  ],
};

function ask(method: string, body?: unknown, conflicting = [conflict]) {
  const plane = createTestPlane();
  plane.conflicting = conflicting;
  const route = conflictRoutes(plane).find((one) => one.method === method);
  if (route === undefined) throw new Error('there is such a route');
  const reply = route.run({ params: {}, query: {}, header: () => undefined, sender: undefined, body });
  return { plane, reply };
}

describe('conflicts', () => {
  it('are told with all their values, the one in use first, and without secrets', async () => {
    const reply = await ask('get').reply;
    const text = JSON.stringify(reply);
    expect(text).not.toContain('very secret');
    expect(text).not.toContain('secret-path');
    expect(reply).toMatchObject({
      body: {
        total: 1,
        items: [
          {
            id: conflict.id,
            kind: 'resource',
            values: [
              { choice: 'a1', counts: true, deleted: false, author: 'alice', node: 'fra' },
              { choice: 'b2', counts: false, deleted: true, author: 'bob', node: 'sin' },
            ],
          },
        ],
      },
    });
  });

  it('say that a zone is deleted of which records were written elsewhere', async () => {
    expect(await ask('get', undefined, [ended]).reply).toMatchObject({
      body: {
        items: [
          {
            values: [
              { choice: '2-a1', deleted: true },
              { deleted: false, rrsets: ['www.example.org. A'] },
            ],
          },
        ],
      },
    });
  });

  it('end with a choice', async () => {
    const { plane, reply } = ask('post', { id: conflict.id, choice: 'b2' });
    expect((await reply).kind).toBe('empty');
    expect(plane.resolved).toEqual(['alertChannels/on-call b2']);
  });

  for (const { name, body, want } of [
    { name: 'one that there is not', body: { id: 'pools/web', choice: 'b2' }, want: 'not-found' },
    {
      name: 'a value that there is not',
      body: { id: conflict.id, choice: 'c3' },
      want: 'precondition-failed',
    },
    { name: 'nothing', body: {}, want: 'not-valid' },
  ])
    it(`refuse ${name}`, async () => {
      const { plane, reply } = ask('post', body);
      expect([await reply, plane.resolved]).toMatchObject([{ code: want }, []]);
    });
});
