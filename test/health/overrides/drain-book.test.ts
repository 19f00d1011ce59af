import { expect, it } from 'vitest';
import { type Answering, createDrainBook, type DrainBook } from '../../../src/health/overrides/drain-book.ts';

const TTL_MS = 30;

/** `+a -b`: a may be answered, b may not. */
function endpoints(text: string): Answering[] {
  return text.split(' ').map((word) => ({ key: word.slice(1), pool: 'web', answered: word.startsWith('+') }));
}

function book(kept: ReadonlyMap<string, { leftAtMs: number; goneAtMs: number }> = new Map()): DrainBook {
  return createDrainBook(kept, (_, nowMs) => nowMs + TTL_MS);
}

const told = (drains: DrainBook, key: string): string => {
  const leave = drains.leaveOf(key);
  return leave === undefined ? 'answered' : `${leave.leftAtMs} to ${leave.goneAtMs}`;
};

it('counts from the last answer', () => {
  const drains = book();
  drains.follow(endpoints('+a +b'), 0);
  drains.turn(endpoints('-a'), 100);
  expect([told(drains, 'a'), told(drains, 'b')]).toEqual(['100 to 130', 'answered']);
});

it('goes on counting while nothing brings it back', () => {
  const drains = book();
  drains.follow(endpoints('+a'), 0);
  drains.turn(endpoints('-a'), 100);
  drains.turn(endpoints('-a'), 110);
  drains.follow(endpoints('-a +b'), 120);
  expect(told(drains, 'a')).toBe('100 to 130');
});

it('counts anew after a return, however short', () => {
  const drains = book();
  drains.follow(endpoints('-a'), 0);
  drains.turn(endpoints('+a'), 100);
  expect(told(drains, 'a')).toBe('answered');
  drains.turn(endpoints('-a'), 101);
  expect(told(drains, 'a')).toBe('101 to 131');
});

it('takes what it sees for the first time as answered until then', () => {
  const drains = book();
  drains.follow(endpoints('-a'), 50);
  expect(told(drains, 'a')).toBe('50 to 80');
});

it('goes on after a restart, but not for what has been back', () => {
  const kept = new Map([
    ['a', { leftAtMs: 10, goneAtMs: 40 }],
    ['b', { leftAtMs: 10, goneAtMs: 40 }],
  ]);
  const drains = book(kept);
  // A node follows its first configuration before it knows any endpoint.
  drains.follow([], 50);
  drains.follow(endpoints('-a +b'), 50);
  drains.turn(endpoints('-b'), 60);
  expect([told(drains, 'a'), told(drains, 'b')]).toEqual(['10 to 40', '60 to 90']);
});

it('tells once that the last answer has ended', () => {
  const drains = book();
  drains.follow(endpoints('+a +b +c'), 0);
  drains.turn(endpoints('-a -b'), 10);
  drains.turn(endpoints('-c'), 20);
  drains.turn(endpoints('+b'), 30);
  expect([39, 40, 41, 50].map((ms) => drains.takeGone(ms))).toEqual([[], ['a'], [], ['c']]);
});
