import { bootDns } from './node/boot/boot-dns.ts';
import type { NodeSignals } from './node/run-node.ts';
import type { Settings } from './settings.ts';

/** A second Ctrl-C within this time is the same one: npm and the terminal both pass it on. */
const SAME_SIGNAL_MS = 1000;

/**
 * Runs a node until it is told to stop. Resolves with the exit code: 0 after SIGINT or SIGTERM, or when another
 * process has taken over; 1 when it could not start, with the reason on standard error.
 *
 * In two steps, so that a restart is short: first DNS is served from what was served last, with as little code as
 * that takes; then everything else is loaded.
 */
export async function serve(settings: Settings): Promise<number> {
  // From here on a signal means an orderly end, also in the middle of a start.
  const signals = listenForSignals();
  const booted = await bootDns(settings);
  if ('refusal' in booted) {
    process.stderr.write(`meridian cannot start: ${booted.refusal}\n`);
    return 1;
  }
  const { runNode } = await import('./node/run-node.ts');
  return runNode({ ...booted, signals });
}

function listenForSignals(): NodeSignals {
  const reload = lateCall();
  const restart = lateCall();
  process.on('SIGHUP', reload.call);
  process.on('SIGUSR2', restart.call);
  const stop = new Promise<void>((resolve) => {
    let firstMs: number | undefined;
    const end = (): void => {
      const nowMs = performance.now();
      if (firstMs !== undefined && nowMs - firstMs > SAME_SIGNAL_MS) process.exit(130);
      firstMs ??= nowMs;
      resolve();
    };
    process.on('SIGINT', end);
    process.on('SIGTERM', end);
  });
  return { stop, onReload: reload.set, onRestart: restart.set };
}

/** Calls what was set; a call that comes before is made up for, once. */
function lateCall(): { readonly call: () => void; readonly set: (callback: () => void) => void } {
  let early = false;
  let callback: (() => void) | undefined;
  return {
    call: () => {
      if (callback === undefined) early = true;
      else callback();
    },
    set: (given) => {
      callback = given;
      if (early) given();
      early = false;
    },
  };
}
