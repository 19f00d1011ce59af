import { describe, expect, it } from 'vitest';
import { addressNumber, parseExactPrefix, prefixHolds } from '../../src/geo/prefix.ts';
import { addressOctets } from './mmdb-writer.ts';

describe('parseExactPrefix', () => {
  const cases: readonly { name: string; given: string; want: string }[] = [
    { name: 'IPv4', given: '192.0.2.0/24', want: '4 c0000200/24' },
    { name: 'all of IPv4', given: '0.0.0.0/0', want: '4 0/0' },
    { name: 'one IPv4 address', given: '192.0.2.7/32', want: '4 c0000207/32' },
    { name: 'IPv6', given: '2001:db8::/32', want: '6 20010db8000000000000000000000000/32' },
    { name: 'upper case', given: '2001:DB8::/32', want: '6 20010db8000000000000000000000000/32' },
    { name: 'all of IPv6', given: '::/0', want: '6 0/0' },
    { name: 'one IPv6 address', given: '2001:db8::1/128', want: '6 20010db8000000000000000000000001/128' },
    { name: 'without ::', given: '2001:db8:0:0:0:0:0:0/32', want: '6 20010db8000000000000000000000000/32' },
    { name: 'IPv4-mapped means IPv4', given: '::ffff:192.0.2.0/120', want: '4 c0000200/24' },
    { name: 'bits past the length', given: '192.0.2.7/24', want: 'none' },
    { name: 'bits past the length, IPv6', given: '2001:db8::1/64', want: 'none' },
    { name: 'no length', given: '192.0.2.0', want: 'none' },
    { name: 'too long', given: '192.0.2.0/33', want: 'none' },
    { name: 'too long, IPv6', given: '2001:db8::/129', want: 'none' },
    { name: 'two lengths', given: '192.0.2.0/24/24', want: 'none' },
    { name: 'leading zero', given: '192.0.02.0/24', want: 'none' },
    { name: 'leading zero of the length', given: '10.0.0.0/08', want: 'none' },
    { name: 'IPv4 before ::', given: '1.2.3.4::/32', want: 'none' },
    { name: 'octet of 256', given: '192.0.256.0/24', want: 'none' },
    { name: 'two ::', given: '2001::db8::/32', want: 'none' },
    { name: 'too many groups', given: '1:2:3:4:5:6:7:8:9/128', want: 'none' },
    { name: ':: for nothing', given: '1:2:3:4:5:6:7::8/128', want: 'none' },
    { name: 'too few groups', given: '2001:db8/32', want: 'none' },
    { name: 'a zone index', given: 'fe80::%1/64', want: 'none' },
    { name: 'empty', given: '', want: 'none' },
  ];
  it.each(cases)('$name: $given', ({ given, want }) => {
    const prefix = parseExactPrefix(given);
    expect(
      prefix === undefined ? 'none' : `${prefix.family} ${prefix.start.toString(16)}/${prefix.length}`,
    ).toBe(want);
  });
});

describe('prefixHolds', () => {
  const cases: readonly { name: string; given: readonly [string, string]; want: boolean }[] = [
    { name: 'first', given: ['192.0.2.0/24', '192.0.2.0'], want: true },
    { name: 'last', given: ['192.0.2.0/24', '192.0.2.255'], want: true },
    { name: 'next', given: ['192.0.2.0/24', '192.0.3.0'], want: false },
    { name: 'everything', given: ['0.0.0.0/0', '255.255.255.255'], want: true },
    { name: 'IPv6', given: ['2001:db8::/32', '2001:db8:ffff::1'], want: true },
    { name: 'IPv6 beside', given: ['2001:db8::/32', '2001:db9::'], want: false },
  ];
  it.each(cases)('$name', ({ given: [text, address], want }) => {
    const prefix = parseExactPrefix(text);
    const octets = addressOctets(address);
    const number = addressNumber(octets.length === 4 ? 4 : 6, octets);
    expect(prefix !== undefined && prefixHolds(prefix, number)).toBe(want);
  });
});
