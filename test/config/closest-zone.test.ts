import { describe, expect, it } from 'vitest';
import { closestZone, parentName } from '../../src/config/closest-zone.ts';

describe('parentName', () => {
  const cases: readonly { given: string; want: string | undefined }[] = [
    { given: 'www.example.org.', want: 'example.org.' },
    { given: 'org.', want: '.' },
    { given: '.', want: undefined },
    { given: 'a\\.b.example.org.', want: 'example.org.' },
    { given: 'a\\\\.example.org.', want: 'example.org.' },
    { given: 'a\\046b.example.org.', want: 'example.org.' },
  ];
  for (const { given, want } of cases)
    it(`of ${given} is ${want}`, () => expect(parentName(given)).toBe(want));
});

describe('closestZone', () => {
  const zones = new Set(['example.org.', 'sub.example.org.']);
  const cases: readonly { given: string; want: string | undefined }[] = [
    { given: 'example.org.', want: 'example.org.' },
    { given: 'www.example.org.', want: 'example.org.' },
    { given: 'a.b.sub.example.org.', want: 'sub.example.org.' },
    { given: 'notexample.org.', want: undefined },
    { given: 'x\\.example.org.', want: undefined },
    { given: '.', want: undefined },
  ];
  for (const { given, want } of cases) {
    it(`of ${given} is ${want}`, () => expect(closestZone(given, (name) => zones.has(name))).toBe(want));
  }

  it('may be the root', () => expect(closestZone('www.example.org.', (name) => name === '.')).toBe('.'));
});
