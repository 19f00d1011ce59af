import { mkdirSync, readdirSync } from 'node:fs';
import { lockDirectory } from '../directory-lock.ts';
import { LmdbDatabase } from '../lmdb-database.ts';
import { writeSealKeyText } from '../seal/seal-keys.ts';
import { reasonOf, StoreError } from '../store-error.ts';
import { type BackupSummary, checkBackup, readBackup } from './backup-file.ts';
import { SEAL_KEYS_ENTRY } from './seal-keys-entry.ts';

/**
 * Puts a backup into a data directory that has no store yet. The node that starts there is a new writer: it meets the
 * others as one that was away since the backup was made, and takes nothing back.
 * @throws StoreError `unreadable` when the backup is torn or none, or the directory is not empty; nothing has changed.
 */
export async function restoreBackup(file: string, directory: string): Promise<BackupSummary> {
  const summary = await checkBackup(file);
  makeEmptyDirectory(directory);
  const lock = lockDirectory(directory);
  try {
    // The keys first: a database without them would be one whose secrets nobody can read.
    for await (const { shelf, key, value } of readBackup(file)) {
      if (shelf === 'files' && key === SEAL_KEYS_ENTRY)
        writeSealKeyText(directory, Buffer.from(value).toString());
    }
    await LmdbDatabase.fill(directory, readBackup(file));
  } finally {
    lock.release();
  }
  return summary;
}

function makeEmptyDirectory(directory: string): void {
  let found: readonly string[];
  try {
    mkdirSync(directory, { recursive: true });
    found = readdirSync(directory);
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
