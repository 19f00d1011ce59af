import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { restoreBackup } from '../../src/store/backup/restore-backup.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { ReplicatedStore } from '../../src/store/replicated-store.ts';
import {
  address,
  alice,
  api,
  blobZone,
  dataCenter,
  endpoint,
  type HandClock,
  pool,
  Scratch,
  startClock,
  withoutGeneration,
  zone,
} from './given.ts';
import { meet } from './meet.ts';

/* A backup of a running node, and a node that starts from an old one. */

const scratch = new Scratch();
const opened = new Set<ReplicatedStore>();
afterEach(async () => {
  for (const store of opened) await store.close();
  opened.clear();
  scratch.clear();
});

async function node(
  name: string,
  directory: string,
  clock: HandClock = startClock(),
): Promise<ReplicatedStore> {
  const store = await openStore({ directory, node: name, now: () => new Date(clock.ms) });
  opened.add(store);
  return store;
}

const APEX = 'example.org.';
const www = (last: number): ReturnType<typeof address> =>
  address(APEX, 'www.example.org.', `192.0.2.${last}`);
const channel = {
  collection: 'alertChannels',
  key: 'on-call',
  owner: api,
  value: {
    name: 'on-call',
    url: 'https://alerts.example.net/hook',
    format: 'json',
    secret: 'correct-horse-battery',
    groupSeconds: 5,
    minimumSeverity: 'warning',
  },
} as const;

describe('a backup', () => {
  it('has all there was at its moment, secrets and blobs too, while writes go on', async () => {
    const store = await node('fra-1', scratch.directory());
    const blob = await store.putBlob(Buffer.from('example.net. 60 IN TXT "x"\n'.repeat(100_000)));
    await store.commit(
      [dataCenter('fra', 1), zone(APEX), www(1), blobZone('example.net.', blob), channel],
      alice,
    );
    const before = store.config;
    const file = join(scratch.directory(), 'backup');
    const [summary] = await Promise.all([
      store.backup(file),
      ...Array.from({ length: 50 }, (_, i) => store.commit([dataCenter('fra', 2 + i), www(2 + i)], alice)),
    ]);
    expect(summary.octets).toBe(statSync(file).size);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'latin1')).not.toContain('correct-horse');
    const directory = join(scratch.directory(), 'data');
    expect(await restoreBackup(file, directory, undefined)).toEqual(summary);
    const restored = await node('fra-1', directory);
    expect(restored.config).toEqual(before);
    expect(restored.getBlob(blob)?.length).toBe(2_700_000);
  });

  it('replaces the one before, and leaves it when it cannot be written', async () => {
    const store = await node('fra-1', scratch.directory());
    const folder = scratch.directory();
    const file = join(folder, 'backup');
    await store.backup(file);
    await store.commit([dataCenter('fra', 1)], alice);
    const { octets } = await store.backup(file);
    expect(statSync(file).size).toBe(octets);
    const nowhere = join(folder, 'missing', 'backup');
    await expect(store.backup(nowhere)).rejects.toMatchObject({
      code: 'write-failed',
      message: expect.stringContaining(nowhere),
    });
    expect(readdirSync(folder)).toEqual(['backup']);
    await store.close();
    await expect(store.backup(file)).rejects.toMatchObject({ code: 'closed' });
  });
});

describe('a file that is no whole backup', () => {
  async function whole(): Promise<Buffer> {
    const store = await node('fra-1', scratch.directory());
    await store.commit([dataCenter('fra', 1), zone(APEX), www(1)], alice);
    const file = join(scratch.directory(), 'backup');
    await store.backup(file);
    return readFileSync(file);
  }

  it.each([
    { name: 'is empty', change: () => Buffer.alloc(0) },
    { name: 'is of something else', change: () => Buffer.from('SQLite format 3\0'.repeat(100)) },
    { name: 'is cut off', change: (bytes: Buffer) => bytes.subarray(0, -40) },
    { name: 'lacks its last octet', change: (bytes: Buffer) => bytes.subarray(0, -1) },
    { name: 'goes on behind its end', change: (bytes: Buffer) => Buffer.concat([bytes, bytes]) },
    {
      name: 'has one octet changed',
      change: (bytes: Buffer) => {
        const changed = Buffer.from(bytes);
        const at = bytes.length >> 1;
        changed[at] = (changed[at] ?? 0) ^ 1;
        return changed;
      },
    },
    {
      name: 'claims a value without end',
      change: (bytes: Buffer) =>
        Buffer.concat([bytes.subarray(0, 18), Buffer.from([3, 0, 1, 255, 255, 255, 255])]),
    },
  ])('is refused with nothing changed: it $name', async ({ change }) => {
    const file = join(scratch.directory(), 'torn');
    writeFileSync(file, change(await whole()));
    const directory = join(scratch.directory(), 'data');
    await expect(restoreBackup(file, directory, undefined)).rejects.toMatchObject({
      code: 'unreadable',
      message: expect.stringContaining(file),
    });
    expect(existsSync(directory)).toBe(false);
  });

  it('is not put over a node that is there', async () => {
    const file = join(scratch.directory(), 'backup');
    writeFileSync(file, await whole());
    const directory = scratch.directory();
    const store = await node('sin-1', directory);
    await store.commit([dataCenter('sin', 1)], alice);
    await expect(restoreBackup(file, directory, undefined)).rejects.toMatchObject({
      code: 'unreadable',
      message: expect.stringContaining('not empty'),
    });
    expect([...store.config.dataCenters.keys()]).toEqual(['sin']);
    await expect(
      restoreBackup(join(directory, 'none'), join(directory, 'x'), undefined),
    ).rejects.toMatchObject({
      code: 'unreadable',
    });
  });
});

describe('a node that starts from an old backup in the place of one that was lost', () => {
  const DAY_MS = 86_400_000;
  const [a, b] = [endpoint('a', '192.0.2.1'), endpoint('b', '192.0.2.2')];

  it.each([0, -400 * DAY_MS, 400 * DAY_MS])(
    'catches up, takes nothing back, and deleted things stay deleted; clock wrong by %i ms',
    async (wrongMs) => {
      const [first, second] = [scratch.directory(), scratch.directory()];
      const [one, two] = [await node('fra-1', first), await node('sin-1', second)];
      await one.commit(
        [
          dataCenter('fra', 1),
          dataCenter('old', 1),
          zone(APEX),
          www(1),
          zone('example.net.'),
          pool('web', [a, b]),
        ],
        alice,
      );
      await meet(one, two);
      const file = join(scratch.directory(), 'backup');
      await one.backup(file);
      // A month goes by: the node writes on, and so does the other; then the node is lost.
      await one.commit([dataCenter('fra', 2), www(2)], alice);
      await meet(one, two);
      await two.commit(
        [dataCenter('old', undefined), zone('example.net.', { deleted: true }), pool('web', [b]), www(3)],
        alice,
      );
      await meet(one, two);
      await one.commit([dataCenter('fra', 3)], alice);
      await meet(one, two);
      const before = two.config;
      opened.delete(one);
      await one.close();

      const directory = join(scratch.directory(), 'data');
      await restoreBackup(file, directory, undefined);
      const clock = startClock();
      clock.ms += wrongMs;
      const restored = await node('fra-1', directory, clock);
      expect(restored.config.dataCenters.has('old')).toBe(true);
      // It writes before it meets anybody: as another writer than the one that it was.
      await restored.commit([dataCenter('new', 7)], { author: 'bob', reason: '' });
      await meet(restored, two);
      expect(withoutGeneration(restored.config)).toEqual(withoutGeneration(two.config));
      const { dataCenters, ...others } = withoutGeneration(two.config);
      expect(others).toEqual((({ dataCenters: _, ...rest }) => rest)(withoutGeneration(before)));
      expect([...dataCenters.keys()].sort()).toEqual(['fra', 'new']);
      expect(dataCenters.get('fra')?.value.latitude).toBe(3);
      expect(dataCenters.get('new')).toMatchObject({
        author: 'bob',
        node: 'fra-1',
        updatedAt: new Date(clock.ms).toISOString(),
      });
      expect([...restored.conflicts(), ...two.conflicts()]).toEqual([]);
      // What it writes now counts, whatever its clock says.
      await restored.commit([dataCenter('fra', 4), www(4)], alice);
      await meet(restored, two);
      expect(two.config.dataCenters.get('fra')?.value.latitude).toBe(4);
      expect(two.conflicts()).toEqual([]);
    },
  );

  it('and a copy of a directory that goes on beside the original lose nothing that either writes', async () => {
    const first = scratch.directory();
    const one = await node('fra-1', first);
    await one.commit([dataCenter('fra', 1)], alice);
    const file = join(scratch.directory(), 'backup');
    await one.backup(file);
    const directory = join(scratch.directory(), 'data');
    await restoreBackup(file, directory, undefined);
    const copy = await node('fra-1', directory);
    await one.commit([dataCenter('fra', 2), dataCenter('left', 1)], { author: 'left', reason: '' });
    await copy.commit([dataCenter('fra', 3), dataCenter('right', 1)], { author: 'right', reason: '' });
    await meet(one, copy);
    expect(withoutGeneration(copy.config)).toEqual(withoutGeneration(one.config));
    expect([...one.config.dataCenters.keys()].sort()).toEqual(['fra', 'left', 'right']);
    expect(one.conflicts().map(({ id }) => id)).toEqual(['dataCenters/fra']);
  });
});
