import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createBoard, type HealthBoard } from '../../src/health/board/board.ts';
import { createSeatChoice } from '../../src/health/chosen-seats.ts';
import { Observer } from '../health/observer.ts';
import { failure, success } from '../health/results.ts';
import { endpoint } from '../health/scene.ts';

// What a node hears when it is in touch with some of all nodes, as boards see it.

const limits = { rise: 1, fall: 1, expiryMs: 3500 };
const names = ['1', '2', '3', '4', '5', '6', '7', '8'] as const;

interface Given {
  readonly nodes: readonly string[];
  /** Those on the side of the board; never none. */
  readonly side: readonly string[];
  readonly failing: ReadonlySet<string>;
}

const given: fc.Arbitrary<Given> = fc
  .record({
    size: fc.integer({ min: 2, max: 12 }),
    apart: fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
    failing: fc.subarray([...names]),
  })
  .map(({ size, apart, failing }) => {
    const nodes = Array.from({ length: size }, (_, at) => `n${at}`);
    return { nodes, side: nodes.filter((_, at) => at === 0 || apart[at]), failing: new Set(failing) };
  });

function seatsOf(nodes: readonly string[], side: readonly string[]): Parameters<HealthBoard['setSeats']>[0] {
  return nodes.map((name, at) => {
    const region = `r${at % 3}`;
    return side.includes(name) ? { name, region } : { name, region, away: true };
  });
}

/** Boards of all nodes of the side: all was up and heard by all, then the side is alone, and some endpoints fail. */
function play({ nodes, side, failing }: Given): readonly HealthBoard[] {
  const endpoints = names.map((name, slot) => endpoint(name, slot));
  return side.map(() => {
    const observer = new Observer();
    const board = createBoard([], seatsOf(nodes, nodes));
    board.setEndpoints(endpoints, 0);
    probe(board, observer, nodes, seatsOf(nodes, nodes), new Set(), 0);
    board.setSeats(seatsOf(nodes, side), 5000);
    board.expire(5000);
    probe(board, observer, side, seatsOf(nodes, side), failing, 5000);
    return board;
  });
}

/** Every node probes its share. */
function probe(
  board: HealthBoard,
  observer: Observer,
  who: readonly string[],
  seats: ReturnType<typeof seatsOf>,
  failing: ReadonlySet<string>,
  nowMs: number,
): void {
  const choice = createSeatChoice(seats);
  for (const name of names)
    for (const vantage of who) {
      if (!choice(`web/${name}`, 5).some((seat) => seat.name === vantage)) continue;
      const result = failing.has(name) ? failure : success;
      board.observe(observer.observe(vantage, `web/${name}`, result, limits, nowMs), nowMs);
    }
}

it('more than half go on as if the others had left, half or fewer keep all that they knew and say so', () => {
  fc.assert(
    fc.property(given, (one) => {
      const isMost = one.side.length * 2 > one.nodes.length;
      for (const board of play(one)) {
        const verdicts = board.health().map(({ verdict }) => verdict);
        const expected = names.map((name) => (isMost && one.failing.has(name) ? 'down' : 'up'));
        expect(verdicts).toEqual(expected);
        const codes = board.problems().map(({ code }) => code);
        expect(codes.includes('cut-off')).toBe(!isMost);
        expect(board.health().every(({ basis }) => (basis === 'quorum') === isMost)).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});

it('no two sides ever both decide', () => {
  fc.assert(
    fc.property(given, (one) => {
      const other = one.nodes.filter((name) => !one.side.includes(name));
      if (other.length === 0) return;
      const sides = [one, { ...one, side: other }].map((side) =>
        play(side).some((board) => board.health().some(({ basis }) => basis === 'quorum')),
      );
      expect(sides).not.toEqual([true, true]);
    }),
    { numRuns: 200 },
  );
});

it('what changes nothing is counted as if everything were counted anew', () => {
  const steps = fc.array(
    fc.record({
      vantage: fc.constantFrom('n0', 'n1', 'n2'),
      name: fc.constantFrom(...names.slice(0, 4)),
      ok: fc.boolean(),
      afterMs: fc.integer({ min: 0, max: 1500 }),
      ageMs: fc.integer({ min: 0, max: 1000 }),
    }),
    { maxLength: 80 },
  );
  fc.assert(
    fc.property(steps, (observations) => {
      const seats = seatsOf(['n0', 'n1', 'n2'], ['n0', 'n1', 'n2']);
      const endpoints = names.map((name, slot) => endpoint(name, slot));
      const boards = [createBoard([], seats), createBoard([], seats)] as const;
      for (const board of boards) board.setEndpoints(endpoints, 0);
      const observer = new Observer();
      let nowMs = 10_000;
      for (const { vantage, name, ok, afterMs, ageMs } of observations) {
        nowMs += afterMs;
        const observation = observer.observe(vantage, `web/${name}`, ok ? success : failure, limits, nowMs);
        for (const board of boards) {
          board.expire(nowMs);
          board.observe(observation, nowMs, ageMs);
        }
        // New seats have all votes counted anew.
        boards[1].setSeats(seats, nowMs);
        expect(boards[0].health()).toEqual(boards[1].health());
      }
    }),
    { numRuns: 100 },
  );
});
