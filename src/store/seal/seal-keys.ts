import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '../../config/problem.ts';
import { StoreError } from '../store-error.ts';
import { SEAL_KEY_LENGTH } from './sealer.ts';

/**
 * The keys that seal secrets, in `<directory>/seal.key`, for nobody but its owner to read: one in each line, base64url.
 * The first seals; all of them open. A node makes a key of its own when it starts for the first time; when it joins a
 * cluster, the cluster's key comes before it.
 */
export type SealKeys = readonly [Uint8Array, ...Uint8Array[]];

/** A key for each cluster that a node was ever in, and one for each time a key was exchanged. */
const MAX_SEAL_KEYS = 64;

function pathOf(directory: string): string {
  return join(directory, 'seal.key');
}

/**
 * The keys of a data directory, made when there are none.
 * @throws StoreError `unreadable`; the message names the file.
 */
export function sealKeysOf(directory: string): SealKeys {
  const known = readSealKeys(directory);
  if (known !== undefined) return known;
  const made = newSealKey();
  writeSealKeys(directory, [made]);
  return [made];
}

export function newSealKey(): Uint8Array {
  return randomBytes(SEAL_KEY_LENGTH);
}

/** The keys of a data directory; undefined where there are none yet. */
export function readSealKeys(directory: string): SealKeys | undefined {
  const path = pathOf(directory);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined;
    throw new StoreError('unreadable', `The key file ${path} cannot be read (${reasonOf(thrown)}).`, thrown);
  }
  return parseSealKeys(text, path);
}

function parseSealKeys(text: string, path: string): SealKeys {
  const keys = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Buffer.from(line, 'base64url'));
  const [first, ...others] = keys;
  if (
    first === undefined ||
    keys.length > MAX_SEAL_KEYS ||
    keys.some((key) => key.length !== SEAL_KEY_LENGTH)
  ) {
    throw new StoreError(
      'unreadable',
      `The key file ${path} is damaged: each line must be a key of ${SEAL_KEY_LENGTH} octets in base64url. ` +
        'Restore it from a backup; without it the secrets in the configuration cannot be read.',
    );
  }
  return [first, ...others];
}

/**
 * From now on this key seals; those there were still open. The store takes it up the next time it is opened.
 * @throws StoreError `unreadable` or `write-failed`.
 */
export function putSealKeyFirst(directory: string, key: Uint8Array): void {
  const known = readSealKeys(directory) ?? [];
  const others = known.filter((other) => !Buffer.from(other).equals(key));
  writeSealKeys(directory, [key, ...others.slice(0, MAX_SEAL_KEYS - 1)]);
}

/** The keys as they stand in the file, for a backup. */
export function formatSealKeys(keys: SealKeys): string {
  return keys.map((key) => `${Buffer.from(key).toString('base64url')}\n`).join('');
}

/**
 * Takes the keys of a backup into a directory, after those that it has.
 * @throws StoreError `unreadable` or `write-failed`.
 */
export function addSealKeyText(directory: string, text: string): void {
  const given = parseSealKeys(text, pathOf(directory));
  const known = readSealKeys(directory) ?? [];
  const isNew = (key: Uint8Array): boolean => !known.some((one) => Buffer.from(one).equals(key));
  const [first, ...others] = [...known, ...given.filter(isNew)].slice(0, MAX_SEAL_KEYS);
  if (first !== undefined) writeSealKeys(directory, [first, ...others]);
}

/** Whole and on disk, or not at all: without it secrets are lost. */
export function writeSealKeys(directory: string, keys: SealKeys): void {
  const path = pathOf(directory);
  const made = `${path}.new`;
  try {
    rmSync(made, { force: true });
    const file = openSync(made, 'wx', 0o600);
    try {
      writeSync(file, formatSealKeys(keys));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(made, path);
  } catch (thrown) {
    throw new StoreError(
      'write-failed',
      `The key file ${path} cannot be written (${reasonOf(thrown)}).`,
      thrown,
    );
  }
}
