import { expect, it } from 'vitest';
import type { GuardRails } from '../../src/config/resources/pool.ts';
import { heldByRails, type RailedEndpoint } from '../../src/health/guard-rails.ts';
import type { Verdict } from '../../src/health/verdict.ts';

const letters: Readonly<Record<string, Verdict>> = { u: 'up', d: 'down', x: 'drained', '?': 'unknown' };

/**
 * `fra-a d2`: endpoint `a` of `fra`, down since 2; `u` up, `x` drained, `?` unknown. `!` taken out with break-glass,
 * `n` never up.
 */
function endpointOf(word: string): RailedEndpoint {
  const [name = '', state = ''] = word.split(' ');
  return {
    key: `web/${name}`,
    dataCenter: name.split('-')[0] ?? '',
    wanted: letters[state.charAt(0)] ?? 'unknown',
    wasUp: !state.includes('n'),
    fellAtMs: Number(/\d+/.exec(state)?.[0] ?? 0),
    breakGlass: state.includes('!'),
  };
}

const cases: readonly {
  readonly name: string;
  readonly rails: GuardRails;
  readonly given: readonly string[];
  readonly want: string;
}[] = [
  {
    name: 'nothing while enough are up',
    rails: { minimumUp: 2 },
    given: ['fra-a u', 'fra-b u', 'fra-c d1'],
    want: '',
  },
  {
    name: 'the one that fell last',
    rails: { minimumUp: 2 },
    given: ['fra-a u', 'fra-b d2', 'fra-c d1'],
    want: 'fra-b',
  },
  {
    name: 'as many as are missing',
    rails: { minimumUp: 2 },
    given: ['fra-a d1', 'fra-b d3', 'fra-c d2'],
    want: 'fra-b fra-c',
  },
  {
    name: 'the later key of one moment',
    rails: { minimumUp: 1 },
    given: ['fra-a d1', 'fra-b d1', 'fra-c d1'],
    want: 'fra-c',
  },
  { name: 'drained ones as well', rails: { minimumUp: 1 }, given: ['fra-a x1', 'fra-b x2'], want: 'fra-b' },
  { name: 'nothing that was never up', rails: { minimumUp: 2 }, given: ['fra-a u', 'fra-b dn9'], want: '' },
  { name: 'nothing unknown', rails: { minimumUp: 1 }, given: ['fra-a ?', 'fra-b ?'], want: '' },
  {
    name: 'nothing taken out with break-glass',
    rails: { minimumUp: 1 },
    given: ['fra-a d!2', 'fra-b d!1'],
    want: '',
  },
  {
    name: 'nobody else in its place',
    rails: { minimumUp: 2 },
    given: ['fra-a u', 'fra-b x!9', 'fra-c d1'],
    want: '',
  },
  {
    name: 'nothing while data centers may go',
    rails: { maxLostDataCenters: 1 },
    given: ['fra-a d1', 'sin-a u'],
    want: '',
  },
  {
    name: 'the data center lost last',
    rails: { maxLostDataCenters: 1 },
    given: ['fra-a d1', 'sin-a d2', 'nyc-a u'],
    want: 'sin-a',
  },
  {
    name: 'what a data center lost at one moment',
    rails: { maxLostDataCenters: 1 },
    given: ['fra-a d1', 'sin-a x5', 'sin-b x5', 'sin-c d2', 'nyc-a u'],
    want: 'sin-a sin-b',
  },
  {
    name: 'every data center',
    rails: { maxLostDataCenters: 0 },
    given: ['fra-a d1', 'sin-a d2'],
    want: 'fra-a sin-a',
  },
  {
    name: 'no data center that has one up',
    rails: { maxLostDataCenters: 0 },
    given: ['fra-a d1', 'fra-b u', 'sin-a u'],
    want: '',
  },
  {
    name: 'no second for one that break-glass took out',
    rails: { maxLostDataCenters: 1 },
    given: ['fra-a d1', 'sin-a x!2', 'nyc-a u'],
    want: '',
  },
  {
    name: 'both: what keeps a data center counts as up',
    rails: { minimumUp: 2, maxLostDataCenters: 1 },
    given: ['fra-a d1', 'sin-a d2', 'nyc-a u'],
    want: 'sin-a',
  },
];

it.each(cases)('holds $name', ({ rails, given, want }) => {
  const held = heldByRails(given.map(endpointOf), rails);
  expect(
    [...held.keys()]
      .map((key) => key.replace('web/', ''))
      .sort()
      .join(' '),
  ).toBe(want);
});
