import { expect, it } from 'vitest';
import { strands } from '../../src/config/policy-reach.ts';
import { configOf, write } from './config-fixture.ts';

const nearest = { kind: 'nearest' };
const only = (...dataCenters: string[]) => ({ kind: 'order', dataCenters });
const failover = (...levels: object[]) => ({ kind: 'failover', levels });
const weighted = (...given: object[]) => ({
  kind: 'weighted',
  // biome-ignore lint/suspicious/noThenProperty: as the policy is written
  choices: given.map((choice) => ({ weight: 1, then: choice })),
});
const geo = (inEurope: object, otherwise?: object) => ({
  kind: 'geo',
  // biome-ignore lint/suspicious/noThenProperty: as the policy is written
  rules: [{ match: { continents: ['EU'] }, then: inEurope }],
  ...(otherwise === undefined ? {} : { otherwise }),
});
const named = (name: string) => ({ kind: 'policy', name });

/** `fra` is drained; who else is alive; whether some clients are left with it. */
const cases: readonly (readonly [string, object, readonly string[], boolean])[] = [
  ['all are ranked, and one is alive', nearest, ['sin'], false],
  ['all are ranked, and none is alive', nearest, [], true],
  ['only it is listed', only('fra'), ['sin'], true],
  ['it is listed with one that is alive', only('fra', 'sin'), ['sin'], false],
  ['it is not listed, and none of those is alive', only('sin'), ['ash'], false],
  ['only it is ranked by distance', { kind: 'nearest', dataCenters: ['fra'] }, ['sin'], true],
  ['a bias is no list', { kind: 'nearest', biasKm: { fra: 10 } }, ['sin'], false],
  ['a level behind it is alive', failover(only('fra'), nearest), ['sin'], false],
  ['no level is alive', failover(only('fra'), only('ash')), ['sin'], true],
  ['another choice is alive', weighted(only('fra'), only('sin')), ['sin'], false],
  ['a region is fenced in', geo(only('fra'), nearest), ['sin'], true],
  ['a region is fenced in elsewhere', geo(only('ash'), nearest), ['sin'], false],
  ['a region falls back on all', geo(failover(only('fra'), nearest), nearest), ['sin'], false],
  ['clients whom no rule matches get the next level', failover(geo(only('sin')), only('fra')), ['sin'], true],
  ['another policy is named', named('inner'), ['sin'], true],
];

it.each(cases)('%s: %s, alive %s', (_, rank, alive, want) => {
  const config = configOf(
    write('policies', { name: 'outer', rank }),
    write('policies', { name: 'inner', rank: only('fra') }),
  );
  expect(strands(config, 'outer', 'fra', new Set(alive))).toBe(want);
});

it('leaves nobody with it where there is no such policy, or one that names itself', () => {
  const config = configOf(write('policies', { name: 'loop', rank: named('loop') }));
  expect([strands(config, 'none', 'fra', new Set()), strands(config, 'loop', 'fra', new Set())]).toEqual([
    false,
    false,
  ]);
});
