import { spawn } from 'node:child_process';
import { type InheritedSocket, LISTEN_PARENT } from './inherited-sockets.ts';
import type { SuccessorProcess } from './takeover-host.ts';

/**
 * Starts this program again as it was started, from what lies on disk now, and tells it to take over. It shares our
 * standard streams, gets the sockets that we were given, and outlives us. Throws where the system starts no process.
 */
export function spawnSuccessor(inherited: readonly InheritedSocket[]): SuccessorProcess {
  const [, program = '', ...args] = process.argv;
  const child = spawn(
    process.execPath,
    [...process.execArgv, program, ...args, ...(args.includes('--takeover') ? [] : ['--takeover'])],
    {
      // In their order from descriptor 3 on, as they came to us.
      stdio: ['inherit', 'inherit', 'inherit', ...inherited.map(({ descriptor }) => descriptor)],
      env: successorEnvironment(inherited),
    },
  );
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : signal));
    child.once('error', (error) => resolve(error.message));
  });
  child.unref();
  return { pid: child.pid ?? 0, ended, kill: () => void child.kill('SIGKILL') };
}

/** What the service manager has told us holds for the successor, but for our process number. */
function successorEnvironment(inherited: readonly InheritedSocket[]): NodeJS.ProcessEnv {
  const { WATCHDOG_PID: _, LISTEN_PID: __, LISTEN_FDS: ___, ...env } = process.env;
  if (inherited.length === 0) return env;
  return { ...env, LISTEN_FDS: String(inherited.length), [LISTEN_PARENT]: String(process.pid) };
}
