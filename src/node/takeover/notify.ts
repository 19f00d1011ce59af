import { execFile } from 'node:child_process';
import { loadNative } from '../../server/native.ts';
import type { Environment } from './inherited-sockets.ts';

/** What the system's service manager is told (sd_notify(3)); nobody listens outside of a unit, and that is fine. */
export interface Notifier {
  /** Up and serving; also ends `reloading`. */
  ready(status: string): void;
  reloading(): void;
  stopping(): void;
  /** One line that `systemctl status` shows. */
  status(text: string): void;
  /** Another process goes on in this one's place. */
  successor(pid: number): void;
  /** Ends the signs of life. */
  close(): void;
}

const SILENT: Notifier = {
  ready: () => undefined,
  reloading: () => undefined,
  stopping: () => undefined,
  status: () => undefined,
  successor: () => undefined,
  close: () => undefined,
};

/** Two signs of life in the time that one may take, as sd_watchdog_enabled(3) advises. */
const SIGNS_PER_WATCHDOG_TIME = 2;

/**
 * Speaks to the manager that `env` names. By the addon; without it by the command `systemd-notify`, which takes some
 * milliseconds and must be allowed by the unit (`NotifyAccess=all`). `onFailure` is told once when neither works.
 */
export function createNotifier(env: Environment, onFailure: (error: unknown) => void): Notifier {
  const path = env.NOTIFY_SOCKET;
  if (path === undefined || !/^[/@]/.test(path)) return SILENT;
  let failed = false;
  const fail = (error: unknown): void => {
    if (!failed) onFailure(error);
    failed = true;
  };
  const send = sender(path, fail);
  const signs = signsOfLife(env, () => send(['WATCHDOG=1']));
  return {
    ready: (status) => send(['READY=1', `STATUS=${status}`, `MAINPID=${process.pid}`]),
    reloading: () => send(['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`]),
    stopping: () => send(['STOPPING=1', 'STATUS=answering what has arrived, then ending']),
    status: (text) => send([`STATUS=${text}`]),
    successor: (pid) => send([`MAINPID=${pid}`, `STATUS=process ${pid} goes on`]),
    close: () => clearInterval(signs),
  };
}

function sender(path: string, fail: (error: unknown) => void): (lines: readonly string[]) => void {
  const loaded = loadNative();
  if ('native' in loaded)
    return (lines) => {
      try {
        loaded.native.notify(path, lines.join('\n'));
      } catch (error) {
        fail(error);
      }
    };
  return (lines) => {
    execFile('systemd-notify', lines, { env: { ...process.env, NOTIFY_SOCKET: path } }, (error) => {
      if (error !== null) fail(error);
    });
  };
}

/** From this thread's event loop: when that stands still, the manager restarts the node. */
function signsOfLife(env: Environment, sign: () => void): NodeJS.Timeout | undefined {
  const microseconds = Number(env.WATCHDOG_USEC);
  const forUs = env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === process.pid;
  if (!forUs || !(microseconds > 0)) return undefined;
  return setInterval(sign, microseconds / 1000 / SIGNS_PER_WATCHDOG_TIME).unref();
}
