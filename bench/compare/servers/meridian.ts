import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../ground/free-port.ts';
import type { DataCenter } from '../../ground/geography.ts';
import type { ServerCommand } from '../../ground/processes.ts';
import { APEX, STEERED, STEERED_TTL_SECONDS, writeLines, zoneLines } from '../../ground/zones.ts';
import type { Assignment, ServerKind } from '../server-kind.ts';

/** The built program: what people run, without the cost of stripping types. */
export const meridianProgram = fileURLToPath(new URL('../../../dist/cli/meridian.js', import.meta.url));

/** Our own, as people start it: with the addon, and with cookies. One worker, as it is given one core. */
export const meridian: ServerKind = kindOf('meridian');

/** Our own on Node's sockets. */
export const meridianWithoutAddon: ServerKind = kindOf('meridian-node', { sockets: 'node' });

/** Our own with response rate limiting, too; no single prefix of the load comes near the limit. */
export const meridianProtected: ServerKind = kindOf('meridian-protected', {
  protection: 'cookies: { enabled: true }\nrateLimit: { responsesPerSecond: 100000 }\n',
});

/** Our own without cookies. */
export const meridianBare: ServerKind = kindOf('meridian-bare', {
  protection: 'cookies: { enabled: false }\n',
});

function kindOf(
  name: string,
  special: { readonly sockets?: 'node'; readonly protection?: string } = {},
): ServerKind {
  const prepare = async (assignment: Assignment): Promise<ServerCommand> => {
    const config = await writeMeridianConfiguration(assignment);
    const flags = await serveArguments(assignment, config);
    const { sockets, protection } = special;
    return {
      command: process.execPath,
      args: [meridianProgram, ...flags, ...protectionFlags(assignment.directory, protection)],
      env: {
        MERIDIAN_DNS_WORKERS: '1',
        MERIDIAN_LOG_LEVEL: 'warn',
        ...(sockets === undefined ? {} : { MERIDIAN_SOCKETS: sockets }),
      },
    };
  };
  return { name, command: '', packages: [], geography: 'distance', start: 'from-images', prepare };
}

function protectionFlags(directory: string, text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  const file = join(directory, 'protection.yaml');
  writeFileSync(file, text);
  return ['--protection', file];
}

/** The flags of a node that serves this configuration. */
export async function serveArguments(
  { world, directory, port, geography }: Omit<Assignment, 'centers'>,
  config: string,
): Promise<readonly string[]> {
  const api = `127.0.0.1:${await freePort()}`;
  const where = ['--dns', `127.0.0.1:${port}`, '--api', api, '--data', join(directory, 'data')];
  // No server has geography to hold beside the million names; ours then has the table that it ships with.
  return ['serve', '--config', config, ...where, ...(world === 'million' ? [] : ['--geo', geography.mmdb])];
}

/** The configuration directory; its endpoints have no monitor, so that nothing is probed while it is measured. */
export async function writeMeridianConfiguration({ world, directory, centers }: Assignment): Promise<string> {
  const config = join(directory, 'config');
  mkdirSync(config, { recursive: true });
  await writeLines(join(config, `${APEX}.zone`), zoneLines(world));
  writeFileSync(join(config, 'meridian.yaml'), world === 'million' ? '{}\n' : steering(centers));
  return config;
}

/** Places, a pool with an endpoint in each, and the steered name that goes to the nearest. */
export function steering(centers: readonly DataCenter[]): string {
  return [
    'dataCenters:',
    ...centers.map(
      ({ name, latitude, longitude }) =>
        `  - { name: ${name}, latitude: ${latitude}, longitude: ${longitude} }`,
    ),
    'pools:',
    '  - name: web',
    '    endpoints:',
    ...centers.map(
      ({ name, address }) => `      - { name: ${name}, dataCenter: ${name}, address: ${address} }`,
    ),
    'policies:',
    '  - { name: closest, rank: { kind: nearest } }',
    'steeredNames:',
    `  - { name: ${STEERED}, pool: web, policy: closest, ttlSeconds: ${STEERED_TTL_SECONDS} }`,
    '',
  ].join('\n');
}
