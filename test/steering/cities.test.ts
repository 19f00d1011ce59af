import { expect, it } from 'vitest';
import { distanceKm, pointOf } from '../../src/geo/distance.ts';
import { locate, openMap, programOf } from '../../src/geo/map.ts';
import { openGeoTable } from '../../src/geo/table.ts';
import { loadShippedTable } from '../../src/geofiles/load-geo.ts';
import { compileMap } from '../../src/steering/compile-map.ts';
import { runProgram } from '../../src/steering/run-program.ts';
import { cities } from '../geo/cities.ts';
import { addressOctets } from '../geo/mmdb-writer.ts';

const dataCenters = [
  { index: 0, name: 'fra', latitude: 50.11, longitude: 8.68 },
  { index: 1, name: 'iad', latitude: 38.95, longitude: -77.45 },
  { index: 2, name: 'gru', latitude: -23.43, longitude: -46.47 },
  { index: 3, name: 'sin', latitude: 1.36, longitude: 103.99 },
  { index: 4, name: 'nrt', latitude: 35.76, longitude: 140.39 },
  { index: 5, name: 'syd', latitude: -33.95, longitude: 151.18 },
  { index: 6, name: 'jnb', latitude: -26.13, longitude: 28.24 },
];

it('sends each of thirty cities to its nearest data center, by the shipped table, v4 and v6', async () => {
  const loaded = await loadShippedTable();
  if (!loaded.ok) throw new Error('no shipped table');
  const image = compileMap(
    { policy: { kind: 'nearest' }, candidates: dataCenters },
    openGeoTable(loaded.value),
  );
  const map = openMap(image);
  const written = new Uint16Array(8);
  const answered = (address: string): string => {
    const octets = addressOctets(address);
    runProgram(
      map,
      programOf(locate(map, octets.length === 4 ? 4 : 6, octets)),
      { nextUint32: () => 0 },
      written,
    );
    return dataCenters[written[0] ?? -1]?.name ?? 'none';
  };
  const got = cities.map(({ city, ipv4, ipv6 }) => `${city}: ${answered(ipv4)} ${answered(ipv6)}`);
  const want = cities.map(({ city, latitude, longitude }) => {
    const here = pointOf(latitude, longitude);
    const far = (at: (typeof dataCenters)[number]): number =>
      distanceKm(here, pointOf(at.latitude, at.longitude));
    const nearest = dataCenters.toSorted((one, other) => far(one) - far(other))[0]?.name;
    return `${city}: ${nearest} ${nearest}`;
  });
  expect(got).toEqual(want);
});
