import fc from 'fast-check';
import { expect, it } from 'vitest';
import { WordMap } from '../../src/geo/word-map.ts';
import { NodeStore } from '../../src/steering/node-store.ts';

const node = fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 1, maxLength: 5 });

it('keeps each distinct node once and gives back where it stands', () => {
  fc.assert(
    fc.property(fc.array(node, { maxLength: 50 }), (nodes) => {
      const store = new NodeStore(9);
      const offsets = nodes.map((words) => store.add(Int32Array.from([...words, 77]), words.length));
      for (const [at, words] of nodes.entries()) {
        const from = (offsets[at] ?? 0) - 9;
        expect(Array.from(store.view().subarray(from, from + words.length))).toEqual(words);
      }
      expect(new Set(offsets).size).toBe(new Set(nodes.map(String)).size);
    }),
  );
});

it('keeps nodes through every growth of its tables', () => {
  const store = new NodeStore(9);
  const add = (value: number): number => store.add(Int32Array.of(value, value ^ 0x5555_5555, 1, 2), 4);
  const offsets = Array.from({ length: 30_000 }, (_, value) => add(value));
  expect(new Set(offsets).size).toBe(30_000);
  for (const [value, offset] of offsets.entries()) expect(add(value)).toBe(offset);
});

it('maps words as a Map does', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(2 ** 31 - 1), { maxLength: 100 }), fc.nat(), (keys, other) => {
      const map = new WordMap();
      const want = new Map<number, number>();
      for (const [value, key] of keys.entries()) {
        if (want.has(key)) continue;
        map.add(key, value);
        want.set(key, value);
      }
      for (const key of [...keys, other, 0, 2 ** 32 - 2]) expect(map.get(key)).toBe(want.get(key) ?? -1);
      expect(map.size).toBe(want.size);
    }),
  );
  const map = new WordMap();
  for (let key = 0; key < 20_000; key++) map.add(key * 7, key);
  for (let key = 0; key < 20_000; key++) expect(map.get(key * 7)).toBe(key);
});
