import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MAX_AGAIN } from '../../../src/cluster/health/again.ts';
import type { PeerSession } from '../../../src/cluster/transport/transport.ts';
import { hashText } from '../../../src/health/text-hash.ts';
import { type Node, World } from './exchange-world.ts';

// A peer has proved who it is, and says whatever it likes.

const GOOD_ROW: readonly unknown[] = [
  ...[7, 'web/1', hashText('192.0.2.0'), 5, 1, 1000, 3, 0, null, null],
  ...[true, 'ok', 'fine', 2.5, { status: 200 }, [1, 2, 3], null],
];

const session: PeerSession = {
  peer: 'evil',
  version: '0',
  protocol: 1,
  send: () => true,
  waitingOctets: 0,
  roundTripMs: undefined,
  certificateSerial: '01',
  certificateExpiresAtMs: 0,
  close: () => undefined,
};

function hear(...values: readonly unknown[]): Node {
  const node = new World(['a', 'evil']).node('a');
  node.exchange.onUp(session);
  for (const value of values) node.exchange.onFrame(session, value);
  return node;
}

function observations(rows: unknown, again: unknown = new Uint8Array(), againAgeMs: unknown = 0): unknown {
  return { kind: 'observations', rows, again, againAgeMs };
}

function rowWith(at: number, value: unknown): readonly unknown[] {
  return GOOD_ROW.map((before, index) => (index === at ? value : before));
}

it('a good row is read', () => {
  const node = hear(observations([GOOD_ROW], Uint8Array.of(7)));
  expect(node.saidOf('1')).toBe('evil up');
  expect(node.exchange.counters()).toMatchObject({ rows: 1, again: 1, refused: 0, strange: 0 });
});

it('a row of a newer version, which has more, and a reason that is not known here, is read', () => {
  const node = hear(observations([[...rowWith(11, 'quantum-flux'), 'more']]));
  expect(node.arrivals[0]?.observation.result.reason).toBe('ok');
});

const columns: readonly (readonly [number, unknown])[] = [
  ...[0, 2, 3, 5, 6, 7, 8, 9, 13].flatMap((at): (readonly [number, unknown])[] => [
    [at, -1],
    [at, Number.NaN],
    [at, 1e300],
    [at, '5'],
    [at, {}],
  ]),
  [1, 5],
  [1, 'x'.repeat(500)],
  [4, 3],
  [4, '1'],
  [4, null],
  [10, 1],
  [11, 4],
  [12, null],
  [12, 'x'.repeat(10_000)],
  [14, []],
  [14, new Uint8Array(3)],
  [14, { a: {} }],
  [14, { a: 'x'.repeat(10_000) }],
  [14, { ['x'.repeat(100)]: 1 }],
  [14, Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`e${at}`, at]))],
  [15, 1],
  [15, [1, 2]],
  [15, [1, 2, Number.NaN]],
  [16, [1e300, 1, 1]],
  [16, [1, 'x', 1]],
  [16, {}],
];

it.each(columns)(
  'a row with column %i as %j is refused, and the others of its frame are not',
  (at, value) => {
    const good = GOOD_ROW.with(0, 8).with(1, 'web/2').with(2, hashText('192.0.2.1'));
    const node = hear(observations([rowWith(at, value), good]));
    expect([node.exchange.counters().refused, node.saidOf('1'), node.saidOf('2')]).toEqual([
      1,
      '',
      'evil up',
    ]);
  },
);

it('repeats are bounded, and only of what was told', () => {
  const none = hear(observations([], Uint8Array.of(1, 1, 1)));
  expect([none.arrivals.length, none.exchange.counters().again]).toEqual([0, 0]);
  const zero = hear(observations([GOOD_ROW], Uint8Array.of(7, 0, 0, 0)));
  expect(zero.exchange.counters()).toMatchObject({ again: 1, refused: 1 });
  // No date goes back so far: whoever writes one would throw.
  const ancient = hear(observations([GOOD_ROW], Uint8Array.of(7), 1e300));
  expect(ancient.exchange.counters()).toMatchObject({ again: 0, refused: 1 });
  const many = hear(observations([GOOD_ROW], new Uint8Array(4 * MAX_AGAIN + 1).fill(1)));
  expect(many.exchange.counters()).toMatchObject({ again: 0, refused: 1 });
});

it('sources that nobody knows are kept within bounds, and found when they are known', () => {
  const rows = Array.from({ length: 4000 }, (_, at) => GOOD_ROW.with(0, 100 + at).with(1, `junk/${at}`));
  const node = hear(observations(rows), observations(rows), observations([GOOD_ROW]));
  expect(node.exchange.counters()).toMatchObject({ rows: 2001, strange: 8000, refused: 0 });
  node.exchange.setSources(new Map(rows.map((row) => [String(row[1]), '192.0.2.0'])));
  expect(node.arrivals.length).toBe(1001);
});

it('one key under many numbers is one source', () => {
  const rows = Array.from({ length: 1000 }, (_, at) => GOOD_ROW.with(0, 1 + at));
  const node = hear(observations(rows, new Uint8Array(1000).fill(1)));
  expect(node.exchange.counters()).toMatchObject({ rows: 1000, again: 1 });
});

it('whatever a frame holds, nothing is thrown, and nobody is spoken for but the peer', () => {
  const row = fc.oneof(
    fc.anything(),
    fc.tuple(fc.nat(GOOD_ROW.length - 1), fc.anything()).map(([at, value]) => rowWith(at, value)),
  );
  const value = fc.oneof(
    fc.anything(),
    fc.record({
      kind: fc.constantFrom('observations', 'live', 'other'),
      rows: fc.oneof(fc.anything(), fc.array(row)),
      again: fc.oneof(fc.anything(), fc.uint8Array()),
      againAgeMs: fc.oneof(fc.anything(), fc.nat()),
    }),
  );
  fc.assert(
    fc.property(fc.array(value), (values) => {
      const node = hear(...values);
      for (const { observation } of node.arrivals) {
        expect([observation.vantage, observation.key]).toEqual([
          'evil',
          expect.stringMatching(/^web\/[1-4]$/),
        ]);
        expect(Number.isNaN(new Date(observation.sinceMs).getTime())).toBe(false);
      }
      node.board.health();
    }),
    { numRuns: 300 },
  );
});
