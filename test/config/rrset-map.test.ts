import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rrsetKey, type Stored } from '../../src/config/model.ts';
import type { RRset } from '../../src/config/resources/rrset.ts';
import {
  changedOwners,
  MAX_PLAIN_RRSETS,
  RRsetEdit,
  type RRsets,
  rrsetsAt,
  shardOf,
  shardsOf,
} from '../../src/config/rrset-map.ts';

function stored(name: string, type: string, revision = 'r'): Stored<RRset> {
  const value = { name, type, ttlSeconds: 60, records: ['192.0.2.1'] };
  return { value, owner: { kind: 'api' }, revision, author: '', reason: '', updatedAt: '' };
}

function put(edit: RRsetEdit, name: string, type: string, revision?: string): void {
  edit.set(rrsetKey(name, type), stored(name, type, revision));
}

function large(count = MAX_PLAIN_RRSETS + 500): RRsets {
  const edit = new RRsetEdit();
  for (let i = 0; i < count; i++) put(edit, `h${i}.example.org.`, i % 3 === 0 ? 'AAAA' : 'A');
  return edit.finish();
}

describe('the RRsets of a zone', () => {
  it('are a plain map while they are few, and many maps from then on', () => {
    expect(large(MAX_PLAIN_RRSETS)).toBeInstanceOf(Map);
    expect(shardsOf(large(MAX_PLAIN_RRSETS))).toHaveLength(1);
    expect(shardsOf(large()).length).toBeGreaterThan(100);
  });

  it('share with the map before every part that an edit does not touch', () => {
    const before = large();
    const edit = new RRsetEdit(before);
    put(edit, 'new.example.org.', 'A');
    const after = edit.finish();
    const old = new Set(shardsOf(before));
    expect(shardsOf(after).filter((shard) => !old.has(shard))).toEqual([shardOf(after, 'new.example.org.')]);
    expect([before.size + 1, before.has('new.example.org. A')]).toEqual([after.size, false]);
  });

  it('are the same map when nothing was edited', () => {
    const before = large();
    expect(new RRsetEdit(before).finish()).toBe(before);
  });

  it('have all types of a name side by side', () => {
    const edit = new RRsetEdit(large());
    put(edit, 'h1.example.org.', 'TXT');
    put(edit, 'h1.example.org.', 'MX');
    const found = rrsetsAt(edit.finish(), ['h1.example.org.', 'absent.example.org.']);
    expect([...found].map(([name, here]) => [name, here.map(({ value }) => value.type)])).toEqual([
      ['h1.example.org.', ['A', 'TXT', 'MX']],
      ['absent.example.org.', []],
    ]);
  });

  it('tell which owners changed: set, replaced and deleted', () => {
    const before = large();
    const edit = new RRsetEdit(before);
    put(edit, 'new.example.org.', 'A');
    put(edit, 'h1.example.org.', 'A', 'later');
    edit.delete('h2.example.org. A');
    expect([...(changedOwners(before, edit.finish()) ?? [])].sort()).toEqual([
      'h1.example.org.',
      'h2.example.org.',
      'new.example.org.',
    ]);
  });

  it('do not tell it where a map has become many', () => {
    const before = large(MAX_PLAIN_RRSETS);
    const edit = new RRsetEdit(before);
    put(edit, 'new.example.org.', 'A');
    expect(changedOwners(before, edit.finish())).toBeUndefined();
  });

  it('are what a map would be, whatever is edited', () => {
    const start = large();
    const name = fc.integer({ min: 0, max: 2 * start.size }).map((i) => `h${i}.example.org.`);
    const step = fc.record({ name, type: fc.constantFrom('A', 'AAAA'), deletes: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const model = new Map(start);
        const edit = new RRsetEdit(start);
        for (const { name, type, deletes } of steps) {
          const key = rrsetKey(name, type);
          if (deletes) model.delete(key);
          else model.set(key, stored(name, type));
          if (deletes) edit.delete(key);
          else put(edit, name, type);
        }
        const rrsets = edit.finish();
        expect(new Map(rrsets)).toEqual(model);
        expect([rrsets.size, [...rrsets.keys()].length, [...rrsets.values()].length]).toEqual([
          model.size,
          model.size,
          model.size,
        ]);
        for (const { name, type } of steps) {
          expect(rrsets.get(rrsetKey(name, type))).toEqual(model.get(rrsetKey(name, type)));
        }
      }),
      { numRuns: 30 },
    );
  });
});
