import { describe, expect, it } from 'vitest';
import { parseTtl } from '../../src/dns/ttl.ts';

describe('parseTtl', () => {
  const cases = [
    { given: '0', want: 0 },
    { given: '3600', want: 3600 },
    { given: '1h30m', want: 5400 },
    { given: '1W2D3H4M5S', want: 604_800 + 2 * 86_400 + 3 * 3600 + 4 * 60 + 5 },
    { given: '2147483647', want: 2_147_483_647 },
    { given: '2147483648', want: undefined },
    { given: '3551w', want: undefined },
    { given: '1h30', want: undefined },
    { given: 'h', want: undefined },
    { given: '-1', want: undefined },
    { given: '1.5', want: undefined },
    { given: '', want: undefined },
    { given: '9'.repeat(400), want: undefined },
  ];
  it.each(cases)('$given', ({ given, want }) => expect(parseTtl(given)).toBe(want));
});
