import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GeoMap, locate, openMap, prefixLengthOf, programOf } from '../../src/geo/map.ts';
import { openGeoTable } from '../../src/geo/table.ts';
import { loadGeoTable } from '../../src/geofiles/load-geo.ts';
import { compileMap } from '../../src/steering/compile-map.ts';
import { policyNodeSchema } from '../../src/steering/policies/index.ts';
import { runProgram } from '../../src/steering/run-program.ts';
import { addressOctets, prefixBits, writeMmdb } from '../geo/mmdb-writer.ts';
import { order, rule } from './policy-nodes.ts';

/*
 * Cities and AS numbers from two files, both schemas flat, and rules by all that is known. The AS file holds both
 * families in one tree, the city file IPv4 alone.
 */
const v4 = '0'.repeat(96);
const cityFile = writeMmdb([
  { bits: prefixBits('192.0.2.0/24'), value: { country_code: 'DE', state1: 'Hesse' } },
  { bits: prefixBits('198.51.100.0/25'), value: { country_code: 'US', state1: 'California' } },
  { bits: prefixBits('198.51.100.128/25'), value: { country_code: 'US', state1: 'Texas' } },
]);
const asnFile = writeMmdb(
  [
    {
      bits: v4 + prefixBits('192.0.2.0/25'),
      value: { autonomous_system_number: 64_500, autonomous_system_organization: 'one' },
    },
    { bits: v4 + prefixBits('198.51.100.64/26'), value: { autonomous_system_number: 64_501 } },
    { bits: prefixBits('2001:db8::/32'), value: { autonomous_system_number: 64_500 } },
  ],
  { ipVersion: 6, databaseType: 'Test-ASN' },
);
const policy = policyNodeSchema.parse({
  kind: 'geo',
  rules: [
    rule({ countries: ['DE', 'US'] }, order('country')),
    rule({ subdivisions: ['US-CA', 'DE-Hesse'] }, order('region')),
    rule({ asns: [64_500] }, order('network')),
    rule({ prefixes: ['192.0.2.16/28', '2001:db8:0:1::/64'] }, order('prefix')),
  ],
  otherwise: order('otherwise'),
});
const names = ['country', 'network', 'otherwise', 'prefix', 'region'];
const candidates = names.map((name, index) => ({ index, name, latitude: 0, longitude: 0 }));

let directory: string;
let map: GeoMap;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'joined-files-'));
  const paths = [join(directory, 'city.mmdb'), join(directory, 'asn.mmdb')] as const;
  writeFileSync(paths[0], cityFile);
  writeFileSync(paths[1], asnFile);
  const table = await loadGeoTable(paths);
  if (!table.ok) throw new Error(JSON.stringify(table.problems));
  map = openMap(compileMap({ policy, candidates }, openGeoTable(table.value)));
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('the most specific of prefix, AS number, region and country wins, with the widest scope', () => {
  const cases: readonly { name: string; given: string; want: string }[] = [
    { name: 'prefix', given: '192.0.2.17', want: 'prefix/28' },
    { name: 'AS number before the prefix', given: '192.0.2.1', want: 'network/28' },
    { name: 'AS number behind the prefix', given: '192.0.2.40', want: 'network/27' },
    { name: 'AS number farther off', given: '192.0.2.100', want: 'network/26' },
    { name: 'region, where the AS number ends', given: '192.0.2.128', want: 'region/25' },
    { name: 'region with a code', given: '198.51.100.1', want: 'region/25' },
    { name: 'an AS number without a rule changes nothing', given: '198.51.100.65', want: 'region/25' },
    { name: 'country', given: '198.51.100.200', want: 'country/25' },
    { name: 'nothing known', given: '203.0.113.1', want: 'otherwise/5' },
    { name: 'IPv6 prefix', given: '2001:db8:0:1::9', want: 'prefix/64' },
    { name: 'IPv6 AS number', given: '2001:db8:8000::1', want: 'network/33' },
    { name: 'IPv6, nothing known', given: '2001:db9::1', want: 'otherwise/32' },
  ];
  it.each(cases)('$name', ({ given, want }) => {
    const octets = addressOctets(given);
    const leaf = locate(map, octets.length === 4 ? 4 : 6, octets);
    const written = new Uint16Array(1);
    runProgram(map, programOf(leaf), { nextUint32: () => 0 }, written);
    expect(`${names[written[0] ?? 0]}/${prefixLengthOf(leaf)}`).toBe(want);
  });
});
