import type { LocationFields } from '../../src/geo/location-list.ts';
import { type GeoTable, openGeoTable } from '../../src/geo/table.ts';
import { GeoTableBuilder, unknownFields } from '../../src/geo/table-builder.ts';
import { addressOctets } from './mmdb-writer.ts';

export const testMetadata = {
  name: 'test',
  builtAt: '2026-01-02T03:04:05.000Z',
  attribution: 'by nobody',
  attributionUrl: '',
  digest: '00',
};

/** From an address on, clients are there; absent fields are unknown. Ascending within each family. */
export interface TestRange {
  readonly from: string;
  readonly at: Partial<LocationFields>;
}

export function tableOf(ranges: readonly TestRange[]): GeoTable {
  const builder = new GeoTableBuilder();
  for (const { from, at } of ranges) {
    const location = builder.locationNumber({ ...unknownFields, ...at });
    const octets = addressOctets(from);
    const view = new DataView(octets.buffer);
    const word = (index: number): number => view.getUint32(index * 4);
    if (octets.length === 4) builder.addV4(word(0), location);
    else builder.addV6(word(0), word(1), word(2), word(3), location);
  }
  return openGeoTable(builder.build(testMetadata));
}

export const places = {
  paris: { latitude: 48.86, longitude: 2.35, country: 'FR', continent: 'EU' },
  tokyo: { latitude: 35.68, longitude: 139.65, country: 'JP', continent: 'AS' },
  newYork: { latitude: 40.71, longitude: -74.01, country: 'US', continent: 'NA', subdivision: 'NY' },
  california: { latitude: 37.77, longitude: -122.42, country: 'US', continent: 'NA', subdivision: 'CA' },
} as const;

export const dataCenters = [
  { index: 0, name: 'fra', latitude: 50.11, longitude: 8.68 },
  { index: 1, name: 'nrt', latitude: 35.76, longitude: 140.39 },
  { index: 2, name: 'iad', latitude: 38.95, longitude: -77.45 },
] as const;
