import { describe, expect, it } from 'vitest';
import { Numbering } from '../../../src/node/compile/numbering.ts';

function numbersAfter(
  limit: number,
  assignments: readonly (readonly string[])[],
): Record<string, number | undefined> {
  const numbering = new Numbering(limit);
  let last: readonly string[] = [];
  for (const names of assignments) {
    numbering.assign(names);
    last = names;
  }
  return Object.fromEntries(last.map((name) => [name, numbering.numberOf(name)]));
}

describe('numbering', () => {
  const cases = [
    { name: 'counts up', given: [['a', 'b']], want: { a: 0, b: 1 } },
    { name: 'keeps the number of a name that stays', given: [['a', 'b'], ['b']], want: { b: 1 } },
    { name: 'does not reuse a number while unused ones remain', given: [['a'], [], ['b']], want: { b: 1 } },
    {
      name: 'does not reuse a number that the last publication may still hold',
      given: [
        ['a', 'b', 'c'],
        ['c', 'd'],
      ],
      want: { c: 2, d: undefined },
    },
    {
      name: 'reuses a number one assignment later',
      given: [['a', 'b', 'c'], ['c'], ['c', 'd']],
      want: { c: 2, d: 0 },
    },
  ];
  it.each(cases)('$name', ({ given, want }) => {
    expect(numbersAfter(3, given)).toEqual(want);
  });

  it('says which names found no number', () => {
    expect(new Numbering(1).assign(['a', 'b'])).toEqual(['b']);
  });
});

describe('numbers of the run before', () => {
  it('are kept by the names that had them', () => {
    const numbering = new Numbering(4);
    numbering.recall(['b', null, 'a']);
    numbering.assign(['a', 'b', 'c']);
    expect(['a', 'b', 'c'].map((name) => numbering.numberOf(name))).toEqual([2, 0, 3]);
    expect(numbering.names()).toEqual(['b', null, 'a', 'c']);
  });

  it('are given away only after two assignments', () => {
    const numbering = new Numbering(2);
    numbering.recall(['gone', 'a']);
    expect(numbering.assign(['a', 'new'])).toEqual(['new']);
    expect(numbering.assign(['a', 'new'])).toEqual([]);
    expect(numbering.numberOf('new')).toBe(0);
  });

  it('are none beyond the limit', () => {
    const numbering = new Numbering(1);
    numbering.recall(['a', 'b']);
    expect(numbering.assign(['a', 'b'])).toEqual(['b']);
    expect(numbering.names()).toEqual(['a']);
  });
});
