import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import {
  address,
  alice,
  api,
  blobZone,
  dataCenter,
  endpoint,
  type HandClock,
  open,
  pool,
  Scratch,
  startClock,
  zone,
} from '../store/given.ts';

/** What every implementation of `Store` owes; the store is opened anew by `reopen`. */
interface Bench {
  readonly clock: HandClock;
  readonly store: () => Store;
  readonly reopen: () => Promise<Store>;
}

const implementations: readonly {
  readonly name: string;
  readonly start: (directory: string) => Promise<Bench>;
}[] = [
  {
    name: 'Automerge documents in LMDB',
    start: async (directory) => {
      const clock = startClock();
      let store: Store = await open(directory, clock);
      const reopen = async (): Promise<Store> => {
        await store.close();
        store = await open(directory, clock);
        return store;
      };
      return { clock, store: () => store, reopen };
    },
  },
];

describe.each(implementations)('store: $name', ({ start }) => {
  const scratch = new Scratch();
  let bench: Bench | undefined;
  const begin = async (): Promise<Bench> => {
    bench = await start(scratch.directory());
    return bench;
  };
  afterEach(async () => {
    await bench?.store().close();
    scratch.clear();
  });

  it('starts empty', async () => {
    const { config } = (await begin()).store();
    expect(config.generation).toBe(0);
    expect([config.zones.size, config.pools.size, config.rrsets.size]).toEqual([0, 0, 0]);
  });

  it('gives back what was committed, with who, why and when', async () => {
    const { store } = await begin();
    const config = await store().commit(
      [dataCenter('fra', 50.1), pool('web', [endpoint('fra-v4', '192.0.2.1')], { monitor: 'http' })],
      { author: 'alice', reason: 'first light' },
    );
    expect(config.dataCenters.get('fra')).toEqual({
      value: { name: 'fra', latitude: 50.1, longitude: 8.7 },
      owner: api,
      revision: expect.any(String),
      author: 'alice',
      reason: 'first light',
      updatedAt: '2026-01-01T00:00:00.000Z',
    });
    expect(config.pools.get('web')?.value).toEqual({
      name: 'web',
      monitor: 'http',
      endpoints: [endpoint('fra-v4', '192.0.2.1')],
    });
    expect(store().config).toBe(config);
  });

  it('counts every commit in the generation', async () => {
    const { store, reopen } = await begin();
    await store().commit([dataCenter('fra', 1)], alice);
    await store().commit([dataCenter('fra', 2)], alice);
    expect(store().config.generation).toBe(2);
    expect((await reopen()).config.generation).toBe(2);
  });

  it('gives a new revision to each write, even of the same value at the same time, and only to what was written', async () => {
    const { store, reopen } = await begin();
    const changes = [dataCenter('fra', 1), pool('web', [endpoint('a', '192.0.2.1')])];
    const first = await store().commit([...changes, dataCenter('sin', 1)], alice);
    const second = await store().commit(changes, alice);
    expect(second.dataCenters.get('fra')?.revision).not.toBe(first.dataCenters.get('fra')?.revision);
    expect(second.pools.get('web')?.revision).not.toBe(first.pools.get('web')?.revision);
    expect(second.dataCenters.get('sin')).toBe(first.dataCenters.get('sin'));
    expect((await reopen()).config).toEqual(second);
  });

  it('keeps the identity of whatever a commit does not touch', async () => {
    const { store } = await begin();
    const before = await store().commit(
      [zone('example.org.'), zone('example.net.'), address('example.org.', 'a.example.org.', '192.0.2.1')],
      alice,
    );
    const after = await store().commit([address('example.org.', 'b.example.org.', '192.0.2.2')], alice);
    expect(after.rrsets.get('example.net.')).toBe(before.rrsets.get('example.net.'));
    expect(after.zones).toBe(before.zones);
    expect(after.pools).toBe(before.pools);
    const key = 'a.example.org. A';
    expect(after.rrsets.get('example.org.')?.get(key)).toBe(before.rrsets.get('example.org.')?.get(key));
    expect(before.rrsets.get('example.org.')?.size).toBe(1);
  });

  it('deletes, and revives by a later write', async () => {
    const { store, reopen } = await begin();
    await store().commit([dataCenter('fra', 1), pool('web', [endpoint('a', '192.0.2.1')])], alice);
    const gone = await store().commit([dataCenter('fra', undefined), pool('web', undefined)], alice);
    expect([gone.dataCenters.size, gone.pools.size]).toEqual([0, 0]);
    expect((await reopen()).config.dataCenters.size).toBe(0);
    const back = await store().commit(
      [dataCenter('fra', 2), pool('web', [endpoint('b', '192.0.2.2')])],
      alice,
    );
    expect(back.dataCenters.get('fra')?.value.latitude).toBe(2);
    expect(back.pools.get('web')?.value.endpoints.map(({ name }) => name)).toEqual(['b']);
  });

  it('keeps the order of a pool’s endpoints', async () => {
    const { store, reopen } = await begin();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => endpoint(name, '192.0.2.1'));
    if (a === undefined || b === undefined || c === undefined) throw new Error('unreachable');
    await store().commit([pool('web', [a, b, c])], alice);
    await store().commit([pool('web', [c, a])], alice);
    const order = (await reopen()).config.pools.get('web')?.value.endpoints.map(({ name }) => name);
    expect(order).toEqual(['c', 'a']);
  });

  it('hides a deleted zone’s RRsets, and starts the zone made anew without them', async () => {
    const { store, reopen } = await begin();
    await store().commit(
      [zone('example.org.'), address('example.org.', 'www.example.org.', '192.0.2.1')],
      alice,
    );
    const gone = await store().commit([zone('example.org.', { deleted: true })], alice);
    expect(gone.rrsets.has('example.org.')).toBe(false);
    const anew = await store().commit([zone('example.org.')], alice);
    expect(anew.rrsets.get('example.org.')?.size ?? 0).toBe(0);
    expect((await reopen()).config).toEqual(anew);
  });

  it('drops a zone’s RRsets when its records move to a blob, for good', async () => {
    const { store } = await begin();
    await store().commit(
      [zone('example.org.'), address('example.org.', 'www.example.org.', '192.0.2.1')],
      alice,
    );
    const moved = await store().commit([blobZone('example.org.', '0'.repeat(64))], alice);
    expect(moved.rrsets.has('example.org.')).toBe(false);
    const back = await store().commit([zone('example.org.')], alice);
    expect(back.rrsets.get('example.org.')?.size ?? 0).toBe(0);
  });

  it('takes an RRset before its zone in one commit, and refuses one without a zone', async () => {
    const { store } = await begin();
    const record = address('example.org.', 'www.example.org.', '192.0.2.1');
    await expect(store().commit([dataCenter('fra', 1), record], alice)).rejects.toMatchObject({
      code: 'refused',
    });
    expect(store().config.dataCenters.size).toBe(0);
    expect(store().config.generation).toBe(0);
    const config = await store().commit([record, zone('example.org.')], alice);
    expect(config.rrsets.get('example.org.')?.size).toBe(1);
  });

  it('applies concurrent commits in the order of the calls, and a refused one hurts no other', async () => {
    const { store, reopen } = await begin();
    const commits = Array.from({ length: 100 }, (_, index) =>
      index === 50
        ? store().commit(
            [dataCenter('fra', -1), address('missing.example.', 'a.missing.example.', '192.0.2.1')],
            alice,
          )
        : store().commit([dataCenter('fra', index), dataCenter(`dc-${index}`, index)], alice),
    );
    const outcomes = await Promise.allSettled(commits);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    const { config } = await reopen();
    expect(config.dataCenters.get('fra')?.value.latitude).toBe(99);
    expect(config.dataCenters.size).toBe(100);
    expect(config.generation).toBe(99);
  });

  it('takes the longest names and RRset keys', async () => {
    const { store, reopen } = await begin();
    const label = '\\255'.repeat(61);
    const apex = `${label}.${label}.example.`;
    const name = `${label}.${apex}`;
    await store().commit([zone(apex), address(apex, name, '192.0.2.1')], alice);
    const { config } = await reopen();
    expect([...(config.rrsets.get(apex)?.keys() ?? [])]).toEqual([`${name} A`]);
  });

  it('keeps blobs under their hash until no zone refers to them', async () => {
    const { store, reopen } = await begin();
    const kept = new TextEncoder().encode('kept');
    const hash = await store().putBlob(kept);
    expect(hash).toBe(createHash('sha256').update('kept').digest('hex'));
    expect(await store().putBlob(kept)).toBe(hash);
    const loose = await store().putBlob(new TextEncoder().encode('loose'));
    await store().commit([blobZone('example.org.', hash)], alice);
    expect(await store().sweepBlobs()).toBe(1);
    const again = await reopen();
    expect(Buffer.from(again.getBlob(hash) ?? []).toString()).toBe('kept');
    expect(again.getBlob(loose)).toBeUndefined();
    expect(again.getBlob('no hash at all')).toBeUndefined();
  });

  it('refuses everything once closed', async () => {
    const { store } = await begin();
    const last = store().commit([dataCenter('fra', 1)], alice);
    await store().close();
    await expect(last).resolves.toMatchObject({ generation: 1 });
    await expect(store().commit([], alice)).rejects.toMatchObject({ code: 'closed' });
    await expect(store().putBlob(new Uint8Array(1))).rejects.toMatchObject({ code: 'closed' });
    await store().close();
  });
});
