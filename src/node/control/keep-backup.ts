import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { BackupReport } from '../../api/control-plane.ts';
import type { ReplicatedStore } from '../../store/replicated-store.ts';

/** Within the data directory. */
const BACKUP_FOLDER = 'backups';

/** Writes a backup of the running node beside its data, named by the moment; whoever wants it elsewhere copies it. */
export async function keepBackup(
  store: ReplicatedStore,
  dataDirectory: string,
  nowMs: number,
): Promise<BackupReport> {
  const folder = resolve(join(dataDirectory, BACKUP_FOLDER));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const moment = new Date(nowMs).toISOString().replaceAll(':', '-');
  const path = join(folder, `${moment}.backup`);
  const { entries, octets } = await store.backup(path);
  return { path, entries, octets };
}
