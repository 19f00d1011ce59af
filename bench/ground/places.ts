/** Name, latitude and longitude of real places: a map has to be a real one. */
export const ninePlaces: readonly (readonly [string, number, number])[] = [
  ['fra', 50.1, 8.7],
  ['lon', 51.5, -0.1],
  ['nyc', 40.7, -74],
  ['sfo', 37.8, -122.4],
  ['gru', -23.5, -46.6],
  ['sin', 1.35, 103.8],
  ['nrt', 35.7, 139.7],
  ['syd', -33.9, 151.2],
  ['jnb', -26.2, 28],
];
