import { describe, expect, it } from 'vitest';
import {
  formatName,
  isSubdomain,
  labelCount,
  lowercaseName,
  NO_ORIGIN,
  namesEqual,
  parseName,
  wireNameLength,
} from '../../src/dns/name.ts';
import { wire } from './wire.ts';

const label63 = 'a'.repeat(63);
/** 4 labels of 61 + 1 + ... fill a name to exactly 255 octets: 3 * 64 + 62 + 1. */
const name255 = `${label63}.${label63}.${label63}.${'b'.repeat(61)}`;

/** Hex of the wire form, or the problem's sentence. */
function parse(text: string, origin?: Uint8Array): string {
  const name = parseName(text, origin);
  return name.ok ? Buffer.from(name.value).toString('hex') : (name.problems[0]?.message ?? '');
}

describe('parseName', () => {
  const org = wire('org.');
  const cases: readonly { name: string; given: string; origin?: Uint8Array; want: string }[] = [
    { name: 'the root', given: '.', want: '00' },
    { name: 'an absolute name', given: 'a.bc.', want: '0161026263' + '00' },
    { name: 'no origin: the final dot may be left out', given: 'a.bc', want: '0161026263' + '00' },
    { name: 'case is kept', given: 'A.', want: '0141' + '00' },
    { name: 'relative to an origin', given: 'a', origin: org, want: '0161036f726700' },
    { name: 'absolute in spite of an origin', given: 'a.', origin: org, want: '016100' },
    { name: 'the origin itself', given: '@', origin: org, want: '036f726700' },
    { name: 'an escaped at sign is a label', given: '\\@', origin: org, want: '0140036f726700' },
    { name: 'an at sign without an origin is a label', given: '@', want: '014000' },
    { name: 'an escaped dot', given: 'a\\.b.', want: '03612e6200' },
    {
      name: 'an escaped final dot leaves the name relative',
      given: 'a\\.',
      origin: org,
      want: '02612e036f726700',
    },
    { name: 'decimal escapes, zero and 255', given: '\\000\\255.', want: '0200ff00' },
    { name: 'the longest label', given: label63, want: `3f${'61'.repeat(63)}00` },
    { name: 'a label too long', given: `${label63}a`, want: 'has a label of more than 63 octets' },
    { name: 'a name too long', given: `${name255}b`, want: 'is longer than 255 octets' },
    {
      name: 'a name too long by its origin',
      given: name255,
      origin: org,
      want: 'with the origin org. is longer',
    },
    { name: 'empty', given: '', want: 'is empty' },
    { name: 'two dots', given: 'a..b', want: 'has an empty label' },
    { name: 'a leading dot', given: '.a', want: 'has an empty label' },
    { name: 'an escape past 255', given: '\\256.', want: 'has a bad escape' },
    { name: 'an escape cut short', given: 'a\\', want: 'has a bad escape' },
    { name: 'two digits are no escape', given: '\\12', want: 'has a bad escape' },
    { name: 'a blank', given: 'a b', want: 'write it as \\032' },
    { name: 'non-ASCII', given: 'b\u00fccher.example.org', want: 'A-label form (xn--...)' },
    { name: 'relative without $ORIGIN', given: 'www', origin: NO_ORIGIN, want: 'no $ORIGIN is set' },
    { name: '@ without $ORIGIN', given: '@', origin: NO_ORIGIN, want: 'needs an $ORIGIN' },
  ];
  it.each(cases)('$name', ({ given, origin, want }) => {
    const got = parse(given, origin);
    if (/^[0-9a-f]+$/.test(want)) expect(got).toBe(want);
    else expect(got).toContain(want);
  });

  it('takes 255 octets', () => {
    expect(wire(name255)).toHaveLength(255);
    expect(wire(`${name255}.`)).toHaveLength(255);
  });

  it('gives every call its own octets', () => {
    const first = wire('first.example.org');
    wire('second.example.org');
    expect(formatName(first)).toBe('first.example.org.');
  });
});

describe('formatName', () => {
  const cases = [
    { name: 'the root', given: Uint8Array.of(0), want: '.' },
    { name: 'case is kept', given: wire('WWW.Example.org'), want: 'WWW.Example.org.' },
    {
      name: 'what zone files give a meaning',
      given: Uint8Array.of(8, ...Buffer.from('".;()@$\\'), 0),
      want: '\\"\\.\\;\\(\\)\\@\\$\\\\.',
    },
    {
      name: 'what is not printable',
      given: Uint8Array.of(4, 0, 32, 127, 255, 0),
      want: '\\000\\032\\127\\255.',
    },
  ];
  it.each(cases)('$name', ({ given, want }) => expect(formatName(given)).toBe(want));
});

describe('comparison', () => {
  const cases = [
    { name: 'case does not count', a: 'WWW.Example.ORG', b: 'www.eXample.org', equal: true, below: true },
    { name: 'only ASCII letters fold', a: '\\193.org', b: '\\225.org', equal: false, below: false },
    { name: 'brackets are no letters', a: '[.org', b: '{.org', equal: false, below: false },
    { name: 'below', a: 'www.example.org', b: 'Example.Org', equal: false, below: true },
    { name: 'above', a: 'example.org', b: 'www.example.org', equal: false, below: false },
    { name: 'same text, other labels', a: 'badexample.org', b: 'example.org', equal: false, below: false },
    // The octets of the apex stand at the end of the name, but inside its first label.
    { name: 'an apex inside a label', a: 'a\\003org.', b: 'org.', equal: false, below: false },
    { name: 'everything is below the root', a: 'org', b: '.', equal: false, below: true },
    { name: 'the root', a: '.', b: '.', equal: true, below: true },
  ];
  it.each(cases)('$name', ({ a, b, equal, below }) => {
    expect(namesEqual(wire(a), wire(b))).toBe(equal);
    expect(isSubdomain(wire(a), wire(b))).toBe(below);
  });
});

it('lowercases ASCII only', () => {
  expect(formatName(lowercaseName(wire('ABC[\\193.Org')))).toBe('abc[\\193.org.');
});

it('counts labels without the root', () => {
  expect(['.', 'org', 'www.example.org', 'a\\.b.org'].map((text) => labelCount(wire(text)))).toEqual([
    0, 1, 3, 2,
  ]);
});

describe('wireNameLength', () => {
  const cases = [
    { name: 'the root', given: '00', offset: 0, want: 1 },
    { name: 'at an offset, with more behind', given: 'ffff016100ff', offset: 2, want: 3 },
    { name: 'no root', given: '0161', offset: 0, want: -1 },
    { name: 'a label past the end', given: '0561', offset: 0, want: -1 },
    { name: 'a pointer', given: 'c000', offset: 0, want: -1 },
    { name: 'past the end', given: '00', offset: 1, want: -1 },
    { name: 'empty', given: '', offset: 0, want: -1 },
    { name: 'more than 255 octets', given: `${`3f${'61'.repeat(63)}`.repeat(4)}00`, offset: 0, want: -1 },
  ];
  it.each(cases)('$name', ({ given, offset, want }) => {
    expect(wireNameLength(Buffer.from(given, 'hex'), offset)).toBe(want);
  });
});
