import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory that is gone when the benchmark ends, by a signal too; `keep` leaves it and says where it is. */
export function temporaryDirectory(name: string, afterwards: 'remove' | 'keep' = 'remove'): string {
  const path = mkdtempSync(join(tmpdir(), `meridian-${name}-`));
  process.on('exit', () => {
    if (afterwards === 'keep') console.error(`bench: configurations and logs are in ${path}`);
    else rmSync(path, { recursive: true, force: true });
  });
  return path;
}
