import { describe, expect, it } from 'vitest';
import { formatAddress, formatPrefix, normalise, parseAddress, parsePrefix } from '../../src/dns/address.ts';

describe('parseAddress and formatAddress', () => {
  const cases = [
    { given: '192.0.2.1', want: '192.0.2.1' },
    { given: '0.0.0.0', want: '0.0.0.0' },
    { given: '255.255.255.255', want: '255.255.255.255' },
    { given: '2001:DB8:0:0:0:0:0:1', want: '2001:db8::1' },
    { given: '::', want: '::' },
    { given: '::1', want: '::1' },
    { given: '1::', want: '1::' },
    // RFC 5952 section 4.2.2 and 4.2.3.
    { given: '2001:db8:0:1:1:1:1:1', want: '2001:db8:0:1:1:1:1:1' },
    { given: '2001:db8:0:0:1:0:0:1', want: '2001:db8::1:0:0:1' },
    { given: '2001:db8::1:1:1:1:1', want: '2001:db8:0:1:1:1:1:1' },
    { given: '::ffff:192.0.2.1', want: '::ffff:192.0.2.1' },
    { given: '::ffff:c000:201', want: '::ffff:192.0.2.1' },
    { given: '64:ff9b::192.0.2.33', want: '64:ff9b::c000:221' },
    { given: '1:2:3:4:5:6:192.0.2.1', want: '1:2:3:4:5:6:c000:201' },
    { given: '192.0.2', want: 'refused' },
    { given: '192.0.2.1.1', want: 'refused' },
    { given: '192.0.2.256', want: 'refused' },
    { given: '192.0.2.01', want: 'refused' },
    { given: '192.0.2.', want: 'refused' },
    { given: ' 192.0.2.1', want: 'refused' },
    { given: '1:2:3:4:5:6:7', want: 'refused' },
    { given: '1:2:3:4:5:6:7:8:9', want: 'refused' },
    { given: '1:2:3:4:5:6:7::8', want: 'refused' },
    { given: '1::2::3', want: 'refused' },
    { given: ':::', want: 'refused' },
    { given: ':1:2:3:4:5:6:7', want: 'refused' },
    { given: '12345::', want: 'refused' },
    { given: '192.0.2.1::', want: 'refused' },
    { given: '::192.0.2.1:1', want: 'refused' },
    { given: 'fe80::1%eth0', want: 'refused' },
    { given: '::g', want: 'refused' },
    { given: '', want: 'refused' },
  ];
  it.each(cases)('$given is $want', ({ given, want }) => {
    const address = parseAddress(given);
    expect(address === undefined ? 'refused' : formatAddress(address.octets)).toBe(want);
    if (address !== undefined) expect(address.octets).toHaveLength(address.family === 4 ? 4 : 16);
  });
});

describe('parsePrefix', () => {
  const cases = [
    { given: '192.0.2.0/24', want: '192.0.2.0/24' },
    { given: '192.0.2.255/25', want: '192.0.2.128/25' },
    { given: '0.0.0.0/0', want: '0.0.0.0/0' },
    { given: '192.0.2.1/32', want: '192.0.2.1/32' },
    { given: '2001:db8:ffff::/33', want: '2001:db8:8000::/33' },
    { given: '2001:db8::1/128', want: '2001:db8::1/128' },
    { given: '192.0.2.0/33', want: 'refused' },
    { given: '2001:db8::/129', want: 'refused' },
    { given: '192.0.2.0/', want: 'refused' },
    { given: '192.0.2.0/08', want: 'refused' },
    { given: '192.0.2.0', want: 'refused' },
    { given: '/24', want: 'refused' },
  ];
  it.each(cases)('$given is $want', ({ given, want }) => {
    const prefix = parsePrefix(given);
    expect(prefix === undefined ? 'refused' : formatPrefix(prefix.octets, prefix.length)).toBe(want);
  });
});

describe('normalise', () => {
  const cases = [
    { given: '::ffff:192.0.2.1', want: '4 192.0.2.1' },
    { given: '192.0.2.1', want: '4 192.0.2.1' },
    { given: '::192.0.2.1', want: '6 ::c000:201' },
    { given: '1::ffff:c000:201', want: '6 1::ffff:c000:201' },
    { given: '2001:db8::1', want: '6 2001:db8::1' },
  ];
  it.each(cases)('$given is $want', ({ given, want }) => {
    const address = parseAddress(given);
    if (address === undefined) return expect.unreachable(given);
    const { family, octets } = normalise(address);
    expect(`${family} ${formatAddress(octets)}`).toBe(want);
  });
});
