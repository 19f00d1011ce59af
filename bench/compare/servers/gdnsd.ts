import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerCommand } from '../../ground/processes.ts';
import { APEX, STEERED_TTL_SECONDS, writeLines, zoneLines } from '../../ground/zones.ts';
import type { Assignment, ServerKind } from '../server-kind.ts';

/** The measure of all others: nearest by distance, too, and one thread for each of UDP and TCP. */
export const gdnsd: ServerKind = {
  name: 'gdnsd',
  command: 'gdnsd',
  packages: ['gdnsd'],
  geography: 'distance',
  start: 'from-source',
  prepare,
};

async function prepare({ world, directory, port, geography, centers }: Assignment): Promise<ServerCommand> {
  for (const folder of ['zones', 'run', 'state']) mkdirSync(join(directory, folder), { recursive: true });
  const steered = world === 'million' ? [] : [`www ${STEERED_TTL_SECONDS} DYNA geoip!www`];
  await writeLines(join(directory, 'zones', APEX), [...zoneLines(world), ...steered]);
  const places = centers.map(({ name, latitude, longitude }) => `${name} => [ ${latitude}, ${longitude} ]`);
  const addresses = centers.map(({ name, address }) => `${name} => ${address}`);
  const plugin = `plugins => { geoip => {
  maps => { world => {
    geoip2_db => ${geography.mmdb}
    datacenters => [ ${centers.map(({ name }) => name).join(', ')} ]
    auto_dc_coords => { ${places.join(', ')} }
  } }
  resources => { www => { map => world, service_types => up, dcmap => { ${addresses.join(', ')} } } }
} }
`;
  writeFileSync(
    join(directory, 'config'),
    `options => {
  listen => { 127.0.0.1:${port} => { udp_threads => 1, tcp_threads => 1 } }
  run_dir => ${join(directory, 'run')}
  state_dir => ${join(directory, 'state')}
}
${world === 'million' ? '' : plugin}`,
  );
  return { command: 'gdnsd', args: ['-c', directory, 'start'] };
}
