import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Change } from '../../src/config/model.ts';
import { restoreBackup } from '../../src/store/backup/restore-backup.ts';
import type { ReplicatedStore } from '../../src/store/replicated-store.ts';
import { address, alice, api, open, Scratch, zone } from './given.ts';
import { meet } from './meet.ts';

/* The serial of a zone: the same wherever everything has arrived, and never smaller than it was. */

const APEX = 'example.org.';
const scratch = new Scratch();
const opened: ReplicatedStore[] = [];
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  scratch.clear();
});

async function node(directory = scratch.directory()): Promise<ReplicatedStore> {
  const store = await open(directory);
  opened.push(store);
  return store;
}

function serial({ config }: ReplicatedStore, apex = APEX): number {
  return config.zoneSerials.get(apex) ?? Number.NaN;
}

function steered(name: string, ttlSeconds: number | undefined): Change {
  const value = ttlSeconds === undefined ? undefined : { name, pool: 'web', policy: 'nearest', ttlSeconds };
  return { collection: 'steeredNames', key: name, owner: api, value } as Change;
}

/** Two that have the zone and have met. */
async function pair(): Promise<readonly [ReplicatedStore, ReplicatedStore]> {
  const [one, two] = [await node(), await node()];
  await one.commit([zone(APEX)], alice);
  await meet(one, two);
  return [one, two];
}

interface Apart {
  readonly name: string;
  readonly left: readonly Change[];
  readonly right: readonly Change[];
}

const apart: readonly Apart[] = [
  {
    name: 'different RRsets',
    left: [address(APEX, 'a', '192.0.2.1')],
    right: [address(APEX, 'b', '192.0.2.2')],
  },
  {
    name: 'the same RRset',
    left: [address(APEX, 'a', '192.0.2.1')],
    right: [address(APEX, 'a', '192.0.2.2')],
  },
  {
    name: 'the zone’s settings',
    left: [zone(APEX, { description: 'l' })],
    right: [zone(APEX, { description: 'r' })],
  },
  {
    name: 'the same steered name',
    left: [steered('www.example.org.', 30)],
    right: [steered('www.example.org.', 60)],
  },
  {
    name: 'an RRset, and the end of the zone and a new one',
    left: [address(APEX, 'a', '192.0.2.1')],
    right: [zone(APEX, { deleted: true }), zone(APEX)],
  },
];

describe('the serial of a zone', () => {
  it.each(apart)('is equal and greater on both when they wrote apart: $name', async ({ left, right }) => {
    const [one, two] = await pair();
    for (const change of left) await one.commit([change], alice);
    for (const change of right) await two.commit([change], alice);
    const before = [serial(one), serial(two)];
    await meet(one, two);
    expect(serial(one)).toBe(serial(two));
    for (const one_ of before) expect(serial(one)).toBeGreaterThan(one_);
    // Whatever they write next settles it, and counts on.
    for (const change of left) await one.commit([change], alice);
    const settled = serial(one);
    await meet(one, two);
    expect(serial(two)).toBe(settled);
    expect(settled).toBeGreaterThan(Math.max(...before));
  });

  it('grows with deletions and is left alone by other zones', async () => {
    const store = await node();
    await store.commit([zone(APEX), zone('example.net.')], alice);
    await store.commit([address(APEX, 'a', '192.0.2.1'), steered('www.example.org.', 30)], alice);
    const [here, other] = [serial(store), serial(store, 'example.net.')];
    await store.commit([address(APEX, 'a', undefined)], alice);
    expect(serial(store)).toBeGreaterThan(here);
    const before = serial(store);
    await store.commit([steered('www.example.org.', undefined)], alice);
    expect(serial(store)).toBeGreaterThan(before);
    expect(serial(store, 'example.net.')).toBe(other);
  });

  it('does not shrink when a zone below comes and takes steered names', async () => {
    const store = await node();
    await store.commit([zone(APEX), steered('www.sub.example.org.', 30)], alice);
    const before = serial(store);
    await store.commit([zone('sub.example.org.')], alice);
    expect(serial(store)).toBeGreaterThanOrEqual(before);
    expect(serial(store, 'sub.example.org.')).toBeGreaterThan(0);
  });

  it('is the same after a start, and catches up after a restore', async () => {
    const [one, two] = await pair();
    const file = join(scratch.directory(), 'backup');
    await one.commit([address(APEX, 'a', '192.0.2.1')], alice);
    await one.backup(file);
    const backedUp = serial(one);
    for (let write = 0; write < 5; write += 1)
      await one.commit([address(APEX, 'a', `192.0.2.${write + 2}`)], alice);
    await meet(one, two);
    const directory = scratch.directory();
    await restoreBackup(file, directory, undefined);
    const restored = await node(directory);
    expect(serial(restored)).toBe(backedUp);
    await restored.commit([address(APEX, 'b', '192.0.2.9')], alice);
    await meet(restored, two);
    expect(serial(restored)).toBe(serial(two));
    expect(serial(restored)).toBeGreaterThan(serial(one));
    await meet(one, two);
    expect(serial(one)).toBe(serial(two));
  });
});
