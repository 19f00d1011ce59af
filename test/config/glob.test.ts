import fc from 'fast-check';
import { expect, it } from 'vitest';
import { matchesGlob } from '../../src/config/glob.ts';

const cases = [
  ['web/fra', 'web/fra', true],
  ['web/fra', 'web/fra-1', false],
  ['web/*', 'web/fra', true],
  ['web/*', 'webs/fra', false],
  ['web-*/fra-*', 'web-eu/fra-v4', true],
  ['web-*/fra-*', 'web-eu/ash-v4', false],
  ['*/*', 'a/b', true],
  ['*-v4', 'fra-v4', true],
  ['*', 'a/b', false],
  ['*/fra', 'web/eu/fra', false],
  ['a*a', 'a', false],
  ['a*a', 'aa', true],
  ['a*b*c', 'a-b-b-c', true],
  ['a*b*c', 'a-c-b', false],
  ['ab*ba', 'aba', false],
  ['**', 'anything', true],
  ['*a*', 'bab', true],
] as const;

it.each(cases)('%s and %s: %s', (glob, name, want) => {
  expect(matchesGlob(glob, name)).toBe(want);
});

it('is over at once where a search that goes back would go on for years', () => {
  expect(matchesGlob(`${'*a'.repeat(60)}*b`, 'a'.repeat(63))).toBe(false);
});

it('agrees with a regular expression', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '-', '*'), maxLength: 8 });
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 10 });
  fc.assert(
    fc.property(text, name, (glob, given) => {
      const expression = new RegExp(`^${glob.replace(/\*+/g, '.*')}$`);
      expect(matchesGlob(glob, given)).toBe(expression.test(given));
    }),
  );
});
