import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEMO_PORT } from '../../demo/demo-port.ts';
import { type DirectoryLock, lockDirectory } from '../../store/directory-lock.ts';
import { CommandError } from '../command.ts';

/** From the sources and from the built program alike. */
const demoConfiguration = fileURLToPath(new URL('../../../demo', import.meta.url));

/** Says that a directory is ours to delete. */
const MARK_FILE = 'made-by-meridian-cluster-demo';

/**
 * Makes the directory of the demo cluster, empty where that is wanted, and keeps it from other demos until it is
 * released.
 */
export async function openDemoDirectory(
  directory: string,
  before: 'kept' | 'deleted',
): Promise<DirectoryLock> {
  const mark = join(directory, MARK_FILE);
  const isOther = existsSync(directory) && !existsSync(mark) && (await readdir(directory)).length > 0;
  if (isOther)
    throw new CommandError(
      `${directory} holds other files than a demo cluster's; name another directory with --data`,
    );
  await mkdir(directory, { recursive: true });
  const lock = lockDirectory(directory);
  await writeFile(mark, 'meridian cluster demo --fresh empties this directory.\n');
  if (before === 'deleted')
    for (const name of await readdir(directory))
      if (name !== MARK_FILE && !name.startsWith('lock'))
        await rm(join(directory, name), { recursive: true, force: true });
  return lock;
}

/** The demo's configuration with the port that its data centers listen on; resolves with the directory to serve. */
export async function writeDemoConfiguration(directory: string, dataCenterPort: number): Promise<string> {
  const configuration = join(directory, 'config');
  await cp(demoConfiguration, configuration, { recursive: true });
  const file = join(configuration, 'meridian.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replaceAll(`port: ${DEMO_PORT}\n`, `port: ${dataCenterPort}\n`));
  return configuration;
}
