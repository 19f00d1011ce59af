import { expect, it } from 'vitest';
import { joinGeoTables } from '../../src/geo/join-tables.ts';
import { locateClient, openGeoTable } from '../../src/geo/table.ts';
import { addressOctets } from './mmdb-writer.ts';
import { places, tableOf } from './table-of.ts';

const cities = tableOf([
  { from: '10.0.0.0', at: places.paris },
  { from: '10.0.2.0', at: { country: 'JP' } },
  { from: '10.0.3.0', at: {} },
  { from: '2001:db8::', at: places.paris },
  { from: '2001:db9::', at: {} },
]);
const networks = tableOf([
  { from: '10.0.1.0', at: { asn: 64_500 } },
  { from: '10.0.2.0', at: { ...places.tokyo, asn: 64_501 } },
  { from: '10.0.4.0', at: {} },
  { from: '2001:db8:0:1::', at: { asn: 64_502 } },
]);
const joined = openGeoTable(joinGeoTables(cities, networks));

const cases: readonly { name: string; given: string; want: string }[] = [
  { name: 'before both', given: '9.255.255.255', want: '- AS0' },
  { name: 'the first only', given: '10.0.0.255', want: 'FR AS0' },
  { name: 'place of the first, AS number of the second', given: '10.0.1.0', want: 'FR AS64500' },
  { name: 'coordinates win over a country alone', given: '10.0.2.0', want: 'JP 35.68 AS64501' },
  { name: 'the second only', given: '10.0.3.255', want: 'JP 35.68 AS64501' },
  { name: 'after both', given: '10.0.4.0', want: '- AS0' },
  { name: 'IPv6, the first only', given: '2001:db8::1', want: 'FR AS0' },
  { name: 'IPv6, both', given: '2001:db8:0:1::', want: 'FR AS64502' },
  { name: 'IPv6, the second only', given: '2001:db9::', want: '- AS64502' },
];

it.each(cases)('$name', ({ given, want }) => {
  const octets = addressOctets(given);
  const place = locateClient(joined, octets.length === 4 ? 4 : 6, octets);
  const latitude = place.coordinates?.latitude.toFixed(2);
  const where = place.country === 'JP' ? `JP ${latitude}` : place.country || '-';
  expect(`${where} AS${place.asn}`).toBe(want);
});

it('keeps what the sources ask to be shown, once each, and the age of the older', () => {
  expect(joined.metadata).toMatchObject({ name: 'test', attribution: 'by nobody', digest: '00' });
  const older = {
    ...networks,
    metadata: {
      ...networks.metadata,
      name: 'asn',
      attribution: 'by some',
      builtAt: '2020-01-01T00:00:00.000Z',
    },
  };
  expect(openGeoTable(joinGeoTables(cities, older)).metadata).toMatchObject({
    name: 'test + asn',
    attribution: 'by nobody; by some',
    builtAt: '2020-01-01T00:00:00.000Z',
  });
});
