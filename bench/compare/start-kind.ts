import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../ground/free-port.ts';
import type { DataCenter, Geography } from '../ground/geography.ts';
import {
  installPackages,
  isInstalled,
  type ServerProcess,
  startServer,
  untilAtRest,
} from '../ground/processes.ts';
import { APEX, type World } from '../ground/zones.ts';
import type { ServerKind } from './server-kind.ts';
import { type ServerName, serverKinds } from './servers/index.ts';

/** What the servers of one run have in common. */
export interface Ground {
  readonly geography: Geography;
  readonly centers: readonly DataCenter[];
  /** Every server gets a folder in it. */
  readonly directory: string;
  /** Where servers run; undefined for wherever the system likes. */
  readonly core: number | undefined;
  readonly say: (text: string) => void;
}

/** Starts a server; undefined, with a word, where it is not installed or does not start. */
export async function startKind(
  ground: Ground,
  name: ServerName,
  world: World,
): Promise<ServerProcess | undefined> {
  const kind: ServerKind = serverKinds[name];
  const { say } = ground;
  if (kind.command !== '' && !isInstalled(kind.command)) installPackages(kind.packages);
  if (kind.command !== '' && !isInstalled(kind.command)) {
    say(`${name} is left out: ${kind.command} is not installed (Debian: ${kind.packages.join(', ')})`);
    return undefined;
  }
  try {
    return await startInstalled(ground, kind, world);
  } catch (error) {
    say(`${name} is left out: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

async function startInstalled(ground: Ground, kind: ServerKind, world: World): Promise<ServerProcess> {
  const { geography, centers, core, say } = ground;
  const directory = join(ground.directory, `${kind.name}-${world}`);
  mkdirSync(directory, { recursive: true });
  const port = await freePort();
  const command = await kind.prepare({ world, directory, port, geography, centers });
  const start = async (): Promise<ServerProcess> => {
    const started = performance.now();
    const place = { port, core, name: `host-1.${APEX}`, log: join(directory, 'log') };
    const server = await startServer(command, place);
    say(`${kind.name} serves the ${world} zone after ${((performance.now() - started) / 1000).toFixed(1)} s`);
    await untilAtRest(server);
    return server;
  };
  const first = await start();
  if (kind.start === 'from-source') return first;
  // What compiles once and then starts from images is measured as it is on every later day.
  await first.stop();
  return start();
}
