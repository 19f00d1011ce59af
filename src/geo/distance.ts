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

/** Great-circle distance in km. The haversine of the angle is a quarter of the squared chord. */
export function distanceKm(from: SpherePoint, to: SpherePoint): number {
  const x = from.x - to.x;
  const y = from.y - to.y;
  const z = from.z - to.z;
  const haversine = Math.min(1, (x * x + y * y + z * z) / 4);
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.sqrt(haversine));
}
