import { describe, expect, it } from 'vitest';
import { type GeoMap, locate, openMap, prefixLengthOf, programOf } from '../../src/geo/map.ts';
import { compileMap } from '../../src/steering/compile-map.ts';
import { policyNodeSchema } from '../../src/steering/policies/index.ts';
import { runProgram } from '../../src/steering/run-program.ts';
import { addressOctets } from '../geo/mmdb-writer.ts';
import { dataCenters, places, tableOf } from '../geo/table-of.ts';
import { order, rule } from './policy-nodes.ts';

const table = tableOf([
  { from: '0.0.0.0', at: places.paris },
  { from: '10.0.0.0', at: places.tokyo },
  { from: '10.128.0.0', at: places.newYork },
  { from: '11.0.0.0', at: {} },
  { from: '2001:db8::', at: places.tokyo },
  { from: '2001:db8:1::', at: places.paris },
  { from: '2001:db9::', at: {} },
]);

function compile(policy: unknown): GeoMap {
  return openMap(compileMap({ policy: policyNodeSchema.parse(policy), candidates: dataCenters }, table));
}

/** The order for an address, and the widest prefix it holds on: `fra nrt iad /4`. */
function ask(map: GeoMap, address: string): string {
  const octets = addressOctets(address);
  const leaf = locate(map, octets.length === 4 ? 4 : 6, octets);
  const written = new Uint16Array(8);
  const count = runProgram(map, programOf(leaf), { nextUint32: () => 0 }, written);
  const names = Array.from(written.subarray(0, count), (index) => dataCenters[index]?.name);
  return [...names, `/${prefixLengthOf(leaf)}`].join(' ');
}

describe('nearest', () => {
  const map = compile({ kind: 'nearest' });
  const cases: readonly { name: string; given: string; want: string }[] = [
    { name: 'Paris, up to the first edge', given: '1.2.3.4', want: 'fra iad nrt /5' },
    { name: 'Paris, the half beside it', given: '9.255.255.255', want: 'fra iad nrt /7' },
    { name: 'Tokyo', given: '10.0.0.0', want: 'nrt fra iad /9' },
    { name: 'New York', given: '10.128.0.0', want: 'iad fra nrt /9' },
    { name: 'unknown ranks by name', given: '11.0.0.0', want: 'fra iad nrt /8' },
    { name: 'IPv6 Tokyo', given: '2001:db8::1', want: 'nrt fra iad /48' },
    { name: 'IPv6 Paris ranks as the unknown place does', given: '2001:db8:1::1', want: 'fra iad nrt /48' },
    { name: 'IPv6 unknown', given: '2001:db9::1', want: 'fra iad nrt /32' },
  ];
  it.each(cases)('$name', ({ given, want }) => {
    expect(ask(map, given)).toBe(want);
  });
});

describe('prefix rules cut finer than the table', () => {
  const map = compile({
    kind: 'geo',
    rules: [
      rule({ prefixes: ['10.1.0.0/16', '2001:db8:0:7::/64'] }, order('iad')),
      rule({ prefixes: ['10.1.2.3/32', '2001:db8:0:7::1/128'] }, order('fra')),
      rule({ countries: ['JP'] }, order('nrt')),
    ],
  });
  const cases: readonly { name: string; given: string; want: string }[] = [
    { name: 'in the outer rule', given: '10.1.3.0', want: 'iad /24' },
    { name: 'in the outer rule, beside the inner', given: '10.1.2.2', want: 'iad /32' },
    { name: 'in the inner rule', given: '10.1.2.3', want: 'fra /32' },
    { name: 'past the inner rule', given: '10.1.2.4', want: 'iad /30' },
    { name: 'by country beside the rules', given: '10.2.0.0', want: 'nrt /15' },
    { name: 'no rule and no otherwise', given: '11.0.0.1', want: '/8' },
    { name: 'IPv6 in the outer rule', given: '2001:db8:0:7::2', want: 'iad /127' },
    { name: 'IPv6 in the inner rule', given: '2001:db8:0:7::1', want: 'fra /128' },
    { name: 'IPv6 by country', given: '2001:db8:0:6::1', want: 'nrt /64' },
  ];
  it.each(cases)('$name', ({ given, want }) => {
    expect(ask(map, given)).toBe(want);
  });
});

describe('bounds', () => {
  it('refuses a data center number that no order can hold', () => {
    const candidates = [{ index: 256, name: 'far', latitude: 0, longitude: 0 }];
    expect(() => compileMap({ policy: { kind: 'nearest' }, candidates }, table)).toThrow(RangeError);
  });

  it('compiles a map without candidates', () => {
    const map = openMap(compileMap({ policy: { kind: 'nearest' }, candidates: [] }, table));
    expect(ask(map, '10.0.0.1')).toBe('/0');
  });

  it('refuses a program that the map does not have, and an image that is none', () => {
    const map = compile({ kind: 'nearest' });
    expect(() => runProgram(map, map.programCount, { nextUint32: () => 0 }, new Uint16Array(1))).toThrow(
      RangeError,
    );
    expect(() => openMap(new SharedArrayBuffer(64))).toThrow('not a map image');
  });
});
