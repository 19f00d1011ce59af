import { afterEach, describe, expect, it } from 'vitest';
import type { Change } from '../../src/config/model.ts';
import { ConfigDocument, genesisChanges, ROOT_DOCUMENT, zoneDocument } from '../../src/store/document.ts';
import type { ReplicatedStore } from '../../src/store/replicated-store.ts';
import {
  address,
  alice,
  dataCenter,
  endpoint,
  open,
  pool,
  Scratch,
  withoutGeneration,
  zone,
} from './given.ts';
import { meet } from './meet.ts';

const scratch = new Scratch();
const opened: ReplicatedStore[] = [];
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  scratch.clear();
});

async function node(): Promise<ReplicatedStore> {
  const store = await open(scratch.directory());
  opened.push(store);
  return store;
}

function endpointNames(store: ReplicatedStore): readonly string[] | undefined {
  return store.config.pools.get('web')?.value.endpoints.map(({ name }) => name);
}

describe('two stores made apart', () => {
  const [a, b, c] = [endpoint('a', '192.0.2.1'), endpoint('b', '192.0.2.2'), endpoint('c', '192.0.2.3')];
  const record = (label: string): Change => address('example.org.', `${label}.example.org.`, '192.0.2.9');

  const cases: readonly {
    readonly name: string;
    readonly before?: readonly Change[];
    readonly left: readonly Change[];
    readonly right: readonly Change[];
    readonly want: (store: ReplicatedStore) => unknown;
    readonly wanted: unknown;
  }[] = [
    {
      name: 'keep both sides’ resources',
      left: [dataCenter('fra', 50), pool('web', [a])],
      right: [dataCenter('sin', 1), pool('mail', [b])],
      want: ({ config }) => [[...config.dataCenters.keys()].sort(), [...config.pools.keys()].sort()],
      wanted: [
        ['fra', 'sin'],
        ['mail', 'web'],
      ],
    },
    {
      name: 'keep both sides’ endpoints of a pool that each made',
      left: [pool('web', [a, b])],
      right: [pool('web', [a, c])],
      want: (store) => [...(endpointNames(store) ?? [])].sort(),
      wanted: ['a', 'b', 'c'],
    },
    {
      name: 'keep a setting of one side and an endpoint of the other',
      before: [pool('web', [a])],
      left: [pool('web', [a], { monitor: 'http' })],
      right: [pool('web', [a, b])],
      want: (store) => [store.config.pools.get('web')?.value.monitor, endpointNames(store)],
      wanted: ['http', ['a', 'b']],
    },
    {
      name: 'keep one side’s removal of an endpoint and the other’s new one',
      before: [pool('web', [a, b])],
      left: [pool('web', [a])],
      right: [pool('web', [a, b, c])],
      want: endpointNames,
      wanted: ['a', 'c'],
    },
    {
      name: 'keep an endpoint of a pool of which each removed what the other kept',
      before: [pool('web', [a, b])],
      left: [pool('web', [a])],
      right: [pool('web', [b])],
      want: (store) => endpointNames(store)?.length,
      wanted: 1,
    },
    {
      name: 'keep both sides’ RRsets of a zone that each made',
      left: [zone('example.org.'), record('left')],
      right: [zone('example.org.'), record('right')],
      want: ({ config }) => [...(config.rrsets.get('example.org.')?.keys() ?? [])].sort(),
      wanted: ['left.example.org. A', 'right.example.org. A'],
    },
    {
      name: 'hide what one side wrote to a zone that the other deleted and made anew',
      before: [zone('example.org.'), record('old')],
      left: [zone('example.org.', { deleted: true }), zone('example.org.'), record('new')],
      right: [record('late')],
      want: ({ config }) => [...(config.rrsets.get('example.org.')?.keys() ?? [])],
      wanted: ['new.example.org. A'],
    },
  ];

  it.each(cases)('$name', async ({ before, left, right, want, wanted }) => {
    const [one, two] = [await node(), await node()];
    if (before !== undefined) {
      await one.commit(before, alice);
      await meet(one, two);
    }
    await one.commit(left, { author: 'left', reason: '' });
    await two.commit(right, { author: 'right', reason: '' });
    await meet(one, two);
    expect(want(one)).toEqual(wanted);
    expect(withoutGeneration(two.config)).toEqual(withoutGeneration(one.config));
  });

  it('pick the same winner with its own author, and give the merged pool a new revision', async () => {
    const [one, two] = [await node(), await node()];
    await one.commit([dataCenter('fra', 1), pool('web', [a])], { author: 'left', reason: '' });
    await two.commit([dataCenter('fra', 2), pool('web', [b])], { author: 'right', reason: '' });
    const before = [one, two].map(({ config }) => config.pools.get('web')?.revision);
    await meet(one, two);
    const winner = one.config.dataCenters.get('fra');
    expect(two.config.dataCenters.get('fra')).toEqual(winner);
    expect(winner?.author).toBe(winner?.value.latitude === 1 ? 'left' : 'right');
    expect(before).not.toContain(one.config.pools.get('web')?.revision);
  });

  it('keep the identity of what the other side did not touch', async () => {
    const [one, two] = [await node(), await node()];
    await one.commit([zone('example.org.'), record('www'), dataCenter('fra', 1)], alice);
    await two.commit([dataCenter('sin', 1)], alice);
    const before = one.config;
    await meet(one, two);
    const after = one.config;
    expect(after.rrsets).toBe(before.rrsets);
    expect(after.zones).toBe(before.zones);
    expect(after.dataCenters.get('fra')).toBe(before.dataCenters.get('fra'));
    expect(after.generation).toBe(before.generation + 1);
  });
});

describe('the first change of a document', () => {
  // Nodes of different versions meet only as long as these stay: a new engine must encode them the same.
  it.each([
    [ROOT_DOCUMENT, 'cfe4cd2e4e87bff4d2cb10419bfad6b77a799de23475c2925b0f75647a9551c5'],
    [zoneDocument('example.org.', 0), '87f19c391cc799dd3f4d9510efafbe1a34882df771decab2cd58f66cd3b8fb08'],
  ])('of %s is the same for ever', (id, want) => {
    const document = ConfigDocument.load(id, 'aa', genesisChanges(id).slice(0, 1));
    expect(document.heads()).toEqual([want]);
  });
});
