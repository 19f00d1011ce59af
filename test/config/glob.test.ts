import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { globMatcher } from '../../src/config/glob.ts';
import { aboutTarget } from '../../src/config/override-targets.ts';

const cases = [
  ['fra', 'fra', true],
  ['fra', 'fra-1', false],
  ['*', '', true],
  ['*', 'fra', true],
  ['fra-*', 'fra-v4', true],
  ['fra-*', 'ash-v4', false],
  ['*-v4', 'fra-v4', true],
  ['*-v4', 'fra-v4-2', false],
  ['a*a', 'a', false],
  ['a*a', 'aa', true],
  ['a*b*c', 'a-b-b-c', true],
  ['a*b*c', 'a-c-b', false],
  ['ab*ba', 'aba', false],
  ['**', 'anything', true],
  ['*a*', 'bab', true],
] as const;

it.each(cases)('%s and %s: %s', (glob, name, want) => {
  expect(globMatcher(glob)(name)).toBe(want);
});

it('is over at once where a search that goes back would go on for years', () => {
  expect(globMatcher(`${'*a'.repeat(60)}*b`)('a'.repeat(63))).toBe(false);
});

it('agrees with a regular expression', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '-', '*'), maxLength: 8 });
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 10 });
  fc.assert(
    fc.property(text, name, (glob, given) => {
      const expression = new RegExp(`^${glob.replace(/\*+/g, '.*')}$`);
      expect(globMatcher(glob)(given)).toBe(expression.test(given));
    }),
  );
});

describe('the endpoints that a target is about', () => {
  const keys = [
    'web/fra-1@fra',
    'web/sin-1@sin',
    'web-eu/fra-1@fra',
    'mail/fra-1@fra',
    'mail/ash-1@ash',
    'web/fra-2@fra',
  ];
  const targets = [
    [{ kind: 'glob', pattern: 'web/*' }, 'web/fra-1 web/sin-1 web/fra-2'],
    [{ kind: 'glob', pattern: 'web*/fra-*' }, 'web/fra-1 web-eu/fra-1 web/fra-2'],
    [{ kind: 'glob', pattern: '*/*-1' }, 'web/fra-1 web/sin-1 web-eu/fra-1 mail/fra-1 mail/ash-1'],
    [{ kind: 'glob', pattern: '*/*', dataCenter: '*s*' }, 'web/sin-1 mail/ash-1'],
    [{ kind: 'glob', pattern: 'web/*', dataCenter: 'f*' }, 'web/fra-1 web/fra-2'],
    [{ kind: 'glob', pattern: 'webs/*' }, ''],
    [{ kind: 'endpoint', pool: 'web', endpoint: 'fra-1' }, 'web/fra-1'],
    [{ kind: 'pool', pool: 'mail' }, 'mail/fra-1 mail/ash-1'],
    [{ kind: 'data-center', dataCenter: 'ash' }, 'mail/ash-1'],
  ] as const;

  it.each(targets)('%j', (target, want) => {
    const isAbout = aboutTarget(target);
    const found = keys.flatMap((text) => {
      const [, pool = '', endpoint = '', dataCenter = ''] = /^(.*)\/(.*)@(.*)$/.exec(text) ?? [];
      return isAbout({ pool, endpoint, dataCenter }) ? [`${pool}/${endpoint}`] : [];
    });
    expect(found.join(' ')).toBe(want);
  });
});
