/** A city, and an address of each family that DB-IP City Lite (June 2026) puts within 15 km of it. */
export interface City {
  readonly city: string;
  /** Degrees north. */
  readonly latitude: number;
  /** Degrees east. */
  readonly longitude: number;
  readonly ipv4: string;
  readonly ipv6: string;
}

/** Thirty cities on six continents. IP Geolocation by DB-IP, https://db-ip.com. */
export const cities: readonly City[] = [
  { city: 'Paris', latitude: 48.8566, longitude: 2.3522, ipv4: '57.184.0.1', ipv6: '2001:3580::1' },
  { city: 'London', latitude: 51.5074, longitude: -0.1278, ipv4: '32.164.0.1', ipv6: '2001:3200::1' },
  { city: 'Frankfurt', latitude: 50.1109, longitude: 8.6821, ipv4: '184.76.0.1', ipv6: '2001:a38::1' },
  { city: 'Madrid', latitude: 40.4168, longitude: -3.7038, ipv4: '89.60.0.1', ipv6: '2a00:c180::1' },
  { city: 'Warsaw', latitude: 52.2297, longitude: 21.0122, ipv4: '178.180.0.1', ipv6: '2001:1b80::1' },
  { city: 'Stockholm', latitude: 59.3293, longitude: 18.0686, ipv4: '178.108.0.1', ipv6: '2001:9c8::1' },
  { city: 'Rome', latitude: 41.9028, longitude: 12.4964, ipv4: '83.156.0.1', ipv6: '2001:3e80::1' },
  { city: 'Johannesburg', latitude: -26.2041, longitude: 28.0473, ipv4: '105.4.8.1', ipv6: '2a05:1680::1' },
  { city: 'Cairo', latitude: 30.0444, longitude: 31.2357, ipv4: '196.140.0.1', ipv6: '2001:42b8::1' },
  { city: 'Lagos', latitude: 6.5244, longitude: 3.3792, ipv4: '102.93.15.1', ipv6: '2c0f:fc60::1' },
  { city: 'Nairobi', latitude: -1.2921, longitude: 36.8219, ipv4: '102.2.255.1', ipv6: '2001:4358::1' },
  { city: 'Casablanca', latitude: 33.5731, longitude: -7.5898, ipv4: '105.64.0.1', ipv6: '2c0e:6042:202::1' },
  { city: 'Tokyo', latitude: 35.6762, longitude: 139.6503, ipv4: '49.132.0.1', ipv6: '2400:3c08::1' },
  { city: 'Singapore', latitude: 1.3521, longitude: 103.8198, ipv4: '16.156.0.1', ipv6: '2407:c5c0::1' },
  { city: 'Mumbai', latitude: 19.076, longitude: 72.8777, ipv4: '13.232.0.1', ipv6: '2a13:d3c0::1' },
  { city: 'Seoul', latitude: 37.5665, longitude: 126.978, ipv4: '180.236.0.1', ipv6: '2a09:57c0::1' },
  { city: 'Dubai', latitude: 25.2048, longitude: 55.2708, ipv4: '40.173.0.1', ipv6: '2a04:2600::1' },
  { city: 'Jakarta', latitude: -6.2088, longitude: 106.8456, ipv4: '56.128.0.1', ipv6: '2a07:f640::1' },
  { city: 'Hong Kong', latitude: 22.3193, longitude: 114.1694, ipv4: '43.99.0.1', ipv6: '2601:20b8::1' },
  { city: 'New York', latitude: 40.7128, longitude: -74.006, ipv4: '97.172.0.1', ipv6: '2001:3080::1' },
  { city: 'Los Angeles', latitude: 34.0522, longitude: -118.2437, ipv4: '171.28.0.1', ipv6: '2a03:fbc0::1' },
  { city: 'Toronto', latitude: 43.6532, longitude: -79.3832, ipv4: '142.47.253.1', ipv6: '2601:2030::1' },
  { city: 'Mexico City', latitude: 19.4326, longitude: -99.1332, ipv4: '189.184.0.1', ipv6: '2a0a:ba00::1' },
  { city: 'Chicago', latitude: 41.8781, longitude: -87.6298, ipv4: '172.60.0.1', ipv6: '2603:e200::1' },
  { city: 'São Paulo', latitude: -23.5505, longitude: -46.6333, ipv4: '56.124.0.1', ipv6: '2a05:e600::1' },
  {
    city: 'Buenos Aires',
    latitude: -34.6037,
    longitude: -58.3816,
    ipv4: '186.58.0.1',
    ipv6: '2800:2128:6041::1',
  },
  { city: 'Bogotá', latitude: 4.711, longitude: -74.0721, ipv4: '181.156.0.1', ipv6: '2800:26d::1' },
  { city: 'Santiago', latitude: -33.4489, longitude: -70.6693, ipv4: '83.160.0.1', ipv6: '2001:1310::1' },
  { city: 'Sydney', latitude: -33.8688, longitude: 151.2093, ipv4: '52.62.0.1', ipv6: '2a09:7240::1' },
  { city: 'Auckland', latitude: -36.8509, longitude: 174.7645, ipv4: '182.24.0.1', ipv6: '2a05:3340::1' },
];
