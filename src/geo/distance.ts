/** Mean earth radius, km (IUGG); a sphere is off by at most 0.6 % of a distance. */
export const EARTH_RADIUS_KM = 6371.0088;

/** A point on the unit sphere: distances between many points then need no trigonometry per pair but one arcsine. */
export interface SpherePoint {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

/** Degrees north and east to a point on the unit sphere. */
export function pointOf(latitude: number, longitude: number): SpherePoint {
  const phi = (latitude * Math.PI) / 180;
  const lambda = (longitude * Math.PI) / 180;
  const ring = Math.cos(phi);
  return { x: ring * Math.cos(lambda), y: ring * Math.sin(lambda), z: Math.sin(phi) };
}

/** Great-circle distance in km. */
export function distanceKm(from: SpherePoint, to: SpherePoint): number {
  const x = from.x - to.x;
  const y = from.y - to.y;
  const z = from.z - to.z;
  return chordKm(x * x + y * y + z * z);
}

/**
 * Great-circle distance in km of two points whose squared chord, on the unit sphere, is given: the haversine of their
 * angle is a quarter of it. Grows with the chord.
 */
export function chordKm(squaredChord: number): number {
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.sqrt(Math.min(1, squaredChord / 4)));
}
