import { mkdirSync, readdirSync } from 'node:fs';
import { reasonOf } from '../../config/problem.ts';
import { lockDirectory } from '../directory-lock.ts';
import { LmdbDatabase } from '../lmdb-database.ts';
import { addSealKeyText } from '../seal/seal-keys.ts';
import { StoreError } from '../store-error.ts';
import { type BackupSummary, checkBackup, readBackup } from './backup-file.ts';
import { CLUSTER_ID_ENTRY, SEAL_KEYS_ENTRY } from './backup-files.ts';

/** What the directory of a node has that has joined a cluster and did not start yet. */
const OF_A_NEW_NODE: readonly string[] = ['cluster', 'seal.key', 'lock', 'lock.holder'];

/**
 * Puts a backup into a data directory that has no store yet: an empty one, or that of a node that has just joined the
 * cluster that the backup is of, whose id is then given. The node that starts there is a new writer: it meets the
 * others as one that was away since the backup was made, and takes nothing back.
 * @throws StoreError `unreadable` when the backup is torn or none, or of another cluster, or the directory has
 *   something else in it; nothing has changed.
 */
export async function restoreBackup(
  file: string,
  directory: string,
  clusterId: string | undefined,
): Promise<BackupSummary> {
  const summary = await checkBackup(file);
  if (clusterId !== undefined) await refuseForeign(file, clusterId);
  makeEmptyDirectory(directory, clusterId === undefined ? [] : OF_A_NEW_NODE);
  const lock = lockDirectory(directory);
  try {
    // The keys first: a database without them would be one whose secrets nobody can read.
    for await (const { shelf, key, value } of readBackup(file)) {
      if (shelf === 'files' && key === SEAL_KEYS_ENTRY)
        addSealKeyText(directory, Buffer.from(value).toString());
    }
    await LmdbDatabase.fill(directory, readBackup(file));
  } finally {
    lock.release();
  }
  return summary;
}

/** What another cluster has would end up on every node of this one. */
async function refuseForeign(file: string, clusterId: string): Promise<void> {
  for await (const { shelf, key, value } of readBackup(file)) {
    if (shelf !== 'files' || key !== CLUSTER_ID_ENTRY) continue;
    if (Buffer.from(value).toString() === clusterId) return;
  }
  throw new StoreError(
    'unreadable',
    `The backup ${file} is not of the cluster that this node has joined. Nothing was changed.`,
  );
}

function makeEmptyDirectory(directory: string, allowed: readonly string[]): void {
  let found: readonly string[];
  try {
    mkdirSync(directory, { recursive: true });
    found = readdirSync(directory).filter((name) => !allowed.includes(name));
  } catch (thrown) {
    throw new StoreError(
      'unreadable',
      `The directory ${directory} cannot be made (${reasonOf(thrown)}).`,
      thrown,
    );
  }
  if (found.length === 0) return;
  throw new StoreError(
    'unreadable',
    `The directory ${directory} is not empty, and a backup is put into an empty one only. Nothing was changed.`,
  );
}
