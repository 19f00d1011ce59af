import { describe, expect, it } from 'vitest';
import { MAX_BATCH_RRSETS } from '../../src/api/routes/rrset-batch.ts';
import { startApi } from './started-api.ts';

const ZONE = '/v1/zones/example.org';
const BATCH = `${ZONE}/rrsets`;

type Api = Awaited<ReturnType<typeof startApi>>;

async function startWithZone(): Promise<Api> {
  const api = await startApi();
  await api.send('PUT', ZONE, { nameServers: ['ns1.example.net'] });
  return api;
}

function host(i: number, record = '192.0.2.1'): object {
  return { name: `H${i}.example.org`, type: 'a', ttlSeconds: 60, records: [record] };
}

function keysOf({ plane }: Api): readonly string[] {
  return [...(plane.config.rrsets.get('example.org.')?.keys() ?? [])];
}

describe('a batch of RRsets', () => {
  it('sets and deletes in one write, by canonical names', async () => {
    const api = await startWithZone();
    await api.send('PATCH', BATCH, { set: [host(1), host(2)] });
    const before = api.plane.writes.length;
    const { status, body } = await api.send('PATCH', BATCH, {
      set: [host(2, '192.0.2.2'), host(3)],
      delete: [
        { name: 'h1.example.org', type: 'A' },
        { name: 'absent.example.org', type: 'A' },
      ],
    });
    expect([status, body, api.plane.writes.length - before]).toEqual([200, { set: 2, deleted: 1 }, 1]);
    expect(keysOf(api)).toEqual(['h2.example.org. A', 'h3.example.org. A']);
  });

  const refused: readonly { name: string; batch: object; want: object }[] = [
    {
      name: 'a record that is none, and nothing of the rest',
      batch: { set: [host(1), host(2, 'nowhere')] },
      want: {
        code: 'not-valid',
        problems: [{ path: 'zones/example.org./rrsets/h2.example.org. A/records/0' }],
      },
    },
    {
      name: 'an RRset that is named twice',
      batch: { set: [host(1)], delete: [{ name: 'h1.example.org.', type: 'A' }] },
      want: { code: 'not-valid', problems: [{ code: 'duplicate-resource' }] },
    },
    {
      name: 'a type that is none',
      batch: { delete: [{ name: 'h1.example.org.', type: 'NOTHING' }] },
      want: { code: 'not-valid', problems: [{ path: 'zones/example.org./rrsets/delete/0/type' }] },
    },
    {
      name: 'more than fit',
      batch: { set: Array.from({ length: MAX_BATCH_RRSETS + 1 }, (_, i) => host(i)) },
      want: { code: 'not-valid' },
    },
    { name: 'a field that is not known', batch: { remove: [] }, want: { code: 'not-valid' } },
  ];
  for (const { name, batch, want } of refused) {
    it(`refuses ${name}`, async () => {
      const api = await startWithZone();
      const { status, body } = await api.send('PATCH', BATCH, batch);
      expect([status, body]).toMatchObject([422, want]);
      expect(keysOf(api)).toEqual([]);
    });
  }

  it('refuses a zone that is not there', async () => {
    const { send } = await startApi();
    const { status } = await send('PATCH', BATCH, { set: [host(1)] });
    expect(status).toBe(404);
  });

  it('waits for a write of one of its RRsets, and is waited for', async () => {
    const api = await startWithZone();
    const order: string[] = [];
    let release = (): void => {};
    api.plane.beforeWrite = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const first = api.send('PUT', `${BATCH}/h1.example.org/A`, { ttlSeconds: 60, records: ['192.0.2.1'] });
    await started(() => release);
    api.plane.beforeWrite = async () => void order.push('batch');
    const batch = api.send('PATCH', BATCH, { set: [host(1, '192.0.2.2'), host(2)] });
    const other = api.send('PUT', `${BATCH}/h9.example.org/A`, { ttlSeconds: 60, records: ['192.0.2.1'] });
    await other;
    expect(order).toEqual(['batch']);
    release();
    expect([(await first).status, (await batch).status, order]).toEqual([201, 200, ['batch', 'batch']]);
    expect(api.plane.config.rrsets.get('example.org.')?.get('h1.example.org. A')?.value.records).toEqual([
      '192.0.2.2',
    ]);
  });
});

/** Resolves when the first write has come to the plane. */
async function started(release: () => () => void): Promise<void> {
  const initial = release();
  while (release() === initial) await new Promise((resolve) => setImmediate(resolve));
}
