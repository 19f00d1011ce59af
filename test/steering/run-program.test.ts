import { describe, expect, it } from 'vitest';
import { openMap } from '../../src/geo/map.ts';
import { compileMap } from '../../src/steering/compile-map.ts';
import { policyNodeSchema } from '../../src/steering/policies/index.ts';
import { runProgram } from '../../src/steering/run-program.ts';
import { tableOf } from '../geo/table-of.ts';
import { choice, order, rule } from './policy-nodes.ts';

const names = ['a', 'b', 'c', 'd'];
const candidates = names.map((name, index) => ({ index, name, latitude: 0, longitude: 0 }));

function mapOf(policy: unknown) {
  return openMap(compileMap({ policy: policyNodeSchema.parse(policy), candidates }, tableOf([])));
}

/** The order that draws give; a draw is a share of the range, 0 to 1. */
function run(policy: unknown, draws: readonly number[], room = 8): string {
  const map = mapOf(policy);
  const left = [...draws];
  const random = { nextUint32: () => Math.min(2 ** 32 - 1, Math.floor((left.shift() ?? 0) * 2 ** 32)) };
  const written = new Uint16Array(room);
  const count = runProgram(map, 0, random, written);
  return Array.from(written.subarray(0, count), (index) => names[index]).join(' ');
}

const threeOne = { kind: 'weighted', choices: [choice(3, order('a')), choice(1, order('b'))] };

const cases: readonly { name: string; given: Parameters<typeof run>; want: string }[] = [
  { name: 'an order', given: [order('c', 'a'), []], want: 'c a' },
  { name: 'an order drops names that are no candidates', given: [order('x', 'b', 'b'), []], want: 'b' },
  { name: 'an order stops when there is no room', given: [order('a', 'b', 'c'), [], 2], want: 'a b' },
  {
    name: 'failover names each data center once, where it comes first',
    given: [{ kind: 'failover', levels: [order('b', 'a'), order('a', 'c'), order('d', 'b')] }, []],
    want: 'b a c d',
  },
  { name: 'a low draw takes the first choice', given: [threeOne, [0]], want: 'a b' },
  { name: 'a draw just within its share', given: [threeOne, [0.749]], want: 'a b' },
  { name: 'a draw just past its share', given: [threeOne, [0.75]], want: 'b a' },
  { name: 'the highest draw', given: [threeOne, [1]], want: 'b a' },
  {
    name: 'the second draw is among those that remain',
    given: [
      { kind: 'weighted', choices: [choice(2, order('a')), choice(1, order('b')), choice(1, order('c'))] },
      [0, 0.5],
    ],
    want: 'a c b',
  },
  {
    name: 'weight 0 comes last, as it stands',
    given: [
      { kind: 'weighted', choices: [choice(0, order('a')), choice(0, order('b')), choice(5, order('c'))] },
      [0],
    ],
    want: 'c a b',
  },
  {
    name: 'weights within a level of failover',
    given: [{ kind: 'failover', levels: [order('d'), threeOne, order('a', 'c')] }, [0.9]],
    want: 'd b a c',
  },
  {
    name: 'weights within weights',
    given: [{ kind: 'weighted', choices: [choice(1, threeOne), choice(1, order('c'))] }, [0, 0.9]],
    want: 'b a c',
  },
  {
    name: 'choices that share data centers',
    given: [{ kind: 'weighted', choices: [choice(1, order('a', 'b')), choice(1, order('b', 'c'))] }, [0.9]],
    want: 'b c a',
  },
  {
    name: 'nothing to choose from',
    given: [{ kind: 'weighted', choices: [choice(1, order('x'))] }, [0]],
    want: '',
  },
];

it.each(cases)('$name', ({ given, want }) => {
  expect(run(...given)).toBe(want);
});

describe('many runs of one map', () => {
  it('draws in proportion to the weights', () => {
    const map = mapOf({
      kind: 'weighted',
      choices: [choice(6, order('a')), choice(3, order('b')), choice(1, order('c')), choice(0, order('d'))],
    });
    let state = 1;
    const random = {
      nextUint32: () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state;
      },
    };
    const first = [0, 0, 0, 0];
    const written = new Uint16Array(4);
    for (let at = 0; at < 10_000; at++) {
      expect(runProgram(map, 0, random, written)).toBe(4);
      const winner = written[0] ?? 0;
      first[winner] = (first[winner] ?? 0) + 1;
    }
    for (const [at, share] of [0.6, 0.3, 0.1, 0].entries())
      expect(Math.abs((first[at] ?? 0) / 10_000 - share), names[at]).toBeLessThan(0.02);
  });

  it('keeps its marks right when the count of runs wraps', () => {
    const map = mapOf(order('a', 'b'));
    map.run = 2 ** 32 - 2;
    const written = new Uint16Array(4);
    for (let at = 0; at < 4; at++) expect(runProgram(map, 0, { nextUint32: () => 0 }, written)).toBe(2);
  });
});

it('gives equal programs one number', () => {
  const geo = {
    kind: 'geo',
    rules: [
      rule({ countries: ['FR'] }, order('a', 'b')),
      rule({ countries: ['DE'] }, { kind: 'failover', levels: [order('a'), order('b')] }),
    ],
    otherwise: { kind: 'weighted', choices: [choice(7, order('a', 'b'))] },
  };
  const table = tableOf([
    { from: '0.0.0.0', at: { country: 'FR' } },
    { from: '10.0.0.0', at: { country: 'DE' } },
    { from: '11.0.0.0', at: {} },
  ]);
  const map = openMap(compileMap({ policy: policyNodeSchema.parse(geo), candidates }, table));
  expect(map.programCount).toBe(1);
});
