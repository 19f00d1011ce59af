import { spawnSync } from 'node:child_process';

/** Debian puts servers where the search path of people does not lead. */
export const withServers = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin` };

export function isInstalled(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`], { env: withServers }).status === 0;
}
