import { spawn } from 'node:child_process';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeQuietly } from '../disk/remove-quietly.ts';
import { StoreError } from './store-error.ts';

/**
 * LMDB maps its file into memory and trusts it: a truncated or overwritten file ends the process with a signal
 * instead of an error. So when the last close was not ours, or the file is not the one we closed (a crash, a
 * restored backup, a torn copy), another process reads it first.
 *
 *     <directory>/closed   size and time of change of database/data.mdb as the last clean close left it
 */
export async function assureReadable(directory: string, database: string): Promise<void> {
  const marker = join(directory, 'closed');
  const clean = readMarker(marker) === fingerprint(database);
  rmSync(marker, { force: true });
  if (!clean) await check(directory, database);
}

/** Leaves the note of a clean close; where the disk does not take it, the next start reads the database first. */
export function noteClosed(directory: string, database: string): void {
  const marker = join(directory, 'closed');
  try {
    writeFileSync(marker, fingerprint(database));
  } catch {
    removeQuietly(marker);
  }
}

function fingerprint(database: string): string {
  const { size, mtimeNs, ino } = statSync(join(database, 'data.mdb'), { bigint: true });
  return `${size} ${mtimeNs} ${ino}\n`;
}

function readMarker(marker: string): string | undefined {
  try {
    return readFileSync(marker, 'utf8');
  } catch {
    return undefined;
  }
}

/** Reading is limited by the disk: far more than the largest database needs, short of hanging for ever. */
const MAX_CHECK_MS = 300_000;

async function check(directory: string, database: string): Promise<void> {
  const script = new URL(
    `./check-database${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
    import.meta.url,
  );
  const outcome = await new Promise<string>((resolve) => {
    const child = spawn(process.execPath, [fileURLToPath(script), database], {
      stdio: 'ignore',
      timeout: MAX_CHECK_MS,
      killSignal: 'SIGKILL',
    });
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(code === 0 ? '' : (signal ?? `exit code ${code}`)));
  });
  if (outcome === '') return;
  throw new StoreError(
    'unreadable',
    `The database in ${directory} cannot be read: it is truncated or overwritten (the check ended with ${outcome}). ` +
      'Restore the directory from a backup, or move it away to start empty.',
  );
}
