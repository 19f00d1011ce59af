import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { brokenJsonLimit, MAX_JSON_DEPTH, MAX_JSON_VALUES } from '../../src/api/json-limits.ts';
import { mergePatch } from '../../src/api/merge-patch.ts';

describe('mergePatch', () => {
  it.each([
    { name: 'replaces a field', target: { a: 'b' }, patch: { a: 'c' }, want: { a: 'c' } },
    { name: 'adds a field', target: { a: 'b' }, patch: { b: 'c' }, want: { a: 'b', b: 'c' } },
    { name: 'removes a field', target: { a: 'b', b: 'c' }, patch: { a: null }, want: { b: 'c' } },
    { name: 'replaces an array whole', target: { a: ['b', 'd'] }, patch: { a: ['c'] }, want: { a: ['c'] } },
    {
      name: 'merges objects',
      target: { a: { b: 1, c: 2 } },
      patch: { a: { b: null, d: 3 } },
      want: { a: { c: 2, d: 3 } },
    },
    {
      name: 'makes an object of what is none',
      target: { a: [1] },
      patch: { a: { b: 2 } },
      want: { a: { b: 2 } },
    },
    {
      name: 'drops nulls in new objects',
      target: {},
      patch: { a: { b: { c: null } } },
      want: { a: { b: {} } },
    },
    { name: 'replaces the whole by an array', target: { a: 1 }, patch: [1], want: [1] },
    { name: 'replaces the whole by null', target: { a: 1 }, patch: null, want: null },
  ])('$name', ({ target, patch, want }) => {
    const before = structuredClone(target);
    expect(mergePatch(target, patch)).toEqual(want);
    expect(target).toEqual(before);
  });

  it('is idempotent, and leaves alone what it does not name', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (target, patch) => {
          const once = mergePatch(target, patch);
          expect(mergePatch(once, patch)).toEqual(once);
          for (const key of Object.keys(target)) {
            if (!Object.hasOwn(patch, key)) {
              expect(Object.getOwnPropertyDescriptor(once, key)?.value).toEqual(
                Object.getOwnPropertyDescriptor(target, key)?.value,
              );
            }
          }
        },
      ),
    );
  });
});

describe('brokenJsonLimit', () => {
  const nested = (levels: number): unknown => {
    let value: unknown = 1;
    for (let i = 0; i < levels; i++) value = { a: value };
    return value;
  };
  it.each([
    { name: 'a scalar', given: 1, want: undefined },
    { name: 'the deepest allowed', given: nested(MAX_JSON_DEPTH), want: undefined },
    { name: 'one deeper', given: nested(MAX_JSON_DEPTH + 1), want: 'too-deep' },
    { name: 'as many values as allowed', given: new Array(MAX_JSON_VALUES - 1).fill(0), want: undefined },
    { name: 'one more', given: new Array(MAX_JSON_VALUES).fill(0), want: 'too-many-values' },
    { name: 'a forbidden key', given: JSON.parse('{"a":{"__proto__":1}}'), want: 'forbidden-key' },
  ])('$name: $want', ({ given, want }) => {
    expect(brokenJsonLimit(given)).toBe(want);
  });
});
