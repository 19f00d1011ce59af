import { describe, expect, it } from 'vitest';
import { sourceAddressFor } from '../../src/cluster/transport/mesh/source-address.ts';

const cases = [
  { name: 'one address', listen: '192.0.2.1', peer: '198.51.100.7', want: '192.0.2.1' },
  { name: 'one IPv6 address', listen: '2001:db8::1', peer: '2001:db8::2', want: '2001:db8::1' },
  { name: 'loopback to loopback', listen: '127.0.2.1', peer: '127.0.2.3', want: '127.0.2.1' },
  { name: 'all addresses', listen: '0.0.0.0', peer: '198.51.100.7', want: undefined },
  { name: 'all IPv6 addresses', listen: '::', peer: '2001:db8::2', want: undefined },
  { name: 'a name', listen: 'localhost', peer: '127.0.0.1', want: undefined },
  { name: 'the other family', listen: '192.0.2.1', peer: '2001:db8::2', want: undefined },
  { name: 'loopback to the world', listen: '127.0.0.1', peer: '198.51.100.7', want: undefined },
  { name: 'the world to loopback', listen: '192.0.2.1', peer: '127.0.0.1', want: undefined },
  { name: 'a link-local address', listen: 'fe80::1', peer: 'fe80::2', want: undefined },
];

describe('where calls to peers leave from', () => {
  for (const { name, listen, peer, want } of cases)
    it(name, () => expect(sourceAddressFor(listen, peer)).toBe(want));
});
