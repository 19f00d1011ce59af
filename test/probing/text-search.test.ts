import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createTextSearch } from '../../src/probing/text-search.ts';

const cases = [
  { name: 'in one piece', text: 'ok', limit: 10, given: ['all ok'], want: 'found' },
  { name: 'over two pieces', text: 'ok', limit: 10, given: ['all o', 'k'], want: 'found' },
  { name: 'over many pieces', text: 'abc', limit: 10, given: ['a', 'b', 'c'], want: 'found' },
  { name: 'after a false beginning', text: 'aab', limit: 10, given: ['aa', 'ab'], want: 'found' },
  { name: 'just within the limit', text: 'ok', limit: 4, given: ['..o', 'k'], want: 'found' },
  { name: 'just beyond the limit', text: 'ok', limit: 3, given: ['..o', 'k'], want: 'full' },
  { name: 'not there yet', text: 'ok', limit: 10, given: ['o', 'o'], want: 'searching' },
  { name: 'not in ASCII', text: 'grün', limit: 10, given: ['gr\u00fcn'], want: 'found' },
  { name: 'an empty piece', text: 'ok', limit: 10, given: ['', 'ok'], want: 'found' },
];

it.each(cases)('$name', ({ text, limit, given, want }) => {
  const search = createTextSearch(text, limit);
  const outcomes = given.map((piece) => search.add(Buffer.from(piece)));
  expect(outcomes.at(-1)).toBe(want);
});

it('finds what a search of the whole would find, however it is cut', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 });
  const wanted = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(letters), wanted, fc.integer({ min: 1, max: 60 }), (pieces, text, limit) => {
      const search = createTextSearch(text, limit);
      let outcome = 'searching';
      for (const piece of pieces) {
        outcome = search.add(Buffer.from(piece));
        if (outcome !== 'searching') break;
      }
      const whole = pieces.join('');
      const want = whole.slice(0, limit).includes(text)
        ? 'found'
        : whole.length >= limit
          ? 'full'
          : 'searching';
      expect(outcome).toBe(want);
    }),
    { numRuns: 300 },
  );
});
