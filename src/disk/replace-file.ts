import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';

export interface Replacement {
  /** Permissions of the new file; 0o666 less what the process's umask takes, unless told. */
  readonly mode?: number;
  /** `wait`: returns when the octets are on disk, so that no loss of power leaves half of them under that name. */
  readonly sync?: 'wait' | 'later';
}

/**
 * Writes beside the file and swaps, so that whoever reads it finds the old one or the new one, whole. Throws as the
 * system does where the disk does not take it; what was there then stays. The directory must be there.
 */
export function replaceFileSync(
  path: string,
  pieces: readonly Uint8Array[],
  { mode = 0o666, sync = 'later' }: Replacement = {},
): void {
  const half = halfOf(path);
  try {
    const file = openSync(half, 'w', mode);
    try {
      for (const piece of pieces) {
        let at = 0;
        while (at < piece.length) at += writeSync(file, piece, at);
      }
      if (sync === 'wait') fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(half, path);
  } catch (error) {
    rmSync(half, { force: true });
    throw error;
  }
}

/** The same without keeping the thread; pieces are asked for one after the other, as the disk takes them. */
export async function replaceFile(
  path: string,
  content: string | Iterable<Uint8Array>,
  { mode = 0o666, sync = 'later' }: Replacement = {},
): Promise<void> {
  const half = halfOf(path);
  try {
    const file = await open(half, 'w', mode);
    try {
      await file.writeFile(content);
      if (sync === 'wait') await file.sync();
    } finally {
      await file.close();
    }
    await rename(half, path);
  } catch (error) {
    await rm(half, { force: true });
    throw error;
  }
}

/** A process that takes over may write the same file. */
function halfOf(path: string): string {
  return `${path}.${process.pid}.new`;
}
