import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAddress } from '../../src/dns/address.ts';
import { createSenderAddress, readSenderAddress } from '../../src/server/sender-address.ts';

/** The family and the octets that count, or that it is no address. */
function read(text: string): string {
  const client = createSenderAddress();
  client.octets.fill(0xaa);
  if (!readSenderAddress(text, client)) return 'no address';
  return `${client.family} ${formatAddress(client.octets.slice(0, client.family === 4 ? 4 : 16))}`;
}

const cases = [
  { name: 'IPv4', given: '192.0.2.1', want: '4 192.0.2.1' },
  { name: 'highest IPv4', given: '255.255.255.255', want: '4 255.255.255.255' },
  { name: 'IPv6 with a gap', given: '2001:db8::1', want: '6 2001:db8::1' },
  { name: 'IPv6 whole', given: '2001:db8:1:2:3:4:5:6', want: '6 2001:db8:1:2:3:4:5:6' },
  { name: 'gap at the start', given: '::1', want: '6 ::1' },
  { name: 'gap at the end', given: '2001:db8::', want: '6 2001:db8::' },
  { name: 'only a gap', given: '::', want: '6 ::' },
  { name: 'upper case', given: '2001:DB8::AbCd', want: '6 2001:db8::abcd' },
  { name: 'zone index', given: 'fe80::1%eth0', want: '6 fe80::1' },
  { name: 'IPv4-mapped', given: '::ffff:192.0.2.7', want: '4 192.0.2.7' },
  { name: 'IPv4-mapped in hex', given: '::ffff:c000:207', want: '4 192.0.2.7' },
  { name: 'IPv4 tail that is not mapped', given: '64:ff9b::192.0.2.7', want: '6 64:ff9b::c000:207' },
  { name: 'empty', given: '', want: 'no address' },
  { name: 'a name', given: 'localhost', want: 'no address' },
  { name: 'three octets', given: '192.0.2', want: 'no address' },
  { name: 'five octets', given: '192.0.2.1.1', want: 'no address' },
  { name: 'octet of 256', given: '192.0.2.256', want: 'no address' },
  { name: 'octet of four digits', given: '192.0.2.0001', want: 'no address' },
  { name: 'nine groups', given: '1:2:3:4:5:6:7:8:9', want: 'no address' },
  { name: 'seven groups', given: '1:2:3:4:5:6:7', want: 'no address' },
  { name: 'two gaps', given: '1::2::3', want: 'no address' },
  { name: 'a gap that stands for nothing', given: '1:2:3:4::5:6:7:8', want: 'no address' },
  { name: 'group of five digits', given: '12345::', want: 'no address' },
  { name: 'single colon at the end', given: '1:2:3:4:5:6:7:', want: 'no address' },
  { name: 'not hex', given: '2001:dg8::', want: 'no address' },
];

describe('readSenderAddress', () => {
  it.each(cases)('$name', ({ given, want }) => {
    expect(read(given)).toBe(want);
  });

  it('reads back every address as text gives it', () => {
    const octets = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc
        .array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 })
        .map((list) => Uint8Array.from(list)),
    );
    fc.assert(
      fc.property(octets, (address) => {
        const text = formatAddress(address);
        const mapped = text.startsWith('::ffff:') && text.includes('.');
        const want = mapped ? `4 ${text.slice(7)}` : `${address.length === 4 ? 4 : 6} ${text}`;
        expect(read(text)).toBe(want);
      }),
    );
  });

  it('never throws', () => {
    const text = fc.string({ unit: fc.constantFrom(':', '.', '%', '0', '9', 'f', 'g'), maxLength: 50 });
    fc.assert(
      fc.property(text, (given) => {
        expect(read(given)).toMatch(/^(no address|[46] )/);
      }),
    );
  });
});
