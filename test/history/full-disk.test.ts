import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { HistoryDatabase } from '../../src/history/history-database.ts';

/** In blocks of 512 octets: room for some hundred batches, each of which writes several pages of 4 KiB. */
const FILE_LIMIT = 4000;

it('a full disk refuses a batch, spoils nothing, and is no reason to start anew', () => {
  const directory = mkdtempSync(join(tmpdir(), 'meridian-history-'));
  try {
    const path = join(directory, 'history.sqlite');
    const child = join(import.meta.dirname, 'full-disk-child.ts');
    const command = `ulimit -f ${FILE_LIMIT}; exec "$0" "$@"`;
    const run = spawnSync('sh', ['-c', command, process.execPath, child, path], { encoding: 'utf8' });
    const told = JSON.parse(run.stdout);
    expect(told).toEqual({
      taken: told.taken,
      read: told.taken,
      trouble: { movedAside: undefined, inMemory: undefined, startedAnew: 0 },
    });
    expect(told.taken).toBeGreaterThan(20);
    const again = new HistoryDatabase({ path, retention: { days: 90, mebibytes: 64 } });
    expect([again.trouble.startedAnew, again.incidents({ limit: 100_000 }).items.length]).toEqual([
      0,
      told.taken,
    ]);
    again.close();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
