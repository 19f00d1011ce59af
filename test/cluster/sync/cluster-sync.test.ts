import { afterEach, describe, expect, it } from 'vitest';
import { encodeFrame } from '../../../src/cluster/frame.ts';
import { CHUNK_OCTETS } from '../../../src/cluster/sync/blob-messages.ts';
import type { Change } from '../../../src/config/model.ts';
import { blobHash } from '../../../src/store/blobs.ts';
import { SimTime } from '../../simulation/cluster/sim-time.ts';
import { address, alice, blobZone, dataCenter, Scratch, zone } from '../../store/given.ts';
import { connect } from './local-link.ts';
import { startNode, stop, type TestNode, untilEqual, untilSo } from './node-pair.ts';

const scratch = new Scratch();
const nodes: TestNode[] = [];
afterEach(async () => {
  await stop(nodes.splice(0));
  scratch.clear();
});

async function start(names: string): Promise<TestNode[]> {
  for (const name of names) nodes.push(await startNode(name, scratch, time));
  return nodes;
}

const time = new SimTime();

function hosts(apex: string, count: number): readonly Change[] {
  return Array.from({ length: count }, (_, host) => address(apex, `host-${host}.${apex}`, '192.0.2.1'));
}

describe('two nodes', () => {
  it('have all of each other’s once they meet, and what is written later', async () => {
    const [left, right] = await start('ab');
    if (left === undefined || right === undefined) return;
    await left.store.commit([zone('a.example.'), ...hosts('a.example.', 50)], alice);
    await right.store.commit([zone('b.example.'), ...hosts('b.example.', 50), dataCenter('fra', 50)], alice);
    connect({ name: 'a', listener: left.listener }, { name: 'b', listener: right.listener });
    await untilEqual(time, [left, right]);
    expect(left.store.config.rrsets.get('b.example.')?.size).toBe(50);
    await left.store.commit([dataCenter('sin', 1)], alice);
    await untilSo(time, () => right.store.config.dataCenters.has('sin'));
    await untilSo(time, () => left.sync.behind().get('b')?.documents === 0);
    expect([...left.refusals, ...right.refusals]).toEqual([]);
  });

  it('say nothing about documents that are equal, and load none', async () => {
    const [left, right] = await start('ab');
    if (left === undefined || right === undefined) return;
    await left.store.commit([zone('a.example.'), ...hosts('a.example.', 5)], alice);
    const [first] = connect({ name: 'a', listener: left.listener }, { name: 'b', listener: right.listener });
    await untilEqual(time, [left, right]);
    await untilSo(time, () => left.sync.behind().get('b')?.documents === 0);
    first.close('for this test');
    const before = left.sync.counters().documents.messagesSent + right.sync.counters().documents.messagesSent;
    connect({ name: 'a', listener: left.listener }, { name: 'b', listener: right.listener });
    await untilSo(time, () => left.sync.behind().get('b')?.documents === 0);
    await untilSo(time, () => right.sync.behind().get('a')?.documents === 0);
    const after = left.sync.counters().documents.messagesSent + right.sync.counters().documents.messagesSent;
    expect(after).toBe(before);
  });

  it('take a burst in together', async () => {
    const [left, right] = await start('ab');
    if (left === undefined || right === undefined) return;
    connect({ name: 'a', listener: left.listener }, { name: 'b', listener: right.listener });
    const writes = Array.from({ length: 200 }, (_, number) =>
      left.store.commit([dataCenter(`dc-${number}`, 1)], alice),
    );
    await Promise.all(writes);
    await untilEqual(time, [left, right]);
    expect(right.store.config.dataCenters.size).toBe(200);
    expect(right.published.length).toBeLessThan(50);
  });

  it('make long messages from pieces, over a link that is full after each frame', async () => {
    const [left, right] = await start('ab');
    if (left === undefined || right === undefined) return;
    // Text that does not compress, in one document.
    let state = 1;
    const noise = (): string =>
      Array.from({ length: 200 }, () => {
        state = (state * 48271) % 2147483647;
        return state.toString(36);
      }).join('');
    const changes = Array.from({ length: 1500 }, (_, number) => ({
      ...dataCenter(`dc-${number}`, 1),
      value: { name: `dc-${number}`, latitude: 1, longitude: 1, description: noise() },
    })) as readonly Change[];
    await left.store.commit(changes, alice);
    connect({ name: 'a', listener: left.listener }, { name: 'b', listener: right.listener }, 1);
    await untilEqual(time, [left, right]);
    expect(right.store.config.dataCenters.size).toBe(1500);
  });
});

describe('three nodes', () => {
  it('pass on what one of them cannot tell the third', async () => {
    const [left, middle, right] = await start('abc');
    if (left === undefined || middle === undefined || right === undefined) return;
    connect({ name: 'a', listener: left.listener }, { name: 'b', listener: middle.listener });
    connect({ name: 'b', listener: middle.listener }, { name: 'c', listener: right.listener });
    await left.store.commit([dataCenter('fra', 50)], alice);
    await untilEqual(time, [left, middle]);
    await untilSo(time, () => right.sync.behind().get('b')?.documents === 1);
    await untilEqual(time, [left, middle, right]);
  });
});

describe('a peer that sends nonsense', () => {
  it.each([
    ['no frame of documents', { kind: 'documents', entries: [['root']] }],
    [
      'a message that is none',
      { kind: 'documents', entries: [['zone/0/a.example.', new Uint8Array(32), Uint8Array.of(9, 9)]] },
    ],
    [
      'a piece without a beginning',
      {
        kind: 'part',
        document: 'root',
        heads: new Uint8Array(0),
        at: 5,
        length: 9,
        octets: Uint8Array.of(1),
      },
    ],
  ])('is refused, counted, and cut off after a few times: %s', async (_, value) => {
    const [node] = await start('a');
    if (node === undefined) return;
    const stranger = {
      onUp: () => undefined,
      onDrain: () => undefined,
      onFrame: () => undefined,
      onDown: () => undefined,
    };
    const [, session] = connect({ name: 'a', listener: node.listener }, { name: 'x', listener: stranger });
    for (let count = 0; count < 7; count += 1) session.send(encodeFrame('documents', value));
    await untilSo(time, () => node.refusals.length >= 7);
    expect(node.downs).toEqual([]);
    session.send(encodeFrame('documents', value));
    await untilSo(time, () => node.downs.length > 0);
    expect(node.downs).toEqual(['sent 8 things that were refused']);
    expect(node.sync.counters().documents.refusals).toBe(8);
    expect(node.store.config.dataCenters.size).toBe(0);
  });

  it('may know documents that we do not: they are declined, and the rest goes on', async () => {
    const [node] = await start('a');
    if (node === undefined) return;
    const frames: Uint8Array[] = [];
    const stranger = {
      onUp: () => undefined,
      onDrain: () => undefined,
      onFrame: (_: unknown, frame: Uint8Array) => void frames.push(frame),
      onDown: () => undefined,
    };
    const [, session] = connect({ name: 'a', listener: node.listener }, { name: 'x', listener: stranger });
    const entry = ['certificates/7', new Uint8Array(32), Uint8Array.of(0, 1)];
    for (let count = 0; count < 20; count += 1)
      session.send(encodeFrame('documents', { kind: 'documents', entries: [entry], last: true }));
    await untilSo(time, () => frames.length > 1);
    expect(node.refusals).toEqual([]);
    expect(node.downs).toEqual([]);
  });
});

describe('blobs', () => {
  const bytes = Buffer.alloc(5 * CHUNK_OCTETS + 17, 'zone file ');

  it('come from whoever has them, in chunks', async () => {
    const [left, right] = await start('ab');
    if (left === undefined || right === undefined) return;
    const hash = await left.store.putBlob(bytes);
    await left.store.commit([blobZone('a.example.', hash)], alice);
    connect({ name: 'a', listener: left.listener }, { name: 'b', listener: right.listener });
    await untilSo(time, () => right.blobs.length > 0);
    expect(right.blobs).toEqual([hash]);
    expect(blobHash(right.store.getBlob(hash) ?? Buffer.of())).toBe(hash);
    expect(left.sync.counters().blobs.chunksServed).toBe(6);
  });

  it('go on from another peer where the first has left off', async () => {
    const [left, middle, right] = await start('abc');
    if (left === undefined || middle === undefined || right === undefined) return;
    const hash = await left.store.putBlob(bytes);
    await middle.store.putBlob(bytes);
    await left.store.commit([blobZone('a.example.', hash)], alice);
    let frames = 0;
    const stopping = {
      ...left.listener,
      onFrame: (...[session, frame]: Parameters<typeof left.listener.onFrame>) => {
        left.listener.onFrame(session, frame);
        // In the midst of the blob.
        if (left.sync.counters().blobs.chunksServed >= 2 && frames++ === 0) session.close('for this test');
      },
    };
    connect({ name: 'a', listener: stopping }, { name: 'c', listener: right.listener });
    await untilSo(time, () => right.downs.length > 0);
    expect(right.blobs).toEqual([]);
    connect({ name: 'b', listener: middle.listener }, { name: 'c', listener: right.listener });
    await untilSo(time, () => right.blobs.length > 0);
    const served = left.sync.counters().blobs.chunksServed + middle.sync.counters().blobs.chunksServed;
    expect(middle.sync.counters().blobs.chunksServed).toBeLessThan(6);
    expect(served).toBeGreaterThanOrEqual(6);
    expect(blobHash(right.store.getBlob(hash) ?? Buffer.of())).toBe(hash);
  });

  it('of another hash than theirs are not kept', async () => {
    const [node] = await start('a');
    if (node === undefined) return;
    const hash = blobHash(bytes);
    await node.store.commit([blobZone('a.example.', hash)], alice);
    const liar = {
      onUp: () => undefined,
      onDrain: () => undefined,
      onDown: () => undefined,
      onFrame: (session: Parameters<typeof node.listener.onFrame>[0], frame: Uint8Array) => {
        if (frame[0] !== 3) return;
        session.send(
          encodeFrame('blobs', { kind: 'chunk', hash, at: 0, length: 3, octets: Buffer.from('lie') }),
        );
      },
    };
    connect({ name: 'a', listener: node.listener }, { name: 'x', listener: liar });
    await untilSo(time, () => node.refusals.length > 0);
    expect(node.refusals).toEqual([`frame: What came as blob ${hash} has another hash.`]);
    expect(node.store.hasBlob(hash)).toBe(false);
  });
});
