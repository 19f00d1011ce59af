import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { identityFolder } from '../../cluster/identity/cluster-key.ts';
import { lockDirectory } from '../../store/directory-lock.ts';
import { openStore } from '../../store/open-store.ts';
import { CommandError } from '../command.ts';

/** Of the store, within a data directory. */
const DATABASE_FOLDER = 'database';

/** A data directory belongs to one cluster at most. */
export function refuseMember(directory: string): void {
  if (!existsSync(identityFolder(directory))) return;
  throw new CommandError(
    `the data directory ${directory} belongs to a node of a cluster already; take that out first (meridian cluster leave), or name another with --data`,
  );
}

/**
 * Holds a data directory that has no configuration, so that no node starts in it meanwhile. What it had would be mixed
 * into the cluster's, on every node.
 */
export async function holdEmptyDirectory(directory: string): Promise<{ release(): Promise<void> }> {
  refuseMember(directory);
  await mkdir(directory, { recursive: true });
  if (!existsSync(join(directory, DATABASE_FOLDER))) {
    const lock = lockDirectory(directory);
    return { release: async () => lock.release() };
  }
  const store = await openStore({ directory, now: () => new Date() });
  if (store.config.generation === 0) return { release: () => store.close() };
  await store.close();
  throw new CommandError(
    `the data directory ${directory} has configuration of its own, which would end up on every node; join with an empty one (--data), and put that configuration into the cluster afterwards`,
  );
}
