import { afterEach, describe, expect, it } from 'vitest';
import type { Change } from '../../src/config/model.ts';
import { zoneDocument } from '../../src/store/document.ts';
import { MAX_FIRST_RRSETS } from '../../src/store/zone-leaves.ts';
import { address, alice, open, Scratch, zone } from './given.ts';
import { meet } from './meet.ts';

/* A zone with more RRsets than its first document takes. */

const scratch = new Scratch();
afterEach(() => scratch.clear());

const APEX = 'example.org.';
const COUNT = MAX_FIRST_RRSETS + 300;

function host(i: number, record = '192.0.2.1'): Change {
  return address(APEX, `h${i}.example.org.`, record);
}

function noHost(i: number): Change {
  return address(APEX, `h${i}.example.org.`, undefined);
}

const hosts = Array.from({ length: COUNT }, (_, i) => host(i));

describe('a zone of several documents', () => {
  it('is one map, and the same after a start', async () => {
    const directory = scratch.directory();
    const store = await open(directory);
    await store.commit([zone(APEX), ...hosts], alice);
    const before = store.config.rrsets.get(APEX);
    expect(before?.size).toBe(COUNT);
    await store.close();
    const again = await open(directory);
    expect(new Map(again.config.rrsets.get(APEX))).toEqual(new Map(before));
    await again.close();
  });

  it('has its parts beside its first document', async () => {
    const store = await open(scratch.directory());
    await store.commit([zone(APEX), ...hosts], alice);
    const documents = [...store.heads().keys()];
    const first = zoneDocument(APEX, 0);
    expect(documents).toContain(first);
    expect(documents.filter((id) => id.startsWith('part/0/')).length).toBeGreaterThan(50);
    await store.close();
  });

  it('edits and deletes an RRset where it lies', async () => {
    const directory = scratch.directory();
    const store = await open(directory);
    await store.commit([zone(APEX), ...hosts], alice);
    const changed = [3, COUNT - 3];
    const deleted = [5, COUNT - 5];
    await store.commit([...changed.map((i) => host(i, '192.0.2.2')), ...deleted.map(noHost)], alice);
    await store.commit([host(COUNT - 5, '192.0.2.3')], alice);
    await store.close();
    const again = await open(directory);
    const rrsets = again.config.rrsets.get(APEX);
    const recordsOf = (i: number) => rrsets?.get(`h${i}.example.org. A`)?.value.records;
    expect(changed.map(recordsOf)).toEqual([['192.0.2.2'], ['192.0.2.2']]);
    expect(deleted.map(recordsOf)).toEqual([undefined, ['192.0.2.3']]);
    expect(rrsets?.size).toBe(COUNT - 1);
    await again.close();
  });

  it('takes all parts with it when it is deleted, and starts empty when it is made anew', async () => {
    const store = await open(scratch.directory());
    await store.commit([zone(APEX), ...hosts], alice);
    await store.commit([zone(APEX, { deleted: true })], alice);
    await store.commit([zone(APEX)], alice);
    expect(store.config.rrsets.get(APEX)?.size ?? 0).toBe(0);
    await store.close();
  });

  it('is the same on two nodes that put one new RRset into different documents', async () => {
    const [one, other] = [await open(scratch.directory()), await open(scratch.directory())];
    await one.commit([zone(APEX), host(-1, '192.0.2.5')], alice);
    // On the other node the zone is large already when the same RRset comes to it.
    await other.commit([zone(APEX), ...hosts, host(-1, '192.0.2.6')], alice);
    await meet(one, other);
    const key = 'h-1.example.org. A';
    const merged = one.config.rrsets.get(APEX)?.get(key);
    expect(other.config.rrsets.get(APEX)?.get(key)).toEqual(merged);
    expect(['192.0.2.5', '192.0.2.6']).toContain(merged?.value.records[0]);
    // The next write goes to where the winner lies, and wins everywhere.
    await one.commit([host(-1, '192.0.2.7')], alice);
    await meet(one, other);
    for (const store of [one, other]) {
      expect(store.config.rrsets.get(APEX)?.get(key)?.value.records).toEqual(['192.0.2.7']);
      await store.close();
    }
  });
});
