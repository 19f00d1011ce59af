import { describe, expect, it } from 'vitest';
import { type ClientLocation, NOWHERE } from '../../src/geo/location.ts';
import { locate, openMap, programOf } from '../../src/geo/map.ts';
import { addressNumber, parseExactPrefix } from '../../src/geo/prefix.ts';
import { compileMap } from '../../src/steering/compile-map.ts';
import { fillMeasured, latencyTokenHashes, ranksByLatency } from '../../src/steering/fill-measured.ts';
import { groupKind, groupsOfClient, type MeasuredFigures } from '../../src/steering/measured.ts';
import { policyNodeSchema } from '../../src/steering/policies/index.ts';
import { describeRanking } from '../../src/steering/rank.ts';
import { runProgram } from '../../src/steering/run-program.ts';
import { addressOctets } from '../geo/mmdb-writer.ts';
import { dataCenters, places, tableOf } from '../geo/table-of.ts';
import { order, rule } from './policy-nodes.ts';

/** `group: fra 12, iad 90` for each row. */
function measured(...rows: readonly string[]): MeasuredFigures {
  const names = ['fra', 'iad', 'nrt'];
  const parsed = rows.map((row) => {
    const [group = '', list = ''] = row.split(/: /);
    return { group, figures: new Map(list.split(', ').map((pair) => pair.split(' ') as [string, string])) };
  });
  return {
    dataCenters: names,
    groups: parsed.map(({ group }) => group),
    milliseconds: parsed.flatMap(({ figures }) => names.map((name) => Number(figures.get(name) ?? 0))),
  };
}

function detail(figures: MeasuredFigures, client: Partial<ClientLocation>): string {
  const node = fillMeasured({ kind: 'latency' }, figures);
  return describeRanking(node, { ...NOWHERE, ...client }, dataCenters)
    .map((step) => step.detail)
    .join('; ');
}

const { paris, newYork, california } = places;

describe('ranking by latency', () => {
  const cases: readonly {
    readonly name: string;
    readonly rows: readonly string[];
    readonly client: Partial<ClientLocation>;
    readonly want: string;
  }[] = [
    {
      name: 'nothing is measured: distance',
      rows: [],
      client: { coordinates: paris },
      want: 'no group of the client has enough fresh measurements: by distance; nearest first: fra 478 km, iad 6190 km, nrt 9733 km',
    },
    {
      name: 'the prefix overrides distance',
      rows: ['192.0.2.0/24: fra 200, iad 90, nrt 300'],
      client: { coordinates: paris, prefixes: ['192.0.2.0/24'] },
      want: 'as measured for the prefix 192.0.2.0/24: iad 90.0 ms, fra 200.0 ms, nrt 300.0 ms',
    },
    {
      name: 'a prefix needs no place',
      rows: ['192.0.2.0/24: iad 90, nrt 80'],
      client: { prefixes: ['192.0.2.0/24'] },
      want: 'as measured for the prefix 192.0.2.0/24: nrt 80.0 ms, iad 90.0 ms, fra not measured',
    },
    {
      name: 'the prefix outranks the AS, and that the country',
      rows: ['192.0.2.0/24: fra 5, iad 90', 'AS64500: fra 300, iad 1', 'FR: fra 1, iad 1'],
      client: { coordinates: paris, asn: 64_500, country: 'FR', prefixes: ['192.0.2.0/24'] },
      want: 'as measured for the prefix 192.0.2.0/24: fra 5.0 ms, iad 90.0 ms, nrt 97.6 ms by distance',
    },
    {
      name: 'one data center is no comparison: the next wider group',
      rows: ['192.0.2.0/24: fra 5', 'AS64500: fra 300, iad 10'],
      client: { coordinates: paris, asn: 64_500, country: 'FR', prefixes: ['192.0.2.0/24'] },
      want: 'as measured for AS64500: iad 71.9 ms, nrt 107.3 ms by distance, fra 304.8 ms',
    },
    {
      name: 'a country with equal detours is as by distance: here on one coast',
      rows: ['US: fra 10, iad 10, nrt 10'],
      client: { coordinates: newYork, country: 'US' },
      want: 'as measured for the country US: iad 13.5 ms, fra 72.0 ms, nrt 118.1 ms',
    },
    {
      name: 'and there on the other',
      rows: ['US: fra 10, iad 10, nrt 10'],
      client: { coordinates: california, country: 'US' },
      want: 'as measured for the country US: iad 48.8 ms, nrt 92.2 ms, fra 101.3 ms',
    },
    {
      name: 'a detour moves those who were between',
      rows: ['US: fra 10, iad 80, nrt 10'],
      client: { coordinates: california, country: 'US' },
      want: 'as measured for the country US: nrt 92.2 ms, fra 101.3 ms, iad 118.8 ms',
    },
  ];
  it.each(cases)('$name', ({ rows, client, want }) => {
    expect(detail(measured(...rows), client)).toBe(want);
  });
});

describe('a map of measurements', () => {
  const table = tableOf([
    { from: '0.0.0.0', at: {} },
    { from: '192.0.0.0', at: { ...paris, asn: 64_500 } },
    { from: '198.0.0.0', at: california },
    { from: '::', at: {} },
    { from: '2001:db8::', at: paris },
  ]);
  const policy = policyNodeSchema.parse({
    kind: 'geo',
    rules: [rule({ prefixes: ['192.0.2.128/25'] }, order('nrt'))],
    otherwise: { kind: 'failover', levels: [{ kind: 'latency' }] },
  });

  function answers(figures: MeasuredFigures, address: string): string {
    const map = openMap(
      compileMap({ policy: fillMeasured(policy, figures), candidates: dataCenters }, table),
    );
    const octets = addressOctets(address);
    const leaf = locate(map, octets.length === 4 ? 4 : 6, octets);
    const run = new Uint16Array(8);
    const count = runProgram(map, programOf(leaf), { nextUint32: () => 0 }, run);
    const names = Array.from(run.subarray(0, count), (index) => dataCenters[index]?.name);
    return `${names.join(' ')} /${leaf & 0xff}`;
  }

  const figures = measured(
    '192.0.2.0/24: fra 200, iad 90, nrt 300',
    '2001:db8:5::/48: fra 70, iad 90, nrt 20',
    'AS64500: fra 5, iad 200, nrt 5',
  );

  it('answers as measured, with the scope that it was measured for', () => {
    expect(answers(figures, '192.0.2.1')).toBe('iad fra nrt /25');
    expect(answers(figures, '192.0.2.200')).toBe('nrt /25');
    expect(answers(figures, '192.0.3.1')).toMatch(/^fra nrt iad \/24$/);
    expect(answers(figures, '2001:db8:5::1')).toBe('nrt fra iad /48');
    expect(answers(figures, '2001:db8:6::1')).toMatch(/^fra iad nrt /);
    expect(answers(measured(), '192.0.2.1')).toMatch(/^fra iad nrt /);
  });
});

it('names the groups of a client, and their kinds', () => {
  const of = (address: string): readonly string[] => {
    const octets = addressOctets(address);
    return groupsOfClient(octets.length === 4 ? 4 : 6, octets, { asn: 64_500, country: 'AS' });
  };
  expect(of('192.0.2.77')).toEqual(['192.0.2.0/24', 'AS64500', 'AS']);
  expect(of('2001:db8:1:2::3')).toEqual(['2001:db8:1::/48', 'AS64500', 'AS']);
  expect(of('192.0.2.77').map(groupKind)).toEqual(['prefix', 'asn', 'country']);
  expect(groupsOfClient(4, addressOctets('192.0.2.1'), NOWHERE)).toEqual(['192.0.2.0/24']);
  // What a map is asked for must be the text that its rules have.
  for (const address of ['192.0.2.77', '2001:db8:1:2::3'])
    expect(parseExactPrefix(of(address)[0] ?? '')?.start).toBe(
      addressNumber(address.includes(':') ? 6 : 4, addressOctets(of(address)[0]?.split('/')[0] ?? '')),
    );
});

it('is found, with its tokens, wherever it stands in a tree', () => {
  const hash = 'ab'.repeat(32);
  const tree = policyNodeSchema.parse({
    kind: 'failover',
    levels: [
      { kind: 'order', dataCenters: ['fra'] },
      { kind: 'latency', tokenHash: hash },
      { kind: 'latency' },
    ],
  });
  expect(ranksByLatency(tree)).toBe(true);
  expect(ranksByLatency({ kind: 'nearest' })).toBe(false);
  expect(latencyTokenHashes(tree)).toEqual([hash]);
});
