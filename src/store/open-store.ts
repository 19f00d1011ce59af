import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { reasonOf } from '../config/problem.ts';
import { createStore } from './automerge-store.ts';
import type { BackupEntry } from './backup/backup-file.ts';
import { CLUSTER_ID_ENTRY, SEAL_KEYS_ENTRY } from './backup/backup-files.ts';
import { type DirectoryLock, lockDirectory } from './directory-lock.ts';
import { LmdbDatabase } from './lmdb-database.ts';
import type { ReplicatedStore } from './replicated-store.ts';
import { formatSealKeys, type SealKeys, sealKeysOf } from './seal/seal-keys.ts';
import { createSealer } from './seal/sealer.ts';
import { StoreError } from './store-error.ts';

interface StoreSettings {
  /** The store's own directory; made when missing. */
  readonly directory: string;
  /** The wall clock; only shown to people. */
  readonly now: () => Date;
  /** This node's name, shown with all that it writes. */
  readonly node?: string | undefined;
  /** Of the cluster that the node belongs to; backups name it. */
  readonly clusterId?: string | undefined;
  /** The directory's lock where the caller has it already; the store releases it. */
  readonly lock?: DirectoryLock | undefined;
}

/** Octets of an actor: as many as a UUID has. */
const ACTOR_LENGTH = 16;

/**
 * Opens the store of a data directory, made anew when there is none.
 * @throws StoreError `in-use`, `unreadable`, `damaged` or `newer-format`; the message names the directory.
 */
export async function openStore(settings: StoreSettings): Promise<ReplicatedStore> {
  const { directory, now, node = '', lock: held } = settings;
  try {
    mkdirSync(directory, { recursive: true });
  } catch (thrown) {
    throw new StoreError(
      'unreadable',
      `The data directory ${directory} cannot be made (${reasonOf(thrown)}).`,
      thrown,
    );
  }
  const lock = held ?? lockDirectory(directory);
  let database: LmdbDatabase | undefined;
  try {
    database = await LmdbDatabase.open(directory);
    const keys = sealKeysOf(directory);
    return createStore({
      database,
      release: () => lock.release(),
      now,
      node,
      sealer: createSealer(keys),
      actor: newActor(),
      backupEntries: backupOf(database, keys, settings.clusterId ?? ''),
    });
  } catch (thrown) {
    try {
      await database?.close();
    } finally {
      lock.release();
    }
    throw thrown instanceof StoreError && thrown.code === 'damaged' ? damagedIn(directory, thrown) : thrown;
  }
}

/**
 * The engine numbers an actor's changes and takes two of the same number for the same. A directory that was copied or
 * put back from a backup would number its changes as the original did; so each time it is opened, somebody new writes.
 */
function newActor(): string {
  return randomBytes(ACTOR_LENGTH).toString('hex');
}

/** What a backup takes: the database, and without the keys its secrets would be lost. */
function backupOf(database: LmdbDatabase, keys: SealKeys, clusterId: string): () => Generator<BackupEntry> {
  return function* () {
    const records = database.entries();
    // The first one is read before anything else: it fixes the moment that all are of.
    const first = records.next();
    try {
      yield { shelf: 'files', key: CLUSTER_ID_ENTRY, value: Buffer.from(clusterId) };
      yield { shelf: 'files', key: SEAL_KEYS_ENTRY, value: Buffer.from(formatSealKeys(keys)) };
      if (first.done !== true) yield first.value;
      yield* records;
    } finally {
      records.return(undefined);
    }
  };
}

function damagedIn(directory: string, error: StoreError): StoreError {
  const message = `The data in ${directory} is damaged: ${error.message} Restore the directory from a backup.`;
  return error.message.includes(directory) ? error : new StoreError('damaged', message, error);
}
