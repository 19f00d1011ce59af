import { expect, it } from 'vitest';
import { continentOf } from '../../src/geo/continents.ts';
import { distanceKm, EARTH_RADIUS_KM, pointOf } from '../../src/geo/distance.ts';

const halfGirth = Math.PI * EARTH_RADIUS_KM;

const cases: readonly { name: string; given: readonly [number, number, number, number]; want: number }[] = [
  { name: 'the same place', given: [50, 8, 50, 8], want: 0 },
  { name: 'pole to pole', given: [90, 0, -90, 0], want: halfGirth },
  { name: 'antipodes', given: [10, 20, -10, -160], want: halfGirth },
  { name: 'a quarter along the equator', given: [0, 0, 0, 90], want: halfGirth / 2 },
  { name: 'across the date line', given: [0, 179, 0, -179], want: halfGirth / 90 },
  { name: 'a metre', given: [0, 0, 0.000009, 0], want: 0.001 },
];

it.each(cases)('$name', ({ given: [latitude, longitude, toLatitude, toLongitude], want }) => {
  const distance = distanceKm(pointOf(latitude, longitude), pointOf(toLatitude, toLongitude));
  expect(distance).toBeCloseTo(want, 2);
});

it.each([
  ['DE', 'EU'],
  ['JP', 'AS'],
  ['BR', 'SA'],
  ['ZA', 'AF'],
  ['AU', 'OC'],
  ['MX', 'NA'],
  ['AQ', 'AN'],
  ['ZZ', ''],
  ['', ''],
])('the continent of %s is %s', (country, continent) => {
  expect(continentOf(country)).toBe(continent);
});
