import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { reasonOf } from '../config/problem.ts';
import { removeQuietly } from '../disk/remove-quietly.ts';
import { StoreError } from './store-error.ts';

const HOLDER_FILE = 'lock.holder';

/** Held for as long as the store is open. */
export interface DirectoryLock {
  release(): void;
}

/**
 * Makes sure that one process at a time has the data directory.
 *
 * The lock is the operating system's own, taken through an empty SQLite database (`lock`) because Node has no
 * call for it: the kernel drops it when the process dies, however it dies, so that there is no stale lock to
 * take over, no process id to compare and no race between two that both find a leftover.
 * `lock.holder` only tells people who it is.
 * @throws StoreError `in-use` when another store has it, `unreadable` when the lock cannot be made.
 */
export function lockDirectory(directory: string): DirectoryLock {
  const holderFile = join(directory, HOLDER_FILE);
  const lock = openLock(directory);
  try {
    // Nothing is ever written; without a journal file SQLite leaves `lock` as its only trace.
    lock.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (thrown) {
    lock.close();
    if (!/locked|busy/i.test(reasonOf(thrown))) throw unlockable(directory, thrown);
    throw new StoreError(
      'in-use',
      `The data directory ${directory} is in use by ${holder(holderFile)}. ` +
        'Stop that one first, or give this one a data directory of its own.',
    );
  }
  nameHolder(holderFile);
  return {
    release: () => {
      removeQuietly(holderFile);
      lock.close();
    },
  };
}

/** On a full disk the lock holds all the same, and then names nobody. */
function nameHolder(file: string): void {
  try {
    writeFileSync(file, `${process.pid}\n`);
  } catch {
    removeQuietly(file);
  }
}

/** The process that has the directory; undefined where nobody has it, or it could not say so. */
export function lockHolder(directory: string): number | undefined {
  return readHolder(join(directory, HOLDER_FILE));
}

function readHolder(file: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function openLock(directory: string): DatabaseSync {
  try {
    return new DatabaseSync(join(directory, 'lock'));
  } catch (thrown) {
    throw unlockable(directory, thrown);
  }
}

function unlockable(directory: string, cause: unknown): StoreError {
  return new StoreError(
    'unreadable',
    `The data directory ${directory} cannot be locked (${reasonOf(cause)}). ` +
      'It must be writable and on a file system with locks.',
    cause,
  );
}

function holder(file: string): string {
  const pid = readHolder(file);
  return pid === undefined ? 'another process' : `process ${pid}`;
}
