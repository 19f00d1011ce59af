import { rmSync } from 'node:fs';

/** Removes a file that only tells something; where it stays, nothing is lost. */
export function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // On a disk that has become read-only, for one.
  }
}
