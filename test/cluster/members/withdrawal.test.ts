import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  defaultMostWithdrawn,
  nextWithdrawal,
  WITHDRAWAL_NOTICE_MS,
  type Withdrawal,
  type WithdrawalPeer,
} from '../../../src/cluster/members/withdrawal.ts';

/** `a none, b! taken`: a peer's name, an exclamation mark where it cannot be reached, and its withdrawal. */
function peersOf(text: string): readonly WithdrawalPeer[] {
  return text === ''
    ? []
    : text.split(', ').map((peer) => {
        const [name = '', withdrawal = ''] = peer.split(' ');
        return {
          name: name.replace('!', ''),
          isConnected: !name.endsWith('!'),
          withdrawal: withdrawal as Withdrawal,
        };
      });
}

const table: readonly {
  readonly name: string;
  readonly peers: string;
  readonly before: Withdrawal;
  readonly atMost?: number;
  readonly wantedForMs?: number;
  readonly isWanted?: boolean;
  readonly want: Withdrawal;
}[] = [
  { name: 'a single node stays', peers: '', before: 'wanted', want: 'wanted' },
  { name: 'goes when the others have heard', peers: 'a none, c none', before: 'wanted', want: 'taken' },
  { name: 'waits until they have', peers: 'a none, c none', before: 'none', wantedForMs: 0, want: 'wanted' },
  { name: 'comes back without a reason', peers: 'a none', before: 'taken', isWanted: false, want: 'none' },
  { name: 'gives way to a smaller name', peers: 'a wanted, c none', before: 'wanted', want: 'wanted' },
  { name: 'goes before a greater name', peers: 'a none, c wanted', before: 'wanted', want: 'taken' },
  { name: 'stays while another is away', peers: 'a none, c taken', before: 'wanted', want: 'wanted' },
  { name: 'a peer that is lost counts', peers: 'a! none, c none', before: 'wanted', want: 'wanted' },
  { name: 'comes back when another is lost', peers: 'a none, c! none', before: 'taken', want: 'wanted' },
  { name: 'two at once: the greater comes back', peers: 'a taken, c none', before: 'taken', want: 'wanted' },
  { name: 'two at once: the smaller stays', peers: 'a none, c taken', before: 'taken', want: 'taken' },
  {
    name: 'never the last, whatever the bound',
    peers: 'a! none',
    before: 'wanted',
    atMost: 9,
    want: 'wanted',
  },
];

describe('nextWithdrawal', () => {
  for (const { name, peers, before, atMost, wantedForMs, isWanted, want } of table)
    it(name, () => {
      expect(
        nextWithdrawal({
          self: 'b',
          peers: peersOf(peers),
          isWanted: isWanted ?? true,
          wantedForMs: wantedForMs ?? WITHDRAWAL_NOTICE_MS,
          before,
          atMost: atMost ?? 1,
        }),
      ).toBe(want);
    });

  it('of nodes that see one another, some always serve, however they take turns', () => {
    const step = fc.record({ node: fc.nat({ max: 5 }), isWanted: fc.boolean() });
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 6 }), fc.array(step, { maxLength: 60 }), (count, steps) => {
        const names = ['a', 'b', 'c', 'd', 'e', 'f'].slice(0, count);
        const states: Withdrawal[] = names.map(() => 'none');
        for (const { node, isWanted } of steps) {
          const at = node % count;
          states[at] = nextWithdrawal({
            self: names[at] ?? '',
            peers: names.flatMap((name, index) =>
              index === at ? [] : [{ name, isConnected: true, withdrawal: states[index] ?? 'none' }],
            ),
            isWanted,
            wantedForMs: WITHDRAWAL_NOTICE_MS,
            before: states[at] ?? 'none',
            atMost: defaultMostWithdrawn(count),
          });
          const taken = states.filter((state) => state === 'taken').length;
          expect(taken).toBeLessThanOrEqual(defaultMostWithdrawn(count));
        }
      }),
    );
  });
});

it('the bound leaves most nodes', () => {
  expect([1, 2, 3, 5, 6, 12].map(defaultMostWithdrawn)).toEqual([0, 1, 1, 1, 2, 4]);
});
