import fc from 'fast-check';
import { expect, it } from 'vitest';
import { distanceKm, EARTH_RADIUS_KM, pointOf } from '../../src/geo/distance.ts';

const place = fc.record({
  latitude: fc.double({ min: -90, max: 90, noNaN: true }),
  longitude: fc.double({ min: -180, max: 180, noNaN: true }),
});
type Place = { readonly latitude: number; readonly longitude: number };

const between = (from: Place, to: Place): number =>
  distanceKm(pointOf(from.latitude, from.longitude), pointOf(to.latitude, to.longitude));

/** The haversine formula as textbooks have it, with two sines and two cosines. */
function textbookKm(from: Place, to: Place): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const sineOfHalf = (degrees: number): number => Math.sin(radians(degrees) / 2);
  const haversine =
    sineOfHalf(to.latitude - from.latitude) ** 2 +
    Math.cos(radians(from.latitude)) *
      Math.cos(radians(to.latitude)) *
      sineOfHalf(to.longitude - from.longitude) ** 2;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(haversine)));
}

it('agrees with the haversine formula to a metre', () => {
  fc.assert(
    fc.property(place, place, (from, to) => {
      expect(Math.abs(between(from, to) - textbookKm(from, to))).toBeLessThan(0.001);
    }),
  );
});

it('is the same both ways, and never more than half the girth', () => {
  fc.assert(
    fc.property(place, place, (from, to) => {
      expect(between(from, to)).toBe(between(to, from));
      expect(between(from, to)).toBeLessThanOrEqual(Math.PI * EARTH_RADIUS_KM);
    }),
  );
});
