import * as automerge from '@automerge/automerge';
import { afterEach, describe, expect, it } from 'vitest';
import { genesisChanges, ROOT_DOCUMENT, zoneDocument } from '../../src/store/document.ts';
import { MAX_OPEN_DOCUMENTS } from '../../src/store/documents.ts';
import type { ReplicatedStore } from '../../src/store/replicated-store.ts';
import { address, alice, dataCenter, open, Scratch, zone } from './given.ts';
import { meet, talk } from './meet.ts';

/* What two stores say to each other, and what one of them makes of nonsense. */

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

/** A message as a peer's engine says it, whose document went through `change` on top of the genesis. */
function messageOf(
  id: string,
  change: (engine: ReturnType<typeof automerge.getBackend>) => void,
): Uint8Array {
  const engine = automerge.getBackend(automerge.init({ actor: 'ab'.repeat(16) }));
  engine.applyChanges([...genesisChanges(id)]);
  change(engine);
  engine.commit(null, 0);
  const message = automerge.encodeSyncMessage({
    heads: engine.getHeads(),
    need: [],
    have: [],
    changes: engine.getChanges([]),
  });
  return Uint8Array.of(0, ...message);
}

/** What a peer would say that has removed a data center by the engine's own deletion. */
async function removalOf(key: string, store: ReplicatedStore): Promise<Uint8Array> {
  const exchange = store.openExchange();
  const asked = automerge.encodeSyncMessage({
    heads: [],
    need: [],
    have: [{ lastSync: [], bloom: new Uint8Array() }],
    changes: [],
  });
  await store.receive(exchange, [{ document: ROOT_DOCUMENT, message: Uint8Array.of(0, ...asked) }]);
  const all = await store.generate(exchange, ROOT_DOCUMENT);
  const engine = automerge.getBackend(automerge.init({ actor: 'cd'.repeat(16) }));
  const { changes } = automerge.decodeSyncMessage((all ?? Uint8Array.of()).subarray(1));
  engine.loadIncremental(Buffer.concat(changes));
  engine.delete(String(engine.get('_root', 'dataCenters')), key);
  engine.commit(null, 0);
  const heads = engine.getHeads();
  const last = engine.getLastLocalChange();
  if (last === null) throw new Error('something was removed');
  return Uint8Array.of(0, ...automerge.encodeSyncMessage({ heads, need: [], have: [], changes: [last] }));
}

describe('an exchange', () => {
  it('goes on while both write, and carries only what is new', async () => {
    const [one, two] = [await node(), await node()];
    const sides = [one, two].map((store) => ({ store, exchange: store.openExchange() }));
    for (let i = 0; i < 20; i += 1) {
      await one.commit([dataCenter('fra', i)], alice);
      await two.commit([dataCenter('sin', 40 + i)], alice);
      await talk(sides);
      expect(two.config.dataCenters.get('fra')?.value.latitude).toBe(i);
      expect(one.config.dataCenters.get('sin')?.value.latitude).toBe(40 + i);
    }
    await one.commit([dataCenter('fra', 50)], alice);
    const [side] = sides;
    const message = side === undefined ? undefined : await one.generate(side.exchange, ROOT_DOCUMENT);
    expect(message?.length).toBeLessThan(1024);
  });

  it('says nothing about a document of which the peer has everything, nor twice the same', async () => {
    const [one, two] = [await node(), await node()];
    await one.commit([dataCenter('fra', 1)], alice);
    const sides = [one, two].map((store) => ({ store, exchange: store.openExchange() }));
    await talk(sides);
    const [side] = sides;
    if (side === undefined) throw new Error('one side');
    expect(await one.generate(side.exchange, ROOT_DOCUMENT)).toBeUndefined();
    await one.commit([dataCenter('fra', 2)], alice);
    expect(await one.generate(side.exchange, ROOT_DOCUMENT)).toBeDefined();
    expect(await one.generate(side.exchange, ROOT_DOCUMENT)).toBeUndefined();
  });

  it('tells which documents have changed, once they are durable', async () => {
    const [one, two] = [await node(), await node()];
    const told: (readonly string[])[] = [];
    const end = two.onDurable((documents) => told.push(documents));
    await one.commit([zone('example.org.'), address('example.org.', 'www.example.org.', '192.0.2.1')], alice);
    await meet(one, two);
    expect(told.flat().sort()).toEqual([ROOT_DOCUMENT, zoneDocument('example.org.', 0)]);
    end();
    await two.commit([dataCenter('fra', 1)], alice);
    expect(told.flat()).toHaveLength(2);
  });

  it('brings a new node more documents than fit its memory', async () => {
    const [one, two] = [await node(), await node()];
    const apexes = Array.from({ length: MAX_OPEN_DOCUMENTS + 50 }, (_, i) => `z${i}.example.org.`);
    await one.commit(
      apexes.flatMap((apex) => [zone(apex), address(apex, `www.${apex}`, '192.0.2.1')]),
      alice,
    );
    await meet(one, two);
    expect(two.config.rrsets.size).toBe(apexes.length);
    expect(two.config.rrsets).toEqual(one.config.rrsets);
    expect(new Map(two.heads())).toEqual(new Map(one.heads()));
  });

  it('ends with its session: nothing is taken or said any more', async () => {
    const [one, two] = [await node(), await node()];
    await one.commit([dataCenter('fra', 1)], alice);
    const [saying, hearing] = [one.openExchange(), two.openExchange()];
    const message = await one.generate(saying, ROOT_DOCUMENT);
    saying.close();
    hearing.close();
    expect(await one.generate(saying, ROOT_DOCUMENT)).toBeUndefined();
    const { refused } = await two.receive(hearing, [
      { document: ROOT_DOCUMENT, message: message ?? Uint8Array.of(0) },
    ]);
    expect(refused).toEqual([{ document: ROOT_DOCUMENT, reason: 'The session has ended.' }]);
  });

  it('starts over after one side has lost what it was told', async () => {
    const [one, two] = [await node(), await node()];
    for (let i = 0; i < 5; i += 1) await one.commit([dataCenter('fra', i)], alice);
    const sides = [one, two].map((store) => ({ store, exchange: store.openExchange() }));
    const [left, right] = sides;
    if (left === undefined || right === undefined) throw new Error('two sides');
    // The peer has said what it has, and what it is answered with never arrives.
    const asked = await two.generate(right.exchange, ROOT_DOCUMENT);
    await one.receive(left.exchange, [{ document: ROOT_DOCUMENT, message: asked ?? Uint8Array.of() }]);
    expect(await one.generate(left.exchange, ROOT_DOCUMENT)).toBeDefined();
    right.exchange.restart(ROOT_DOCUMENT);
    await talk(sides);
    expect(two.config.dataCenters.get('fra')?.value.latitude).toBe(4);
  });
});

describe('a message that makes no sense', () => {
  const replacesMap = messageOf(ROOT_DOCUMENT, (engine) => engine.putObject('_root', 'zones', {}));
  const removesMap = messageOf(ROOT_DOCUMENT, (engine) => engine.delete('_root', 'zones'));

  it.each([
    { name: 'no octet', document: ROOT_DOCUMENT, message: Uint8Array.of() },
    { name: 'an unknown kind', document: ROOT_DOCUMENT, message: Uint8Array.of(7, 1, 2, 3) },
    { name: 'noise', document: ROOT_DOCUMENT, message: Uint8Array.of(0, 66, 1, 255, 255, 255, 255, 255) },
    { name: 'no such document', document: 'elsewhere', message: Uint8Array.of(0) },
    { name: 'an id without end', document: `zone/0/${'a.'.repeat(2000)}`, message: Uint8Array.of(0) },
    { name: 'a map in the place of another', document: ROOT_DOCUMENT, message: replacesMap },
    { name: 'a map taken away', document: ROOT_DOCUMENT, message: removesMap },
  ])('is refused by name: $name', async ({ document, message }) => {
    const [one, two] = [await node(), await node()];
    await one.commit([dataCenter('fra', 1)], alice);
    await two.commit([zone('example.org.'), address('example.org.', 'www.example.org.', '192.0.2.1')], alice);
    const before = one.config;
    const exchange = one.openExchange();
    const peer = two.openExchange();
    const good = (await two.generate(peer, zoneDocument('example.org.', 0))) ?? Uint8Array.of();
    const received = await one.receive(exchange, [
      { document, message },
      { document: zoneDocument('example.org.', 0), message: good },
    ]);
    expect(received.refused).toMatchObject([{ document }]);
    expect(one.config.dataCenters).toBe(before.dataCenters);
    // The same exchange goes on with the same documents.
    await talk([
      { store: one, exchange },
      { store: two, exchange: peer },
    ]);
    expect(one.config.rrsets).toEqual(two.config.rrsets);
    expect(two.config.dataCenters).toEqual(one.config.dataCenters);
  });

  it('takes no leaf away', async () => {
    const [one, two] = [await node(), await node()];
    await one.commit([dataCenter('fra', 1)], alice);
    await meet(one, two);
    const message = await removalOf('fra', two);
    const { refused } = await one.receive(one.openExchange(), [{ document: ROOT_DOCUMENT, message }]);
    expect(refused).toHaveLength(1);
    expect(one.config.dataCenters.get('fra')?.value.latitude).toBe(1);
  });

  it('does not take a commit with it that waits for the same flush', async () => {
    const directory = scratch.directory();
    const one = await node(directory);
    await one.commit([dataCenter('fra', 1)], alice);
    const exchange = one.openExchange();
    const [, received] = await Promise.all([
      one.commit([dataCenter('sin', 2)], alice),
      one.receive(exchange, [{ document: ROOT_DOCUMENT, message: replacesMap }]),
      one.commit([dataCenter('nyc', 3)], alice),
    ]);
    expect(received.refused).toHaveLength(1);
    const { config } = one;
    expect([...config.dataCenters.keys()].sort()).toEqual(['fra', 'nyc', 'sin']);
    await opened.pop()?.close();
    const again = await node(directory);
    expect(again.config).toEqual(config);
  });
});
