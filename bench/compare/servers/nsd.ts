import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerCommand } from '../../ground/processes.ts';
import { APEX, writeLines, zoneLines } from '../../ground/zones.ts';
import type { Assignment, ServerKind } from '../server-kind.ts';

/** Static zones only; its rate limit is on unless told, and would drop what is measured. */
export const nsd: ServerKind = {
  name: 'nsd',
  command: 'nsd',
  packages: ['nsd'],
  geography: 'none',
  start: 'from-source',
  prepare,
};

async function prepare({ world, directory, port }: Assignment): Promise<ServerCommand> {
  mkdirSync(directory, { recursive: true });
  const zoneFile = join(directory, `${APEX}.zone`);
  await writeLines(zoneFile, zoneLines(world));
  const config = join(directory, 'nsd.conf');
  writeFileSync(
    config,
    `server:
  ip-address: 127.0.0.1@${port}
  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: "${directory}"
  zonelistfile: "${join(directory, 'zone.list')}"
  xfrdfile: "${join(directory, 'xfrd.state')}"
  xfrdir: "${directory}"
  pidfile: ""
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: ${APEX}
  zonefile: ${zoneFile}
`,
  );
  return { command: 'nsd', args: ['-d', '-c', config] };
}
