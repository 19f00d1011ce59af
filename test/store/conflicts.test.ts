import { afterEach, describe, expect, it } from 'vitest';
import type { Authorship, Change, Config } from '../../src/config/model.ts';
import { changesOfChoice } from '../../src/store/conflicts/resolve.ts';
import type { ReplicatedStore } from '../../src/store/replicated-store.ts';
import {
  address,
  alice,
  blobZone,
  dataCenter,
  endpoint,
  open,
  pool,
  Scratch,
  startClock,
  withoutGeneration,
  zone,
} from './given.ts';
import { meet } from './meet.ts';

/* Two sides of a partition write the same thing; somebody chooses. */

const scratch = new Scratch();
const opened = new Set<ReplicatedStore>();
afterEach(async () => {
  for (const store of opened) await store.close();
  opened.clear();
  scratch.clear();
});

async function node(directory = scratch.directory()): Promise<ReplicatedStore> {
  const store = await open(directory, startClock());
  opened.add(store);
  return store;
}

const left: Authorship = { author: 'left', reason: 'on the left' };
const right: Authorship = { author: 'right', reason: 'on the right' };

const [a, b, c] = [endpoint('a', '192.0.2.1'), endpoint('b', '192.0.2.2'), endpoint('c', '192.0.2.3')];
const moved = endpoint('a', '192.0.2.99');
const APEX = 'example.org.';
const www = (last: number | undefined): Change =>
  address(APEX, 'www.example.org.', last === undefined ? undefined : `192.0.2.${last}`);

/** Ids of the conflicts with the authors of their values, the one that counts marked; sorted by author. */
function told(store: ReplicatedStore): readonly string[] {
  return store.conflicts().map(({ id, values }) => {
    const sides = values.map(({ author, value }) => `${author}${value === undefined ? ' deleted' : ''}`);
    return `${id}: ${sides.sort().join(', ')}`;
  });
}

const cases: readonly {
  readonly name: string;
  readonly before?: readonly Change[];
  readonly left: readonly Change[];
  readonly right: readonly Change[];
  readonly want: readonly string[];
}[] = [
  {
    name: 'one field, edited on both sides',
    before: [dataCenter('fra', 1)],
    left: [dataCenter('fra', 2)],
    right: [dataCenter('fra', 3)],
    want: ['dataCenters/fra: left, right'],
  },
  {
    name: 'created twice',
    left: [dataCenter('fra', 2)],
    right: [dataCenter('fra', 3)],
    want: ['dataCenters/fra: left, right'],
  },
  {
    name: 'edited while deleted',
    before: [dataCenter('fra', 1)],
    left: [dataCenter('fra', undefined)],
    right: [dataCenter('fra', 3)],
    want: ['dataCenters/fra: left deleted, right'],
  },
  {
    name: 'the same on both sides: none',
    left: [dataCenter('fra', 2)],
    right: [dataCenter('fra', 2)],
    want: [],
  },
  {
    name: 'deleted on both sides: none',
    before: [dataCenter('fra', 1), zone(APEX), www(1)],
    left: [dataCenter('fra', undefined), zone(APEX, { deleted: true })],
    right: [dataCenter('fra', undefined), zone(APEX, { deleted: true })],
    want: [],
  },
  {
    name: 'different endpoints added: none',
    before: [pool('web', [a])],
    left: [pool('web', [a, b])],
    right: [pool('web', [a, c])],
    want: [],
  },
  {
    name: 'one endpoint, edited on one side and removed on the other',
    before: [pool('web', [a, b])],
    left: [pool('web', [moved, b])],
    right: [pool('web', [b])],
    want: ['pools/web/a: left, right deleted'],
  },
  {
    name: 'endpoints put in another order',
    before: [pool('web', [a, b, c])],
    left: [pool('web', [b, a, c])],
    right: [pool('web', [a, c, b])],
    want: ['pools/web/: left, right'],
  },
  {
    name: 'a pool deleted while one of its endpoints is edited',
    before: [pool('web', [a, b])],
    left: [pool('web', undefined)],
    right: [pool('web', [moved, b])],
    want: ['pools/web: left deleted, right'],
  },
  {
    name: 'a pool deleted while its settings are edited',
    before: [pool('web', [a, b])],
    left: [pool('web', undefined)],
    right: [pool('web', [a, b], { description: 'new' })],
    want: ['pools/web: left deleted, right'],
  },
  {
    name: 'one RRset, edited on both sides',
    before: [zone(APEX), www(1)],
    left: [www(2)],
    right: [www(3)],
    want: ['rrsets/example.org./www.example.org. A: left, right'],
  },
  {
    name: 'a zone deleted while its settings are edited',
    before: [zone(APEX), www(1)],
    left: [zone(APEX, { deleted: true })],
    right: [zone(APEX, { description: 'new' })],
    want: ['zones/example.org.: left deleted, right'],
  },
  {
    name: 'a zone deleted while one of its records is edited',
    before: [zone(APEX), www(1)],
    left: [zone(APEX, { deleted: true })],
    right: [www(3)],
    want: ['zones/example.org./records: left deleted, right'],
  },
  {
    name: 'a zone made anew while a record is added to the old one',
    before: [zone(APEX), www(1)],
    left: [zone(APEX, { deleted: true }), zone(APEX)],
    right: [address(APEX, 'late.example.org.', '192.0.2.3')],
    want: ['zones/example.org./records: left, right'],
  },
];

describe('what is written on both sides', () => {
  it.each(cases)('$name', async ({ before, left: onLeft, right: onRight, want }) => {
    const directory = scratch.directory();
    const [one, two] = [await node(directory), await node()];
    await one.commit(before ?? [], alice);
    await meet(one, two);
    await one.commit(onLeft, left);
    await two.commit(onRight, right);
    expect([told(one), told(two)]).toEqual([[], []]);
    await meet(one, two);
    expect(told(one)).toEqual(want);
    expect(two.conflicts()).toEqual(one.conflicts());
    for (const { values } of one.conflicts())
      expect(values.map(({ counts }) => counts)).toEqual([true, false]);
    // The same after a start.
    const conflicts = one.conflicts();
    opened.delete(one);
    await one.close();
    const again = await node(directory);
    expect(again.conflicts()).toEqual(conflicts);
  });
});

describe('a choice', () => {
  const choices = cases
    .filter(({ want }) => want.length > 0)
    .flatMap((given) => (['what counts', 'what waits'] as const).map((which) => ({ ...given, which })));

  it.each(choices)('of $which ends it on both sides: $name', async ({ before, which, ...sides }) => {
    const [one, two] = [await node(), await node()];
    await one.commit(before ?? [], alice);
    await meet(one, two);
    await one.commit(sides.left, left);
    await two.commit(sides.right, right);
    await meet(one, two);
    const [conflict] = two.conflicts();
    const chosen = conflict?.values.find(({ counts }) => counts === (which === 'what counts'));
    if (conflict === undefined || chosen === undefined) throw new Error('there is a conflict');
    expect(changesOfChoice(two.config, conflict, chosen)).toHaveLength(1);
    await two.resolveConflict(conflict.id, chosen.choice, { author: 'judge', reason: 'so be it' });
    expect(two.conflicts()).toEqual([]);
    await meet(one, two);
    expect(one.conflicts()).toEqual([]);
    expect(withoutGeneration(one.config)).toEqual(withoutGeneration(two.config));
    expect(present(two.config, conflict.id)).toBe(chosen.value !== undefined);
    await expect(one.resolveConflict(conflict.id, chosen.choice, alice)).rejects.toMatchObject({
      code: 'refused',
    });
  });

  it('of a zone whose records were edited while it was deleted brings both sides’ records back', async () => {
    const [one, two] = [await node(), await node()];
    const mail = address(APEX, 'mail.example.org.', '192.0.2.5');
    await one.commit([zone(APEX), www(1), mail], alice);
    await meet(one, two);
    await one.commit([zone(APEX, { deleted: true })], left);
    await two.commit([www(3)], right);
    await meet(one, two);
    expect(one.config.zones.size).toBe(0);
    const [conflict] = one.conflicts();
    expect(conflict?.values[1]).toMatchObject({ author: 'right', rrsets: ['www.example.org. A'] });
    await one.resolveConflict('zones/example.org./records', conflict?.values[1]?.choice ?? '', alice);
    const rrsets = one.config.rrsets.get(APEX);
    expect([...(rrsets?.values() ?? [])].map(({ value }) => value.records[0]).sort()).toEqual([
      '192.0.2.3',
      '192.0.2.5',
    ]);
    // And it ends again without a trace of what was chosen before.
    await one.commit([zone(APEX, { deleted: true })], alice);
    await one.commit([zone(APEX)], alice);
    expect(one.config.rrsets.get(APEX)?.size ?? 0).toBe(0);
    expect(one.conflicts()).toEqual([]);
  });

  it('is not needed where somebody writes anew', async () => {
    const [one, two] = [await node(), await node()];
    await one.commit([dataCenter('fra', 1), zone(APEX), www(1)], left);
    await two.commit([dataCenter('fra', 2), zone(APEX), www(2)], right);
    await meet(one, two);
    expect(one.conflicts()).toHaveLength(2);
    await one.commit([dataCenter('fra', 3), www(3)], alice);
    expect(one.conflicts()).toEqual([]);
    await meet(one, two);
    expect(two.conflicts()).toEqual([]);
  });

  it('that was overtaken is refused and writes nothing', async () => {
    const [one, two] = [await node(), await node()];
    await one.commit([dataCenter('fra', 1)], left);
    await two.commit([dataCenter('fra', 2)], right);
    await meet(one, two);
    const choice = one.conflicts()[0]?.values[1]?.choice ?? '';
    const [, outcome] = await Promise.allSettled([
      one.commit([dataCenter('fra', 3)], alice),
      one.resolveConflict('dataCenters/fra', choice, alice),
    ]);
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'refused' } });
    expect(one.config.dataCenters.get('fra')?.value.latitude).toBe(3);
  });

  it('stays open when a side that does not count is written again', async () => {
    const [one, two, three] = [await node(), await node(), await node()];
    await one.commit([dataCenter('fra', 1)], left);
    await one.commit([dataCenter('fra', 2)], left);
    await one.commit([dataCenter('fra', 3)], left);
    await two.commit([dataCenter('fra', 10)], right);
    await meet(two, three);
    await meet(one, three);
    await two.commit([dataCenter('fra', 11)], right);
    await meet(two, three);
    const values = three.conflicts()[0]?.values.map(({ value }) => value as { readonly latitude: number });
    expect(values?.map(({ latitude }) => latitude)).toEqual([3, 11]);
  });
});

describe('the blobs of zones', () => {
  it('stay while a side that waits refers to them, and are told when they are not here', async () => {
    const [one, two] = [await node(), await node()];
    const [old, first, second] = [
      await one.putBlob(Buffer.from('old')),
      await one.putBlob(Buffer.from('first')),
      await two.putBlob(Buffer.from('second')),
    ];
    await one.commit([blobZone(APEX, first)], left);
    await two.commit([blobZone(APEX, second)], right);
    expect([one.missingBlobs(), two.missingBlobs()]).toEqual([[], []]);
    await meet(one, two);
    expect([one.missingBlobs(), two.missingBlobs()]).toEqual([[second], [first]]);
    expect(await one.sweepBlobs()).toBe(1);
    expect([one.hasBlob(old), one.hasBlob(first)]).toEqual([false, true]);
    await one.putBlob(Buffer.from('second'));
    expect(one.missingBlobs()).toEqual([]);
    expect(await one.sweepBlobs()).toBe(0);
    const [conflict] = one.conflicts();
    await one.resolveConflict(conflict?.id ?? '', conflict?.values[1]?.choice ?? '', alice);
    expect(await one.sweepBlobs()).toBe(1);
  });
});

/** Whether what a conflict is about is in the configuration. */
function present(config: Config, id: string): boolean {
  const [collection, key = '', part] = id.split('/');
  if (collection === 'dataCenters') return config.dataCenters.has(key);
  if (collection === 'zones') return config.zones.has(key);
  if (collection === 'rrsets') return config.rrsets.get(key)?.has(part ?? '') === true;
  const endpoints = config.pools.get(key)?.value.endpoints;
  if (part === undefined || part === '') return endpoints !== undefined;
  return endpoints?.some(({ name }) => name === part) === true;
}
