import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Parsed } from '../../src/config/problem.ts';
import { distanceKm, pointOf } from '../../src/geo/distance.ts';
import { type GeoTable, locateClient, openGeoTable } from '../../src/geo/table.ts';
import { loadGeoTable, loadShippedTable, shippedTablePath } from '../../src/geofiles/load-geo.ts';
import { cities } from '../geo/cities.ts';
import { addressOctets, prefixBits, writeMmdb } from '../geo/mmdb-writer.ts';

const directory = mkdtempSync(join(tmpdir(), 'geo-test-'));
afterAll(() => rmSync(directory, { recursive: true }));

function write(name: string, bytes: Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

function problems(outcome: Parsed<SharedArrayBuffer>): string {
  return outcome.ok ? 'good' : outcome.problems.map((problem) => problem.code).join(' ');
}

describe('files of one’s own', () => {
  const city = writeMmdb([
    {
      bits: prefixBits('192.0.2.0/24'),
      value: { country_code: 'FR', latitude: { double: 48.5 }, longitude: { double: 2.5 } },
    },
  ]);
  const v6 = writeMmdb([{ bits: prefixBits('2001:db8::/32'), value: { country_code: 'JP' } }], {
    ipVersion: 6,
  });
  const asn = writeMmdb([
    { bits: prefixBits('192.0.2.128/25'), value: { autonomous_system_number: 64_500 } },
  ]);

  it('joins families and AS numbers from several files', async () => {
    const paths = [write('city4.mmdb', city), write('city6.mmdb', v6), write('asn.mmdb', asn)];
    const loaded = await loadGeoTable(paths);
    if (!loaded.ok) throw new Error(problems(loaded));
    const table = openGeoTable(loaded.value);
    expect(locateClient(table, 4, addressOctets('192.0.2.200'))).toMatchObject({
      country: 'FR',
      asn: 64_500,
    });
    expect(locateClient(table, 4, addressOctets('192.0.2.1'))).toMatchObject({ country: 'FR', asn: 0 });
    expect(locateClient(table, 6, addressOctets('2001:db8::1'))).toMatchObject({ country: 'JP', asn: 0 });
  });

  const cases: readonly { name: string; given: () => readonly string[]; want: string }[] = [
    { name: 'no file named', given: () => [], want: 'geo-file-missing' },
    { name: 'no such file', given: () => [join(directory, 'none.mmdb')], want: 'geo-file-missing' },
    { name: 'a directory', given: () => [directory], want: 'geo-file-missing' },
    {
      name: 'half a file',
      given: () => [write('half.mmdb', city.subarray(0, city.length / 2))],
      want: 'geo-file-broken',
    },
    {
      name: 'all problems of all files at once',
      given: () => [
        write('good.mmdb', city),
        write('text.mmdb', Buffer.from('<html>')),
        join(directory, 'none.mmdb'),
      ],
      want: 'geo-file-broken geo-file-missing',
    },
  ];
  it.each(cases)('$name', async ({ given, want }) => {
    expect(problems(await loadGeoTable(given()))).toBe(want);
  });
});

describe('the shipped table', () => {
  let table: GeoTable;
  beforeAll(async () => {
    const loaded = await loadShippedTable();
    if (!loaded.ok) throw new Error(problems(loaded));
    table = openGeoTable(loaded.value);
  });

  it('is the file that its README describes', () => {
    const digest = createHash('sha256').update(readFileSync(shippedTablePath)).digest('hex');
    expect(table.metadata.digest).toBe(digest);
    expect(readFileSync(new URL('../../geoip/README.md', import.meta.url), 'utf8')).toContain(digest);
  });

  it('carries the attribution that its licence asks for', () => {
    expect(table.metadata).toMatchObject({
      attribution: 'IP Geolocation by DB-IP',
      attributionUrl: 'https://db-ip.com',
    });
    expect(Date.parse(table.metadata.builtAt)).toBeGreaterThan(Date.parse('2026-01-01'));
  });

  it.each(cities)('puts addresses of $city near it', ({ latitude, longitude, ipv4, ipv6 }) => {
    for (const address of [ipv4, ipv6]) {
      const octets = addressOctets(address);
      const { coordinates } = locateClient(table, octets.length === 4 ? 4 : 6, octets);
      if (coordinates === undefined) throw new Error(`${address} is nowhere`);
      const off = distanceKm(
        pointOf(latitude, longitude),
        pointOf(coordinates.latitude, coordinates.longitude),
      );
      // The diagonal of a one-degree cell at the equator.
      expect(off, address).toBeLessThan(160);
    }
  });

  it.each(['10.0.0.1', '127.0.0.1', '192.0.2.1', '::1', '2001:db8::1'])(
    'does not know where %s is',
    (address) => {
      const octets = addressOctets(address);
      const place = locateClient(table, octets.length === 4 ? 4 : 6, octets);
      expect(place).toEqual({
        coordinates: undefined,
        country: '',
        continent: '',
        subdivision: '',
        asn: 0,
        prefixes: [],
      });
    },
  );

  const broken: readonly { name: string; given: () => string; want: string }[] = [
    { name: 'missing', given: () => join(directory, 'none.bin'), want: 'geo-file-missing' },
    {
      name: 'cut short',
      given: () => write('cut.bin', readFileSync(shippedTablePath).subarray(0, 100_000)),
      want: 'geo-table-broken',
    },
    {
      name: 'something else',
      given: () => write('other.bin', Buffer.from('something else')),
      want: 'geo-table-broken',
    },
  ];
  it.each(broken)('$name: a problem', async ({ given, want }) => {
    expect(problems(await loadShippedTable(given()))).toBe(want);
  });
});
