import { describe, expect, it } from 'vitest';
import { formatType, isMetaType, parseClass, parseType } from '../../src/dns/type.ts';

describe('parseType', () => {
  const cases = [
    { given: 'A', want: 1 },
    { given: 'aaaa', want: 28 },
    { given: 'TYPE28', want: 28 },
    { given: 'type65400', want: 65_400 },
    { given: 'HTTPS', want: 65 },
    { given: 'TYPE65535', want: 65_535 },
    { given: 'TYPE65536', want: undefined },
    { given: 'TYPE', want: undefined },
    { given: 'TYPE-1', want: undefined },
    { given: 'TYPE1x', want: undefined },
    { given: 'NOSUCH', want: undefined },
    { given: '', want: undefined },
  ];
  it.each(cases)('$given', ({ given, want }) => expect(parseType(given)).toBe(want));
});

it('formats mnemonics and numbers so that they read back', () => {
  for (let type = 0; type <= 65_535; type += 1) {
    if (parseType(formatType(type)) !== type) expect.unreachable(`type ${type}`);
  }
  expect(formatType(257)).toBe('CAA');
  expect(formatType(65_400)).toBe('TYPE65400');
});

it('knows classes', () => {
  expect(['IN', 'in', 'CLASS1', 'CH', 'HS', 'CLASS255', 'CLASS65536', 'X'].map(parseClass)).toEqual([
    1,
    1,
    1,
    3,
    4,
    255,
    undefined,
    undefined,
  ]);
});

it('knows what never stands in a zone', () => {
  expect([0, 1, 41, 127, 128, 255, 256, 65_400].map(isMetaType)).toEqual([
    true,
    false,
    true,
    false,
    true,
    true,
    false,
    false,
  ]);
});
