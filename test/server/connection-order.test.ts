import { describe, expect, it } from 'vitest';
import { ConnectionOrder } from '../../src/server/connection-order.ts';

/** Steps: `+3` comes up, `!3` brings a whole message, `-3` goes. Tells who goes, one after the other. */
function departures(steps: string, newest = -1): string {
  const order = new ConnectionOrder(10);
  for (const step of steps.split(' ').filter((text) => text !== '')) {
    const connection = Number(step.slice(1));
    if (step.startsWith('+')) order.add(connection);
    else if (step.startsWith('!')) order.prove(connection);
    else order.remove(connection);
  }
  const gone: number[] = [];
  for (let next = order.firstToGo(newest); next >= 0; next = order.firstToGo(newest)) {
    gone.push(next);
    order.remove(next);
  }
  return gone.join(' ');
}

describe('ConnectionOrder', () => {
  const cases = [
    { name: 'nobody is there', given: '', want: '' },
    { name: 'unproven ones go by age', given: '+3 +1 +2', want: '3 1 2' },
    { name: 'unproven ones go before proven ones', given: '+1 !1 +2 +3', want: '2 3 1' },
    { name: 'proven ones go by their latest message', given: '+1 +2 +3 !1 !2 !3 !1', want: '2 3 1' },
    { name: 'a message of the latest one changes nothing', given: '+1 +2 !1 !2 !2 !2', want: '1 2' },
    { name: 'the only proven one stays in its place', given: '+1 !1 !1', want: '1' },
    { name: 'those that went are gone', given: '+1 +2 +3 !2 -1 -2', want: '3' },
    { name: 'a number that comes again is new', given: '+1 !1 +2 !2 -1 +1', want: '1 2' },
  ];
  it.each(cases)('$name', ({ given, want }) => {
    expect(departures(given)).toBe(want);
  });

  it('spares the newest, as long as there is another', () => {
    expect(departures('+1 !1 +2', 2)).toBe('1');
    expect(departures('+1 +2 +3', 3)).toBe('1 2');
  });
});
