import { describe, expect, it } from 'vitest';
import { takenAddresses } from '../../../src/node/takeover/taken-addresses.ts';
import { formatListenAddress, type ListenAddress } from '../../../src/server/listen-address.ts';

function addresses(text: string): readonly ListenAddress[] {
  return text
    .split(' ')
    .filter(Boolean)
    .map((word) => ({
      address: word.slice(0, word.lastIndexOf(':')),
      port: Number(word.slice(word.lastIndexOf(':') + 1)),
    }));
}

describe('where a successor listens', () => {
  const cases = [
    { name: 'where it was told to', wanted: '127.0.0.1:53', bound: '127.0.0.1:5300', want: '127.0.0.1:53' },
    {
      name: 'on the port that was found',
      wanted: '127.0.0.1:0',
      bound: '127.0.0.1:5300',
      want: '127.0.0.1:5300',
    },
    {
      name: 'on both of two',
      wanted: '127.0.0.1:0 127.0.0.1:0',
      bound: '127.0.0.1:1 127.0.0.1:2',
      want: '127.0.0.1:1 127.0.0.1:2',
    },
    {
      name: 'on a port of its own elsewhere',
      wanted: '127.0.0.2:0',
      bound: '127.0.0.1:5300',
      want: '127.0.0.2:0',
    },
    { name: 'on any port when nobody was there', wanted: '127.0.0.1:0', bound: '', want: '127.0.0.1:0' },
  ];
  it.each(cases)('$name', ({ wanted, bound, want }) => {
    expect(takenAddresses(addresses(wanted), addresses(bound)).map(formatListenAddress).join(' ')).toBe(want);
  });
});
