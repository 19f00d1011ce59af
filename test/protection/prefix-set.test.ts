import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatPrefix } from '../../src/dns/address.ts';
import { addressNumber, type Prefix, parseExactPrefix, prefixHolds } from '../../src/geo/prefix.ts';
import {
  compilePrefixSet,
  holdsAddress,
  openPrefixSet,
  type PrefixSet,
} from '../../src/protection/prefix-set.ts';
import { addressOctets } from '../answer/world.ts';

function prefix(text: string): Prefix {
  const parsed = parseExactPrefix(text);
  if (parsed === undefined) throw new Error(`${text} is no prefix`);
  return parsed;
}

function setOf(inside: readonly string[], outside: readonly string[]): PrefixSet {
  return openPrefixSet(compilePrefixSet(inside.map(prefix), outside.map(prefix)));
}

function holds(set: PrefixSet, address: string): boolean {
  const octets = addressOctets(address);
  return holdsAddress(set, octets.length === 4 ? 4 : 6, octets);
}

describe('a prefix set', () => {
  const inside = ['192.0.2.0/24', '192.0.2.64/32', '198.51.100.0/24', '2001:db8::/32', '2001:db8:1:2::/64'];
  const outside = ['192.0.2.64/26', '2001:db8:1::/48', '203.0.113.0/24'];
  const set = setOf(inside, outside);
  const cases = [
    { address: '192.0.1.255', want: false },
    { address: '192.0.2.0', want: true },
    { address: '192.0.2.63', want: true },
    { address: '192.0.2.64', want: true },
    { address: '192.0.2.65', want: false },
    { address: '192.0.2.127', want: false },
    { address: '192.0.2.128', want: true },
    { address: '192.0.3.0', want: false },
    { address: '203.0.113.1', want: false },
    { address: '255.255.255.255', want: false },
    { address: '2001:db7:ffff:ffff:ffff:ffff:ffff:ffff', want: false },
    { address: '2001:db8::', want: true },
    { address: '2001:db8:1::1', want: false },
    { address: '2001:db8:1:2::1', want: true },
    { address: '2001:db8:1:3::', want: false },
    { address: '2001:db8:2::', want: true },
    { address: '2001:db9::', want: false },
    { address: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', want: false },
  ];
  it.each(cases)('says $want for $address', ({ address, want }) => {
    expect(holds(set, address)).toBe(want);
  });

  it('can be everybody but a few', () => {
    const most = setOf(['0.0.0.0/0', '::/0'], ['192.0.2.1/32']);
    expect(['0.0.0.0', '192.0.2.0', '255.255.255.255', '::'].map((address) => holds(most, address))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(holds(most, '192.0.2.1')).toBe(false);
  });

  it('can be nobody, and prefers to leave out', () => {
    expect(holds(setOf([], []), '192.0.2.1')).toBe(false);
    expect(holds(setOf(['192.0.2.0/24'], ['192.0.2.0/24']), '192.0.2.1')).toBe(false);
  });

  /** Few bits that differ, so that prefixes nest and touch. */
  const prefixes = (family: 4 | 6): fc.Arbitrary<Prefix[]> => {
    const bits = family === 4 ? 32 : 128;
    const one = fc
      .tuple(
        fc.integer({ min: 0, max: 15 }),
        fc.integer({ min: 0, max: 15 }),
        fc.integer({ min: 0, max: bits }),
      )
      .map(([top, low, length]): Prefix => {
        const address = (BigInt(top) << BigInt(bits - 4)) | BigInt(low);
        const free = BigInt(bits - length);
        return { family, start: (address >> free) << free, length };
      });
    return fc.array(one, { maxLength: 12 });
  };

  it.each([4, 6] as const)('agrees with a search for the longest prefix, family %d', (family) => {
    fc.assert(
      fc.property(
        prefixes(family),
        prefixes(family),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 16 })), {
          maxLength: 20,
        }),
        (first, second, points) => {
          const opened = openPrefixSet(compilePrefixSet(first, second));
          for (const [top, low] of points) {
            const octets = new Uint8Array(family === 4 ? 4 : 16);
            octets[0] = top << 4;
            octets[octets.length - 1] = low;
            const address = addressNumber(family, octets);
            const longest = (of: readonly Prefix[]): number =>
              Math.max(-1, ...of.filter((each) => prefixHolds(each, address)).map(({ length }) => length));
            const want = longest(first) > longest(second);
            if (holdsAddress(opened, family, octets) !== want)
              throw new Error(`${formatPrefix(octets, octets.length * 8)}: not ${want}`);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
