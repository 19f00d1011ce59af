import fc from 'fast-check';
import { Reader } from 'maxmind';
import { describe, expect, it } from 'vitest';
import { compileMmdb, fieldsOf } from '../../src/geo/mmdb.ts';
import { type GeoTable, locateClient, openGeoTable } from '../../src/geo/table.ts';
import { GeoTableBuilder } from '../../src/geo/table-builder.ts';
import { openMmdb } from '../../src/geofiles/open-mmdb.ts';
import { addressOctets, BUILD_EPOCH, type MmdbRecord, prefixBits, writeMmdb } from './mmdb-writer.ts';
import { testMetadata } from './table-of.ts';

const nested = {
  country: { iso_code: 'US' },
  continent: { code: 'NA' },
  subdivisions: [{ iso_code: 'CA', names: { en: 'California' } }],
  location: { latitude: { double: 37.5 }, longitude: { double: -122.25 } },
};
const flat = {
  country_code: 'US',
  state1: 'California',
  latitude: { double: 37.5 },
  longitude: { double: -122.25 },
};

function compile(bytes: Buffer): GeoTable | string {
  const opened = openMmdb(bytes, 'test.mmdb');
  if (!opened.ok) return opened.problems.map((problem) => `${problem.code}: ${problem.message}`).join();
  const compiled = compileMmdb(opened.value.file, opened.value.metadata);
  if (!compiled.ok) return compiled.problems.map((problem) => `${problem.code}: ${problem.message}`).join();
  return openGeoTable(compiled.value);
}

function where(table: GeoTable | string, address: string): string {
  if (typeof table === 'string') return table;
  const octets = addressOctets(address);
  const place = locateClient(table, octets.length === 4 ? 4 : 6, octets);
  const coordinates = place.coordinates;
  const at = coordinates === undefined ? '-' : `${coordinates.latitude},${coordinates.longitude}`;
  return `${place.continent || '-'} ${place.country || '-'} ${place.subdivision || '-'} ${at} AS${place.asn}`;
}

describe('schemas', () => {
  const cases: readonly { name: string; given: MmdbRecord['value']; want: string }[] = [
    { name: 'nested, as MaxMind ships cities', given: nested, want: 'NA US CA 37.5,-122.25 AS0' },
    { name: 'flat, as ip-location-db ships cities', given: flat, want: 'NA US CA 37.5,-122.25 AS0' },
    { name: 'country only, nested', given: { country: { iso_code: 'DE' } }, want: 'EU DE - - AS0' },
    { name: 'country only, flat', given: { country_code: 'DE' }, want: 'EU DE - - AS0' },
    { name: 'AS numbers', given: { autonomous_system_number: 64_500 }, want: '- - - - AS64500' },
    {
      name: 'a region without a known code keeps its name',
      given: { country_code: 'DE', state1: 'Hesse' },
      want: 'EU DE Hesse - AS0',
    },
    {
      name: 'impossible coordinates are unknown',
      given: { country_code: 'DE', latitude: { double: 91 }, longitude: { double: 8 } },
      want: 'EU DE - - AS0',
    },
    {
      name: 'the country of registration, where that is all',
      given: { registered_country: { iso_code: 'JP' } },
      want: 'AS JP - - AS0',
    },
  ];
  it.each(cases)('$name', ({ given, want }) => {
    const bytes = writeMmdb([{ bits: prefixBits('192.0.2.0/24'), value: given }]);
    expect(where(compile(bytes), '192.0.2.7')).toBe(want);
    expect(where(compile(bytes), '192.0.3.0')).toBe('- - - - AS0');
  });

  it('takes any value for a record without throwing', () => {
    for (const value of [null, 7, 'text', [], { location: 7 }, { subdivisions: {} }, { asn: -1 }])
      expect(fieldsOf(value).asn).toBe(0);
  });
});

describe('trees', () => {
  it.each([24, 28, 32] as const)('reads records of %i bits', (recordSize) => {
    const records = [
      { bits: prefixBits('192.0.2.0/24'), value: flat },
      { bits: prefixBits('192.0.2.128/25'), value: { country_code: 'FR' } },
    ];
    const table = compile(writeMmdb(records, { recordSize }));
    expect(where(table, '192.0.2.127')).toBe('NA US CA 37.5,-122.25 AS0');
    expect(where(table, '192.0.2.128')).toBe('EU FR - - AS0');
  });

  it('reads IPv4 and IPv6 from one file and leaves aliases of IPv4 out', () => {
    const v4 = '0'.repeat(96);
    const records = [
      { bits: v4 + prefixBits('192.0.2.0/24'), value: flat },
      { bits: prefixBits('2001:db8::/32'), value: { country_code: 'FR' } },
    ];
    const aliases = [
      { bits: prefixBits('2002::/16'), of: v4 },
      { bits: prefixBits('2001::/32'), of: v4 },
      { bits: prefixBits('0:0:0:0:0:ffff:0:0/96'), of: v4 },
    ];
    const table = compile(writeMmdb(records, { ipVersion: 6, aliases }));
    expect(where(table, '192.0.2.1')).toBe('NA US CA 37.5,-122.25 AS0');
    expect(where(table, '2001:db8::1')).toBe('EU FR - - AS0');
    for (const alias of ['2002:c000:201::1', '2001:0:c000:201::1', '::ffff:c000:201', '::c000:201'])
      expect(where(table, alias)).toBe('- - - - AS0');
  });

  it('takes name and age from the metadata', () => {
    const table = compile(writeMmdb([{ bits: '1', value: flat }], { databaseType: 'GeoLite2-City' }));
    expect(typeof table === 'string' ? table : table.metadata).toMatchObject({
      name: 'GeoLite2-City',
      builtAt: new Date(BUILD_EPOCH * 1000).toISOString(),
      attributionUrl: 'https://www.maxmind.com',
    });
  });
});

describe('records', () => {
  const value = fc.letrec<{ any: MmdbRecord['value'] }>((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom('DE', 'US', 'CA', 'EU', 'California', 'x'.repeat(29), 'é'.repeat(100)),
      fc.nat(100_000),
      fc.double({ min: -200, max: 200, noNaN: true }).map((double) => ({ double })),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(
        fc.constantFrom(
          ...[
            'country',
            'iso_code',
            'location',
            'latitude',
            'longitude',
            'continent',
            'code',
            'asn',
            'names',
          ],
          ...['subdivisions', 'state1', 'country_code', 'continent_code', 'registered_country', 'isp'],
        ),
        tie('any'),
        { maxKeys: 6 },
      ),
    ),
  })).any;

  it('say what an independent decoder makes of them', () => {
    fc.assert(
      fc.property(value, (given) => {
        const bytes = writeMmdb([
          { bits: '0', value: { country_code: 'FR' } },
          { bits: prefixBits('192.0.2.0/24'), value: given },
        ]);
        const builder = new GeoTableBuilder();
        builder.addV4(0, builder.locationNumber(fieldsOf(new Reader<never>(bytes).get('192.0.2.1'))));
        const want = openGeoTable(builder.build(testMetadata));
        expect(where(compile(bytes), '192.0.2.1')).toBe(where(want, '192.0.2.1'));
      }),
      { numRuns: 300 },
    );
  });

  it('are decoded through pointers', () => {
    const records = [
      { bits: prefixBits('192.0.2.0/25'), value: 'US' },
      { bits: prefixBits('192.0.2.128/25'), value: { country_code: { pointerTo: 0 } } },
    ];
    expect(where(compile(writeMmdb(records)), '192.0.2.200')).toBe('NA US - - AS0');
  });

  it('may not ask for more work than any record needs', () => {
    const many = { country: { pointerTo: 0 }, location: { pointerTo: 0 }, continent: { pointerTo: 0 } };
    expect(compile(writeMmdb([{ bits: '0', value: many }]))).toMatch(/^geo-file-broken/);
  });
});

describe('broken files', () => {
  const whole = writeMmdb([{ bits: prefixBits('192.0.2.0/24'), value: flat }]);
  const circular = (): Buffer => {
    const bytes = Buffer.from(whole);
    // The last node's left record points back to the root.
    const marker = bytes.indexOf(Buffer.from([0xab, 0xcd, 0xef]));
    expect(marker).toBeGreaterThan(0);
    bytes.fill(0, 23 * 7, 23 * 7 + 3);
    return bytes;
  };
  const outside = (): Buffer => {
    const bytes = Buffer.from(whole);
    bytes.fill(0xff, 23 * 7, 23 * 7 + 3);
    return bytes;
  };
  const cases: readonly { name: string; given: Buffer; want: RegExp }[] = [
    { name: 'empty', given: Buffer.alloc(0), want: /^geo-file-broken: .*cut short/ },
    { name: 'cut short', given: whole.subarray(0, -200), want: /^geo-file-broken: .*cut short/ },
    { name: 'cut within the metadata', given: whole.subarray(0, -20), want: /^geo-file-broken/ },
    { name: 'cut at the front', given: whole.subarray(100), want: /^geo-file-broken/ },
    { name: 'zeros', given: Buffer.alloc(5000), want: /^geo-file-broken: .*cut short/ },
    { name: 'gzipped', given: Buffer.from([0x1f, 0x8b, 8, 0]), want: /^geo-file-packed: .*gunzip/ },
    { name: 'a tree in circles', given: circular(), want: /^geo-file-broken: .*(circles|deeper)/ },
    { name: 'a tree that points outside', given: outside(), want: /^geo-file-broken: .*outside its data/ },
    {
      name: 'nothing known',
      given: writeMmdb([{ bits: '0', value: { isp: 'none' } }]),
      want: /^geo-file-broken: .*no record has coordinates/,
    },
    {
      name: 'data in circles',
      given: writeMmdb([{ bits: '0', value: { country: { pointerTo: 0 } } }]),
      want: /^geo-file-broken/,
    },
  ];
  it.each(cases)('$name', ({ given, want }) => {
    expect(compile(given)).toMatch(want);
  });

  it('gives a table or a problem for every cut and every flipped octet', () => {
    for (let length = 0; length < whole.length; length++)
      expect(typeof compile(whole.subarray(0, length)), `cut to ${length}`).toBe('string');
    for (let at = 0; at < whole.length; at++) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ 0xff;
      expect(['string', 'object'], `flipped at ${at}`).toContain(typeof compile(bytes));
    }
  });
});
