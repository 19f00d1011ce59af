import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nearest } from '../../ground/geography.ts';
import type { ServerCommand } from '../../ground/processes.ts';
import { APEX, STEERED, STEERED_TTL_SECONDS, zoneLines } from '../../ground/zones.ts';
import type { Assignment, ServerKind } from '../server-kind.ts';

/** The geoip backend serves both zones: by country, as knot's module. A million names are too many for its YAML. */
export const pdns: ServerKind = {
  name: 'pdns',
  command: 'pdns_server',
  packages: ['pdns-server', 'pdns-backend-geoip'],
  geography: 'country',
  start: 'from-source',
  prepare,
};

async function prepare({ world, directory, port, geography, centers }: Assignment): Promise<ServerCommand> {
  mkdirSync(join(directory, 'run'), { recursive: true });
  const zoneFile = join(directory, 'geo.yaml');
  writeFileSync(zoneFile, `${zone({ world, geography, centers }).join('\n')}\n`);
  writeFileSync(
    join(directory, 'pdns.conf'),
    `launch=geoip
geoip-database-files=mmdb:${geography.mmdb}
geoip-zones-file=${zoneFile}
edns-subnet-processing=yes
local-address=127.0.0.1:${port}
receiver-threads=1
distributor-threads=1
socket-dir=${join(directory, 'run')}
module-dir=/usr/lib/x86_64-linux-gnu/pdns
daemon=no
guardian=no
loglevel=3
security-poll-suffix=
`,
  );
  return { command: 'pdns_server', args: [`--config-dir=${directory}`] };
}

function zone({
  world,
  geography,
  centers,
}: Pick<Assignment, 'world' | 'geography' | 'centers'>): readonly string[] {
  const countries = Object.entries(geography.countries).map(
    ([country, [latitude, longitude]]) =>
      [country.toLowerCase(), nearest(latitude, longitude, centers).address] as const,
  );
  const unknown = ['unknown', centers[0]?.address ?? ''] as const;
  const steered = [...countries, unknown].flatMap(([country, address]) => [
    `    ${country}.geo.${APEX}:`,
    `    - a: { content: ${address}, ttl: ${STEERED_TTL_SECONDS} }`,
  ]);
  const fixed = [...zoneLines(world)].flatMap((line) => {
    const [, name, address] = line.match(/^(\S+) IN A (\S+)$/) ?? [];
    return name === undefined ? [] : [`    ${name}.${APEX}:`, `    - a: ${address}`];
  });
  return [
    'domains:',
    `- domain: ${APEX}`,
    '  ttl: 300',
    '  records:',
    `    ${APEX}:`,
    `    - soa: ns1.${APEX} hostmaster.${APEX} 1 7200 900 1209600 300`,
    `    - ns: ns1.${APEX}`,
    ...fixed,
    ...steered,
    '  services:',
    `    ${STEERED}:`,
    `    - '%cc.geo.${APEX}'`,
    `    - 'unknown.geo.${APEX}'`,
  ];
}
