import { readFile } from 'node:fs/promises';
import { formatProblems } from './config/format-problem.ts';
import { DemoListenError } from './demo/data-centers.ts';
import { StartError } from './node/start-error.ts';
import { startNode } from './node/start-node.ts';
import { welcome } from './node/welcome.ts';
import { createLogger } from './observe/log.ts';
import { ListenError } from './server/listen-address.ts';
import { parseToken, type Settings, type TokenSource } from './settings.ts';
import { StoreError } from './store/store-error.ts';
import { packageVersion } from './version.ts';

/** A second Ctrl-C within this time is the same one: npm and the terminal both pass it on. */
const SAME_SIGNAL_MS = 1000;

/**
 * Runs a node until it is told to stop. Resolves with the exit code: 0 after SIGINT or SIGTERM, 1 when it could not
 * start, with the reason on standard error.
 */
export async function serve(settings: Settings): Promise<number> {
  const log = createLogger(settings.logLevel);
  // From here on a signal means an orderly end, also in the middle of a start.
  const told = listenForSignals();
  try {
    const token = await readToken(settings.token);
    const node = await startNode({ settings, token, version: packageVersion(), log });
    process.stdout.write(welcome(node, settings));
    told.onReload(() => void node.reload());
    await told.stop;
    process.stdout.write('meridian stops\n');
    await node.stop();
    return 0;
  } catch (error) {
    const reason = reasonFor(error);
    if (reason === undefined) throw error;
    process.stderr.write(`meridian cannot start: ${reason}\n`);
    return 1;
  }
}

interface Signals {
  /** Resolves on SIGINT or SIGTERM. A second, later one ends the process at once. */
  readonly stop: Promise<void>;
  /** Calls back on SIGHUP; one that came before is made up for. */
  readonly onReload: (reload: () => void) => void;
}

function listenForSignals(): Signals {
  let early = false;
  let reload = (): void => {
    early = true;
  };
  process.on('SIGHUP', () => reload());
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
  return {
    stop,
    onReload: (callback) => {
      reload = callback;
      if (early) callback();
    },
  };
}

/** A sentence for what an operator can mend; undefined for a bug. */
function reasonFor(error: unknown): string | undefined {
  if (error instanceof StartError) return formatProblems(error.problems);
  const known = [ListenError, StoreError, DemoListenError].some((kind) => error instanceof kind);
  return known && error instanceof Error ? error.message : undefined;
}

async function readToken(source: TokenSource): Promise<string | undefined> {
  if (source.kind === 'none') return undefined;
  if (source.kind === 'text') return source.text;
  let text: string;
  try {
    text = await readFile(source.file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `the token file ${source.file} cannot be read (${why}); create it or correct --token-file`;
    throw new StartError([{ code: 'unreadable-token', path: '', message }]);
  }
  const token = parseToken(text, source.file);
  if (!token.ok) throw new StartError(token.problems);
  return token.value;
}
