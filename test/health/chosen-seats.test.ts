import { describe, expect, it } from 'vitest';
import { createSeatChoice } from '../../src/health/chosen-seats.ts';
import type { VantageSeat } from '../../src/health/consensus.ts';

/** `eu.a us.b asia.c!`: a node's region and name; with a mark, one that is away. */
function seatsOf(text: string): readonly VantageSeat[] {
  return text.split(' ').map((word) => {
    const [region = '', name = ''] = word.split('.');
    return name.endsWith('!') ? { name: name.slice(0, -1), region, away: true } : { name, region };
  });
}

const KEYS = Array.from({ length: 2000 }, (_, at) => `web/endpoint-${at}`);

function chosen(seats: readonly VantageSeat[], key: string, most = 3): readonly string[] {
  return createSeatChoice(seats)(key, most).map(({ name }) => name);
}

const nine = 'eu.a eu.b eu.c us.d us.e us.f asia.g asia.h asia.i';

describe('chosen seats', () => {
  it('are all of them where that is few enough, away or not', () => {
    const seats = seatsOf('eu.a us.b! asia.c!');
    expect(createSeatChoice(seats)('web/fra', 3)).toBe(seats);
  });

  it('are one of every region before a second of any', () => {
    for (const key of KEYS.slice(0, 200)) {
      const regions = createSeatChoice(seatsOf(nine))(key, 5).map(({ region }) => region);
      expect(new Set(regions.slice(0, 3)).size).toBe(3);
      expect(new Set(regions.slice(3)).size).toBe(2);
    }
  });

  it('are the same in whatever order the nodes are listed', () => {
    const seats = seatsOf(nine);
    for (const key of KEYS.slice(0, 200)) expect(chosen(seats.toReversed(), key)).toEqual(chosen(seats, key));
  });

  it('share the work evenly', () => {
    const counts = new Map<string, number>();
    const choice = createSeatChoice(seatsOf(nine));
    for (const key of KEYS)
      for (const { name } of choice(key, 3)) counts.set(name, (counts.get(name) ?? 0) + 1);
    const fair = (KEYS.length * 3) / 9;
    for (const count of counts.values()) expect(Math.abs(count - fair) / fair).toBeLessThan(0.15);
  });

  it('of a node that leaves go to one other each, and nobody else moves', () => {
    const before = seatsOf(nine);
    for (const gone of before) {
      const after = before.filter((seat) => seat !== gone);
      for (const key of KEYS.slice(0, 300)) {
        const [old, now] = [chosen(before, key, 4), chosen(after, key, 4)];
        const kept = old.filter((name) => name !== gone.name);
        expect(now.filter((name) => old.includes(name)).sort()).toEqual(kept.toSorted());
        expect(now.length).toBe(4);
      }
    }
  });

  it('of a node that is away go where they would if it left', () => {
    const away = seatsOf(nine.replace('us.d', 'us.d!'));
    const left = away.filter((seat) => seat.away !== true);
    for (const key of KEYS.slice(0, 300)) expect(chosen(away, key)).toEqual(chosen(left, key));
  });

  it('stay with the nodes that are away where half of all are', () => {
    const all = seatsOf('eu.a eu.b us.c us.d');
    const half = seatsOf('eu.a! eu.b! us.c us.d');
    for (const key of KEYS.slice(0, 100)) expect(chosen(half, key)).toEqual(chosen(all, key));
  });

  it('are filled up with those that are away when there are too few others', () => {
    const seats = seatsOf('eu.a eu.b eu.c us.d! us.e!');
    expect(chosen(seats, 'web/fra', 4)).toHaveLength(4);
    expect(chosen(seats, 'web/fra', 4).slice(0, 3).toSorted()).toEqual(['a', 'b', 'c']);
  });
});
