import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SenderAddress } from '../../src/answer/respond.ts';
import { ClientCounts } from '../../src/server/client-counts.ts';
import { createSenderAddress, readSenderAddress } from '../../src/server/sender-address.ts';

function clientOf(text: string): SenderAddress {
  const client = createSenderAddress();
  if (!readSenderAddress(text, client)) throw new Error(`no address: ${text}`);
  return client;
}

describe('ClientCounts', () => {
  const pairs = [
    { name: 'one IPv4 address', given: ['192.0.2.1', '192.0.2.1'], want: 'one client' },
    { name: 'two IPv4 addresses', given: ['192.0.2.1', '192.0.2.2'], want: 'two clients' },
    {
      name: 'an IPv4 address and its mapped form',
      given: ['192.0.2.1', '::ffff:192.0.2.1'],
      want: 'one client',
    },
    { name: 'one /64', given: ['2001:db8::1', '2001:db8::ffff:1'], want: 'one client' },
    { name: 'two /64', given: ['2001:db8::1', '2001:db8:0:1::1'], want: 'two clients' },
    {
      name: 'an IPv6 address with the octets of an IPv4 one',
      given: ['::c000:201:0:0:0:1', '192.0.2.1'],
      want: 'two clients',
    },
  ] as const;
  it.each(pairs)('$name: $want', ({ given, want }) => {
    const counts = new ClientCounts(8);
    for (const text of given) counts.add(clientOf(text));
    expect(counts.countOf(clientOf(given[0])) === 2 ? 'one client' : 'two clients').toBe(want);
  });

  it('agrees with a map, whatever comes and goes', () => {
    const limit = 16;
    const steps = fc.array(fc.record({ last: fc.nat(40), what: fc.constantFrom('add', 'remove') }), {
      maxLength: 300,
    });
    fc.assert(
      fc.property(steps, (given) => {
        const counts = new ClientCounts(limit);
        const wanted = new Map<number, number>();
        for (const { last, what } of given) {
          const before = wanted.get(last) ?? 0;
          const client = clientOf(`192.0.2.${last}`);
          if (what === 'add' && (before > 0 || wanted.size < limit)) {
            counts.add(client);
            wanted.set(last, before + 1);
          } else if (what === 'remove') {
            counts.remove(client);
            if (before > 1) wanted.set(last, before - 1);
            else wanted.delete(last);
          }
        }
        for (let last = 0; last <= 40; last++)
          expect(counts.countOf(clientOf(`192.0.2.${last}`))).toBe(wanted.get(last) ?? 0);
      }),
    );
  });
});
