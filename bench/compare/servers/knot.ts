import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nearest } from '../../ground/geography.ts';
import type { ServerCommand } from '../../ground/processes.ts';
import { APEX, STEERED, STEERED_TTL_SECONDS, writeLines, zoneLines } from '../../ground/zones.ts';
import type { Assignment, ServerKind } from '../server-kind.ts';

/** Its geo module knows no distance: each country goes to the data center nearest to the country's middle. */
export const knot: ServerKind = {
  name: 'knot',
  command: 'knotd',
  packages: ['knot', 'knot-module-geoip'],
  geography: 'country',
  start: 'from-source',
  prepare,
};

async function prepare({ world, directory, port, geography, centers }: Assignment): Promise<ServerCommand> {
  for (const folder of ['run', 'database']) mkdirSync(join(directory, folder), { recursive: true });
  const zoneFile = join(directory, `${APEX}.zone`);
  const steered = world === 'million' ? [] : [`www ${STEERED_TTL_SECONDS} IN A ${centers[0]?.address}`];
  await writeLines(zoneFile, [...zoneLines(world), ...steered]);
  const countries = Object.entries(geography.countries).flatMap(([country, [latitude, longitude]]) => [
    `  - geo: "${country}"`,
    `    A: ${nearest(latitude, longitude, centers).address}`,
  ]);
  writeFileSync(join(directory, 'geo.conf'), `${STEERED}:\n${countries.join('\n')}\n`);
  const modules = `
mod-geoip:
  - id: world
    config-file: ${join(directory, 'geo.conf')}
    ttl: ${STEERED_TTL_SECONDS}
    mode: geodb
    geodb-file: ${geography.mmdb}
    geodb-key: country/iso_code
`;
  const config = join(directory, 'knot.conf');
  writeFileSync(
    config,
    `server:
    listen: 127.0.0.1@${port}
    rundir: ${join(directory, 'run')}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    edns-client-subnet: on
database:
    storage: ${join(directory, 'database')}
log:
  - target: stderr
    any: warning
${world === 'million' ? '' : modules}
zone:
  - domain: ${APEX}.
    file: ${zoneFile}
    journal-content: none
    zonefile-load: whole
    zonefile-sync: -1
    semantic-checks: off
${world === 'million' ? '' : '    module: mod-geoip/world\n'}`,
  );
  return { command: 'knotd', args: ['-c', config] };
}
