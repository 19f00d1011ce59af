import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoPlaces } from '../../src/demo/data-centers.ts';
import { distanceKm, pointOf } from '../../src/geo/distance.ts';
import { cities } from '../geo/cities.ts';
import { addressesOf } from './dns-client.ts';
import { type NodeProcess, startNodeProcess, temporaryDirectory } from './node-process.ts';

/** Of 30 cities; the rest is the location error of the table. */
const LEAST_NEAREST = 27;

const data = temporaryDirectory();
const config = temporaryDirectory();
let node: NodeProcess;

/** The demo's data centers, unmonitored, so that only distance decides; the n-th answers 192.0.2.n. */
const yaml = `dataCenters:
${demoPlaces.map(({ name, latitude, longitude }) => `  - { name: ${name}, latitude: ${latitude}, longitude: ${longitude} }`).join('\n')}
pools:
  - name: web
    endpoints:
${demoPlaces.map(({ name }, index) => `      - { name: ${name}, dataCenter: ${name}, address: 192.0.2.${index} }`).join('\n')}
policies:
  - { name: closest, rank: { kind: nearest } }
steeredNames:
  - { name: www.example.org, pool: web, policy: closest }
`;
const zone = '$TTL 60\n@ IN SOA ns1 hostmaster 1 3600 600 86400 60\n@ IN NS ns1\nns1 IN A 192.0.2.53\n';

beforeAll(async () => {
  writeFileSync(join(config.path, 'meridian.yaml'), yaml);
  writeFileSync(join(config.path, 'example.org.zone'), zone);
  node = await startNodeProcess(['--data', data.path, '--config', config.path]);
});
afterAll(async () => {
  await node?.stop();
  data.remove();
  config.remove();
});

/** Cities that are not sent to the data center nearest to where they really are. */
async function misplaced(subnetOf: (city: (typeof cities)[number]) => string): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const city of cities) {
    const here = pointOf(city.latitude, city.longitude);
    const distances = demoPlaces.map((place) => distanceKm(here, pointOf(place.latitude, place.longitude)));
    const nearest = distances.indexOf(Math.min(...distances));
    const question = { name: 'www.example.org', type: 'A', subnet: subnetOf(city) };
    const [answer] = await addressesOf(node.dnsPort, question);
    if (answer !== `192.0.2.${nearest}`) wrong.push(`${city.city}: ${answer}`);
  }
  return wrong;
}

describe('thirty cities on six continents', () => {
  const families = [
    { family: 'IPv4 /24', subnetOf: (city: (typeof cities)[number]) => `${city.ipv4}/24` },
    { family: 'IPv6 /56', subnetOf: (city: (typeof cities)[number]) => `${city.ipv6}/56` },
  ];
  it.each(families)('are sent to the nearest data center, by $family', async ({ subnetOf }) => {
    const wrong = await misplaced(subnetOf);
    expect(cities.length).toBe(30);
    expect(cities.length - wrong.length, wrong.join(', ')).toBeGreaterThanOrEqual(LEAST_NEAREST);
  });
});
