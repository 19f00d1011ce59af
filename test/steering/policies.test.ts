import { describe, expect, it } from 'vitest';
import type { ClientLocation } from '../../src/geo/location.ts';
import { continentCodes } from '../../src/steering/policies/geo.ts';
import { policyNodeSchema } from '../../src/steering/policies/index.ts';
import type { Program } from '../../src/steering/program.ts';
import { createRanking, describeRanking } from '../../src/steering/rank.ts';
import { dataCenters, places } from '../geo/table-of.ts';
import { choice, nearest, order, rule, weighted } from './policy-nodes.ts';

function client(fields: {
  readonly latitude?: number;
  readonly longitude?: number;
  readonly country?: string;
  readonly continent?: string;
  readonly subdivision?: string;
  readonly asn?: number;
  readonly prefixes?: readonly string[];
}): ClientLocation {
  const { latitude, longitude, ...rest } = fields;
  const coordinates = latitude === undefined || longitude === undefined ? undefined : { latitude, longitude };
  return { coordinates, country: '', continent: '', subdivision: '', asn: 0, prefixes: [], ...rest };
}

function told(program: Program): string {
  if (program.kind === 'data-center') return dataCenters[program.index]?.name ?? '?';
  if (program.kind === 'sequence') return program.parts.map(told).join(' ');
  return `(${program.choices.map((choice) => `${choice.weight}: ${told(choice.program)}`).join(' | ')})`;
}

function rank(policy: unknown, who: ClientLocation): string {
  return told(createRanking(policyNodeSchema.parse(policy), dataCenters)(who));
}

describe('nearest', () => {
  const cases: readonly { name: string; given: readonly [object, ClientLocation]; want: string }[] = [
    { name: 'from Paris', given: [{}, client(places.paris)], want: 'fra iad nrt' },
    { name: 'from Tokyo', given: [{}, client(places.tokyo)], want: 'nrt fra iad' },
    { name: 'a place unknown: by name', given: [{}, client({})], want: 'fra iad nrt' },
    { name: 'only some', given: [{ dataCenters: ['nrt', 'iad'] }, client(places.paris)], want: 'iad nrt' },
    {
      name: 'only some, place unknown',
      given: [{ dataCenters: ['nrt', 'iad'] }, client({})],
      want: 'iad nrt',
    },
    { name: 'pushed away', given: [{ biasKm: { fra: 20_000 } }, client(places.paris)], want: 'iad nrt fra' },
    { name: 'drawn near', given: [{ biasKm: { nrt: -20_000 } }, client(places.paris)], want: 'nrt fra iad' },
    {
      name: 'a bias too small to matter',
      given: [{ biasKm: { iad: -5_000 } }, client(places.paris)],
      want: 'fra iad nrt',
    },
  ];
  it.each(cases)('$name', ({ given: [node, who], want }) => {
    expect(rank({ kind: 'nearest', ...node }, who)).toBe(want);
  });

  it('ranks equally far data centers by name, whatever was ranked before', () => {
    const twins = ['d', 'b', 'c', 'a'].map((name, index) => ({
      index,
      name,
      latitude: 0,
      longitude: index * 90,
    }));
    const ranking = createRanking(policyNodeSchema.parse({ kind: 'nearest' }), twins);
    const names = (who: ClientLocation): string =>
      told(ranking(who)) && JSON.stringify(ranking(who)).replace(/\D+/g, '');
    const fromPole = names(client({ latitude: 90, longitude: 0 }));
    names(client({ latitude: 0, longitude: 89 }));
    expect(names(client({ latitude: 90, longitude: 0 }))).toBe(fromPole);
  });
});

describe('geo: the most specific match of all rules wins', () => {
  const policy = {
    kind: 'geo',
    rules: [
      rule({ continents: ['NA'] }, order('nrt')),
      rule({ countries: ['US'] }, order('iad')),
      rule({ subdivisions: ['US-CA'] }, order('iad', 'nrt')),
      rule({ asns: [64_500] }, order('fra', 'iad')),
      rule({ prefixes: ['192.0.2.0/24'] }, order('fra')),
      rule({ prefixes: ['192.0.2.128/25'], countries: ['JP'] }, order('fra', 'nrt')),
    ],
    otherwise: order('nrt', 'fra', 'iad'),
  };
  const cases: readonly { name: string; given: ClientLocation; want: string }[] = [
    { name: 'continent', given: client({ continent: 'NA', country: 'CA' }), want: 'nrt' },
    { name: 'country', given: client(places.newYork), want: 'iad' },
    { name: 'subdivision', given: client(places.california), want: 'iad nrt' },
    { name: 'AS number', given: client({ ...places.california, asn: 64_500 }), want: 'fra iad' },
    {
      name: 'prefix',
      given: client({ ...places.california, asn: 64_500, prefixes: ['192.0.2.0/24'] }),
      want: 'fra',
    },
    {
      name: 'the longer prefix',
      given: client({ ...places.california, prefixes: ['192.0.2.128/25', '192.0.2.0/24'] }),
      want: 'fra nrt',
    },
    { name: 'any criterion of a rule', given: client(places.tokyo), want: 'fra nrt' },
    {
      name: 'the same region of another country',
      given: client({ country: 'CA', subdivision: 'CA' }),
      want: 'nrt fra iad',
    },
    { name: 'otherwise', given: client(places.paris), want: 'nrt fra iad' },
    { name: 'unknown', given: client({}), want: 'nrt fra iad' },
    {
      name: 'a prefix of another node',
      given: client({ prefixes: ['198.51.100.0/24'] }),
      want: 'nrt fra iad',
    },
  ];
  it.each(cases)('$name', ({ given, want }) => {
    expect(rank(policy, given)).toBe(want);
  });

  it('ranks nothing where nothing matches and there is no otherwise', () => {
    const { otherwise: _, ...without } = policy;
    expect(rank(without, client({}))).toBe('');
  });
});

describe('explain', () => {
  it('tells what each node did, by the code that ranks', () => {
    const policy = policyNodeSchema.parse({
      kind: 'failover',
      levels: [
        { kind: 'geo', rules: [rule({ countries: ['FR'] }, { kind: 'nearest', biasKm: { fra: 250 } })] },
        weighted(choice(3, order('nrt')), choice(1, order('iad'))),
      ],
    });
    const steps = describeRanking(policy, client(places.paris), dataCenters);
    expect(steps.map((step) => `${step.kind}: ${step.detail}`)).toEqual([
      'failover: level 1 of 2: geo',
      'geo: rule 1 matches by country FR',
      'nearest: nearest first: fra 478 km + 250 km bias, iad 6190 km, nrt 9733 km',
      'failover: level 2 of 2: weighted',
      'weighted: choice 1, drawn first for 3 of 4: order',
      'order: as listed: nrt',
      'weighted: choice 2, drawn first for 1 of 4: order',
      'order: as listed: iad',
    ]);
    expect(steps[2]?.distances?.map((distance) => distance.dataCenter)).toEqual(['fra', 'iad', 'nrt']);
  });

  it('says when the place is unknown', () => {
    const [step] = describeRanking(policyNodeSchema.parse({ kind: 'nearest' }), client({}), dataCenters);
    expect(step?.detail).toContain('place is unknown');
  });
});

describe('schema', () => {
  const nested = (depth: number): unknown =>
    depth === 0 ? { kind: 'nearest' } : { kind: 'failover', levels: [nested(depth - 1)] };
  const cases: readonly { name: string; given: unknown; want: string }[] = [
    {
      name: 'all continents',
      given: { kind: 'geo', rules: [rule({ continents: continentCodes }, { kind: 'nearest' })] },
      want: 'good',
    },
    { name: 'an unknown kind', given: { kind: 'magic' }, want: 'kind' },
    { name: 'no kind', given: {}, want: 'kind' },
    { name: 'no object', given: 'nearest', want: '' },
    { name: 'an unknown field', given: { kind: 'nearest', bias: {} }, want: '' },
    {
      name: 'a bias beyond half the girth',
      given: { kind: 'nearest', biasKm: { fra: 20_001 } },
      want: 'biasKm/fra',
    },
    {
      name: 'a rule that matches by nothing',
      given: { kind: 'geo', rules: [rule({}, { kind: 'nearest' })] },
      want: 'rules/0/match',
    },
    { name: 'no rules', given: { kind: 'geo', rules: [] }, want: 'rules' },
    {
      name: 'a broken prefix, deep down',
      given: {
        kind: 'failover',
        levels: [{ kind: 'geo', rules: [rule({ prefixes: ['192.0.2.1/24'] }, { kind: 'nearest' })] }],
      },
      want: 'levels/0/rules/0/match/prefixes/0',
    },
    {
      name: 'a country in lower case',
      given: { kind: 'geo', rules: [rule({ countries: ['de'] }, { kind: 'nearest' })] },
      want: 'rules/0/match/countries/0',
    },
    {
      name: 'a negative weight',
      given: weighted(choice(-1, nearest)),
      want: 'choices/0/weight',
    },
    { name: 'no levels', given: { kind: 'failover', levels: [] }, want: 'levels' },
    { name: 'nesting without end', given: nested(5_000), want: '' },
  ];
  it.each(cases)('$name', ({ given, want }) => {
    const result = policyNodeSchema.safeParse(given);
    expect(result.success ? 'good' : result.error.issues[0]?.path.join('/')).toBe(want);
  });
});
