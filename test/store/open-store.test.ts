import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open as openLmdb } from 'lmdb';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { databaseOptions } from '../../src/store/database-layout.ts';
import { ConfigDocument } from '../../src/store/document.ts';
import { COMPACT_AFTER_CHANGES, MAX_OPEN_DOCUMENTS } from '../../src/store/documents.ts';
import { MAX_LEAF_LENGTH } from '../../src/store/leaf.ts';
import { openStore } from '../../src/store/open-store.ts';
import { address, alice, dataCenter, open, Scratch, zone } from './given.ts';

const scratch = new Scratch();
afterEach(() => scratch.clear());

const child = (name: string): string => join(import.meta.dirname, name);

describe('one process per data directory', () => {
  it('refuses a second store in the same process and frees the directory on close', async () => {
    const directory = scratch.directory();
    const first = await open(directory);
    await expect(open(directory)).rejects.toMatchObject({
      code: 'in-use',
      message: expect.stringContaining(`${directory} is in use by process ${process.pid}`),
    });
    await first.close();
    await (await open(directory)).close();
  });

  it('refuses while another process has it, and takes it over from a killed one', async () => {
    const directory = scratch.directory();
    const writer = spawn(process.execPath, [child('crash-child.ts'), directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(writer.stdout, 'data');
    await expect(open(directory)).rejects.toMatchObject({
      code: 'in-use',
      message: expect.stringContaining(`process ${writer.pid}`),
    });
    writer.kill('SIGKILL');
    await once(writer, 'exit');
    const store = await open(directory);
    expect(store.config.zones.size).toBe(1);
    await store.close();
  });
});

describe('what cannot be opened is refused with the directory’s name', () => {
  /** A closed store with some data. */
  const filled = async (): Promise<string> => {
    const directory = scratch.directory();
    const store = await open(directory);
    await store.commit([zone('example.org.')], alice);
    for (let index = 0; index < 20; index += 1) {
      await store.commit([address('example.org.', `n${index}.example.org.`, '192.0.2.1')], alice);
    }
    await store.close();
    return directory;
  };
  const dataFile = (directory: string): string => join(directory, 'database', 'data.mdb');
  const edit = async (directory: string, action: (chunks: EditedChunks) => void): Promise<void> => {
    const root = openLmdb<Buffer, string>({ path: join(directory, 'database'), ...databaseOptions });
    const chunks = root.openDB<Buffer, string>({ name: 'chunks', encoding: 'binary' });
    action(chunks);
    await root.close();
  };
  interface EditedChunks {
    getBinary(key: string): Buffer | undefined;
    getKeys(): Iterable<string>;
    putSync(key: string, value: Buffer): void;
    removeSync(key: string): boolean;
  }
  /** The record of some change in the middle of the zone's document. */
  const someChange = (chunks: EditedChunks, sequence: number): string => {
    const key = [...chunks.getKeys()].find((candidate) => candidate.endsWith(`/${sequence}`));
    if (key === undefined) throw new Error(`no change ${sequence}`);
    return key;
  };

  const damages: readonly {
    readonly name: string;
    readonly damage: (directory: string) => void | Promise<void>;
    readonly want: string;
  }[] = [
    {
      name: 'a truncated file',
      damage: (directory) => truncateSync(dataFile(directory), statSync(dataFile(directory)).size / 2),
      want: 'unreadable',
    },
    {
      name: 'a file of a few octets',
      damage: (directory) => truncateSync(dataFile(directory), 100),
      want: 'unreadable',
    },
    { name: 'an emptied file', damage: (directory) => truncateSync(dataFile(directory), 0), want: 'damaged' },
    {
      name: 'a file of something else',
      damage: (directory) => writeFileSync(dataFile(directory), Buffer.alloc(65_536, 'Z')),
      want: 'unreadable',
    },
    {
      name: 'a torn change',
      damage: (directory) =>
        edit(directory, (chunks) => {
          const key = someChange(chunks, 7);
          const bytes = chunks.getBinary(key);
          if (bytes !== undefined) chunks.putSync(key, bytes.subarray(0, bytes.length - 3));
        }),
      want: 'damaged',
    },
    {
      name: 'a change with one bit turned',
      damage: (directory) =>
        edit(directory, (chunks) => {
          const key = someChange(chunks, 7);
          const bytes = Buffer.from(chunks.getBinary(key) ?? []);
          bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
          chunks.putSync(key, bytes);
        }),
      want: 'damaged',
    },
    {
      name: 'a missing change',
      damage: (directory) => edit(directory, (chunks) => void chunks.removeSync(someChange(chunks, 20))),
      want: 'damaged',
    },
    {
      name: 'two changes swapped',
      damage: (directory) =>
        edit(directory, (chunks) => {
          const [left, right] = [someChange(chunks, 7), someChange(chunks, 8)];
          const [a, b] = [chunks.getBinary(left), chunks.getBinary(right)].map((bytes) =>
            Buffer.from(bytes ?? []),
          );
          if (a === undefined || b === undefined) throw new Error('no changes');
          chunks.putSync(left, b);
          chunks.putSync(right, a);
        }),
      want: 'damaged',
    },
  ];

  it.each(damages)('$name: $want', async ({ damage, want }) => {
    const directory = await filled();
    await damage(directory);
    await expect(open(directory)).rejects.toMatchObject({
      code: want,
      message: expect.stringContaining(directory),
    });
    // A failed opening leaves no lock behind, and is no cleaner the second time.
    await expect(open(directory)).rejects.toMatchObject({ code: want });
  });

  it('a path that is a file', async () => {
    const file = join(scratch.directory(), 'file');
    writeFileSync(file, '');
    await expect(open(file)).rejects.toMatchObject({
      code: 'unreadable',
      message: expect.stringContaining(file),
    });
  });

  it('tells of a damaged blob, and takes its bytes again', async () => {
    const directory = scratch.directory();
    const bytes = Buffer.from('a zone');
    const first = await open(directory);
    const hash = await first.putBlob(bytes);
    await first.close();
    const root = openLmdb<Buffer, string>({ path: join(directory, 'database'), ...databaseOptions });
    root.openDB<Buffer, string>({ name: 'blobs', encoding: 'binary' }).putSync(hash, Buffer.from('a zzne'));
    await root.close();
    const store = await open(directory);
    expect(() => store.getBlob(hash)).toThrow(/is damaged on disk\. Apply its zone file again/);
    await store.putBlob(bytes);
    expect(store.getBlob(hash)).toEqual(bytes);
    await store.close();
  });

  it('opens a copy of a closed directory', async () => {
    const [original, copy] = [await filled(), join(scratch.directory(), 'copy')];
    cpSync(original, copy, { recursive: true });
    const store = await open(copy);
    expect(store.config.rrsets.get('example.org.')?.size).toBe(20);
    await store.close();
  });
});

describe('what is written', () => {
  it('survives a compaction, and takes no more records than there are changes since', async () => {
    const directory = scratch.directory();
    const store = await open(directory);
    for (let index = 0; index < COMPACT_AFTER_CHANGES * 2 + 10; index += 1) {
      await store.commit([dataCenter('fra', index % 90)], alice);
    }
    const { config } = store;
    await store.close();
    const root = openLmdb<Buffer, string>({ path: join(directory, 'database'), ...databaseOptions });
    const records = [...root.openDB<Buffer, string>({ name: 'chunks', encoding: 'binary' }).getKeys({})]
      .length;
    await root.close();
    expect(records).toBeLessThanOrEqual(COMPACT_AFTER_CHANGES + 1);
    const again = await open(directory);
    expect(again.config).toEqual(config);
    await again.close();
  });

  it('keeps no more documents in memory than it has room for, also when it is opened', async () => {
    const directory = scratch.directory();
    const zones = Array.from({ length: MAX_OPEN_DOCUMENTS + 20 }, (_, index) => zone(`z${index}.example.`));
    const store = await open(directory);
    await store.commit(zones, alice);
    await store.close();
    const loads = vi.spyOn(ConfigDocument, 'load');
    const frees = vi.spyOn(ConfigDocument.prototype, 'free');
    const again = await open(directory);
    const inMemory = loads.mock.calls.length - frees.mock.calls.length;
    vi.restoreAllMocks();
    expect([again.config.rrsets.size, inMemory]).toEqual([zones.length, MAX_OPEN_DOCUMENTS]);
    await again.close();
  });

  it('refuses a resource that is too large and keeps the rest', async () => {
    const store = await open(scratch.directory());
    const large = zone('example.org.', { description: 'x'.repeat(MAX_LEAF_LENGTH) });
    await expect(store.commit([dataCenter('fra', 1), large], alice)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('zones/example.org.'),
    });
    const config = await store.commit([dataCenter('sin', 1)], alice);
    expect([...config.dataCenters.keys()]).toEqual(['sin']);
    await store.close();
  });

  it('takes the time from the given clock', async () => {
    const directory = scratch.directory();
    const store = await openStore({ directory, now: () => new Date('2026-02-03T04:05:06.789Z') });
    const config = await store.commit([dataCenter('fra', 1)], alice);
    expect(config.dataCenters.get('fra')?.updatedAt).toBe('2026-02-03T04:05:06.789Z');
    await store.close();
  });

  // A limit on the size of files stands in for the full disk: both end in a write that the kernel cuts short.
  it.skipIf(process.platform === 'win32')(
    'is refused as a whole by a full disk, and memory stays as the disk',
    async () => {
      const directory = scratch.directory();
      const run = spawnSync(
        'sh',
        [
          '-c',
          'ulimit -f 800; exec "$0" "$1" "$2"',
          process.execPath,
          child('full-disk-child.ts'),
          directory,
        ],
        { encoding: 'utf8' },
      );
      expect(run.status, run.stderr).toBe(0);
      const told = JSON.parse(run.stdout);
      expect(told).toEqual({
        code: 'write-failed',
        message: expect.stringContaining(directory),
        between: ['before'],
        after: ['before', 'after'],
        rrsets: 0,
        generation: 2,
      });
      const store = await open(directory);
      expect([...store.config.dataCenters.keys()].sort()).toEqual(['after', 'before']);
      expect(store.config.rrsets.get('example.org.')?.size).toBe(0);
      await store.close();
    },
  );

  it.skipIf(process.platform !== 'linux')('is closed and opened on a full disk, too', () => {
    const directory = scratch.directory();
    const run = spawnSync(process.execPath, [child('full-disk-close-child.ts'), directory], {
      encoding: 'utf8',
    });
    expect(run.stderr).toBe('');
    expect(JSON.parse(run.stdout)).toEqual({ full: ['before'], roomy: ['before'] });
  });

  it('leaves nothing but its own files in the directory', async () => {
    const directory = scratch.directory();
    await (await open(directory)).close();
    expect(existsSync(join(directory, 'lock.holder'))).toBe(false);
    expect(readFileSync(join(directory, 'lock')).length).toBe(0);
  });
});
