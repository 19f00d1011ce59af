import { afterEach, expect, it } from 'vitest';
import type { Change } from '../../src/config/model.ts';
import { ConfigDocument, genesisChanges, ROOT_DOCUMENT } from '../../src/store/document.ts';
import { LmdbDatabase } from '../../src/store/lmdb-database.ts';
import { alice, api, dataCenter, open, Scratch } from './given.ts';

const scratch = new Scratch();
afterEach(() => scratch.clear());

const channel = {
  collection: 'alertChannels',
  key: 'on-call',
  owner: api,
  value: {
    name: 'on-call',
    url: 'https://alerts.example.net/hook',
    format: 'json',
    groupSeconds: 5,
    minimumSeverity: 'warning',
  },
} as const;

const member: Change & { readonly collection: 'nodes' } = {
  collection: 'nodes',
  key: 'fra-1',
  owner: api,
  value: {
    name: 'fra-1',
    region: 'eu',
    addresses: ['192.0.2.1:7053'],
    role: 'full',
    membership: '0'.repeat(32),
    certificateSerial: '4'.repeat(32),
    revokedSerials: [],
    joinedAt: '2026-01-01T00:00:00Z',
  },
};

/** A data directory as an earlier version left it, with that many genesis steps: its root document lacks later maps. */
async function oldDirectory(steps: number): Promise<string> {
  const directory = scratch.directory();
  const store = await open(directory);
  await store.commit([dataCenter('fra', 1)], alice);
  const leaf = await leafOf(directory, store);
  const database = await LmdbDatabase.open(directory);
  const changes = genesisChanges(ROOT_DOCUMENT).slice(0, steps);
  const document = ConfigDocument.load(ROOT_DOCUMENT, 'aa', changes);
  document.write('dataCenters', 'fra', leaf);
  const written = document.seal(0);
  if (written === undefined) throw new Error('something was written');
  const record = database.documentRecord(ROOT_DOCUMENT);
  const replaced = { from: record?.first ?? 0, to: record?.next ?? 0 };
  const first = replaced.to;
  const bytes = [...changes, written];
  await database.write(
    [
      {
        record: {
          id: ROOT_DOCUMENT,
          first,
          next: first,
          heads: document.heads(),
          changesLength: 0,
        },
        changes: [],
        snapshot: ConfigDocument.load(ROOT_DOCUMENT, 'aa', bytes).save(),
        replaced,
      },
    ],
    1,
  );
  await database.close();
  return directory;
}

async function leafOf(directory: string, store: { close(): Promise<void> }): Promise<string> {
  await store.close();
  const database = await LmdbDatabase.open(directory);
  const record = database.documentRecord(ROOT_DOCUMENT);
  if (record === undefined) throw new Error('the root was written');
  const document = ConfigDocument.load(ROOT_DOCUMENT, 'aa', database.documentParts(record));
  const leaf = document.read('dataCenters', 'fra') ?? '';
  await database.close();
  return leaf;
}

it.each([1, 2])(
  'gives a document of %i steps the maps that came later, and keeps what was in it',
  async (steps) => {
    const directory = await oldDirectory(steps);
    const store = await open(directory);
    expect([...store.config.dataCenters.keys()]).toEqual(['fra']);
    await store.commit([channel, member], alice);
    await store.close();
    const again = await open(directory);
    expect(again.config.alertChannels.get('on-call')?.value.url).toBe('https://alerts.example.net/hook');
    expect(again.config.nodes.get('fra-1')?.value).toEqual(member.value);
    expect([...again.config.dataCenters.keys()]).toEqual(['fra']);
    await again.close();
  },
);

it('changes nothing on disk before something is written', async () => {
  const directory = await oldDirectory(2);
  const store = await open(directory);
  await store.close();
  const again = await open(directory);
  expect([...again.config.nodes.keys()]).toEqual([]);
  await again.close();
});
