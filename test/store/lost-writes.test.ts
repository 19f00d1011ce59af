import { describe, expect, it } from 'vitest';
import { createStore } from '../../src/store/automerge-store.ts';
import { ROOT_DOCUMENT } from '../../src/store/document.ts';
import type { ReplicatedStore } from '../../src/store/replicated-store.ts';
import { createSealer } from '../../src/store/seal/sealer.ts';
import { settle } from '../until.ts';
import { address, alice, dataCenter, zone } from './given.ts';
import { meet, talk } from './meet.ts';
import { MemoryDatabase } from './memory-database.ts';

/* Stores on disks that refuse, wait and crash when told. */

let actors = 0;

function storeOn(database: MemoryDatabase): ReplicatedStore {
  actors += 1;
  return createStore({
    database,
    release: () => undefined,
    now: () => new Date(0),
    node: '',
    sealer: createSealer([new Uint8Array(32)]),
    actor: actors.toString(16).padStart(32, '0'),
  });
}

/** Refuses writes while told so. */
class Moods {
  refuses = false;
  readonly flush = (): void => {
    if (this.refuses) throw new Error('no room');
  };
}

describe('a disk that refuses what a peer said', () => {
  it('leaves nothing of it anywhere, and the same exchange brings it once there is room', async () => {
    const moods = new Moods();
    const [one, two] = [storeOn(new MemoryDatabase()), storeOn(new MemoryDatabase(moods.flush))];
    await two.commit([dataCenter('sin', 1)], alice);
    const sides = [one, two].map((store) => ({ store, exchange: store.openExchange() }));
    await talk(sides);
    await one.commit([dataCenter('fra', 1), zone('example.org.')], alice);
    await one.commit([address('example.org.', 'www.example.org.', '192.0.2.1')], alice);
    const [before, heads] = [two.config, new Map(two.heads())];
    const told: (readonly string[])[] = [];
    two.onDurable((documents) => told.push(documents));
    moods.refuses = true;
    await expect(talk(sides)).rejects.toMatchObject({ code: 'write-failed' });
    expect(two.config).toBe(before);
    expect(new Map(two.heads())).toEqual(heads);
    expect(told).toEqual([]);
    moods.refuses = false;
    await talk(sides);
    expect(two.config.rrsets).toEqual(one.config.rrsets);
    expect(new Map(two.heads())).toEqual(new Map(one.heads()));
  });

  it('refuses the commits of the same flush too, and takes both later', async () => {
    const moods = new Moods();
    const [one, two] = [storeOn(new MemoryDatabase()), storeOn(new MemoryDatabase(moods.flush))];
    await one.commit([dataCenter('fra', 1)], alice);
    const [saying, hearing] = [one.openExchange(), two.openExchange()];
    const asked = await two.generate(hearing, ROOT_DOCUMENT);
    await one.receive(saying, [{ document: ROOT_DOCUMENT, message: asked ?? Uint8Array.of() }]);
    const message = (await one.generate(saying, ROOT_DOCUMENT)) ?? Uint8Array.of();
    moods.refuses = true;
    const outcomes = await Promise.allSettled([
      two.commit([dataCenter('sin', 1)], alice),
      two.receive(hearing, [{ document: ROOT_DOCUMENT, message }]),
      two.commit([dataCenter('nyc', 1)], alice),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(two.config.dataCenters.size).toBe(0);
    moods.refuses = false;
    await two.commit([dataCenter('sin', 1)], alice);
    await talk([
      { store: one, exchange: saying },
      { store: two, exchange: hearing },
    ]);
    expect([...two.config.dataCenters.keys()].sort()).toEqual(['fra', 'sin']);
    expect([...one.config.dataCenters.keys()].sort()).toEqual(['fra', 'sin']);
  });
});

describe('a write that is not on disk yet', () => {
  it('is in no message to a peer', async () => {
    let letThrough: () => void = () => undefined;
    const gates: Promise<void>[] = [];
    const database = new MemoryDatabase(() => gates.shift());
    const [one, two] = [storeOn(database), storeOn(new MemoryDatabase())];
    gates.push(
      new Promise((resolve) => {
        letThrough = resolve;
      }),
    );
    const committed = one.commit([dataCenter('fra', 1)], alice);
    await settle();
    const said: string[] = [];
    const message = one.generate(one.openExchange(), ROOT_DOCUMENT).then(() => said.push('said'));
    await settle();
    expect([said, one.heads().size]).toEqual([[], 0]);
    letThrough();
    await Promise.all([committed, message]);
    expect(one.heads().size).toBe(1);
    await meet(one, two);
    expect(two.config.dataCenters.size).toBe(1);
  });

  it('is gone after a crash, and those that were acknowledged are there', async () => {
    let crashes = false;
    const database = new MemoryDatabase(() => (crashes ? new Promise<void>(() => undefined) : undefined));
    const store = storeOn(database);
    await store.commit([dataCenter('fra', 1)], alice);
    crashes = true;
    void store.commit([dataCenter('fra', 2)], alice);
    await settle();
    expect(store.config.dataCenters.get('fra')?.value.latitude).toBe(1);
    const again = storeOn(database.reopened());
    expect(again.config.dataCenters.get('fra')?.value.latitude).toBe(1);
    await again.commit([dataCenter('fra', 3)], alice);
    expect(again.config.dataCenters.get('fra')?.value.latitude).toBe(3);
  });
});
