import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { createContract } from '../../src/config/contract.ts';
import { demoPlaces } from '../../src/demo/data-centers.ts';
import { DEMO_PORT } from '../../src/demo/demo-port.ts';
import { readDirectory } from '../../src/directory/read-directory.ts';
import { probeKinds } from '../../src/probing/probes/index.ts';

const directory = fileURLToPath(new URL('../../demo', import.meta.url));
const written = parse(readFileSync(`${directory}/meridian.yaml`, 'utf8'));

it('is read without a problem', async () => {
  const reading = await readDirectory(directory, createContract(probeKinds));
  expect(reading.ok ? [] : reading.problems).toEqual([]);
});

it('has the places that the demo servers stand for', () => {
  const places = demoPlaces.map(({ name, city, latitude, longitude }) => ({
    name,
    description: city,
    latitude,
    longitude,
  }));
  expect(written.dataCenters).toEqual(places);
});

it('probes every endpoint at the server of its data center', () => {
  const addressOf = new Map(demoPlaces.map(({ name, address }) => [name, address]));
  const endpoints: readonly Record<string, string>[] = written.pools[0].endpoints;
  for (const { dataCenter, address, probeAddress } of endpoints) {
    expect(probeAddress ?? address).toBe(addressOf.get(dataCenter ?? ''));
  }
  expect(endpoints).toHaveLength(2 * demoPlaces.length);
  expect(written.monitors[0].port).toBe(DEMO_PORT);
});
