import { lockHolder } from '../../store/directory-lock.ts';

/**
 * Ends, at once, a process that has the data directory and does not let go of it; no other one, whatever its number is
 * said to be. Returns whether it was there.
 */
export function endHolder(dataDirectory: string, pid: number): boolean {
  if (pid === process.pid || lockHolder(dataDirectory) !== pid) return false;
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}
