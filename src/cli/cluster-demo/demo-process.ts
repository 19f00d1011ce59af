import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { workerUrl } from '../../worker-url.ts';

/** What a node says once it serves; see `node/welcome.ts`. */
const READY = 'meridian ready:';

/** As much of what a node said as is told when it ends by itself. */
const MAX_TOLD_LENGTH = 2000;

/** A node that has not ended by then, after it was asked to, is ended. */
const STOP_LIMIT_MS = 10_000;

export interface DemoProcess {
  readonly pid: number;
  /** Resolves when it serves; rejects, with what it said, when it ends before. */
  readonly ready: Promise<void>;
  /** Resolves when it is gone. */
  readonly gone: Promise<void>;
  /** As a loss of power: nothing is put in order. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a node as a process of its own, whose output goes to a file. */
export function startDemoProcess(flags: readonly string[], logFile: string): DemoProcess {
  const program = fileURLToPath(workerUrl(import.meta.url, './node-child'));
  const child = spawn(process.execPath, [...process.execArgv, program, 'serve', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: ownEnvironment(),
  });
  const log = createWriteStream(logFile, { flags: 'a' });
  // A full disk must not end what is shown.
  log.on('error', () => undefined);
  let said = '';
  const gone = new Promise<void>((resolve) => {
    child.once('close', () => {
      log.end();
      resolve();
    });
  });
  const ready = new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        log.write(chunk);
        said = `${said}${chunk}`.slice(-MAX_TOLD_LENGTH);
        if (said.includes(READY)) resolve();
      });
    child.once('error', reject);
    void gone.then(() => reject(new Error(said.trim() === '' ? 'it said nothing' : said.trim())));
  });
  // Whoever waits for it is told; nobody may wait.
  ready.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    ready,
    gone,
    kill: async () => {
      child.kill('SIGKILL');
      await gone;
    },
    stop: () => stop(child, gone),
  };
}

async function stop(child: ChildProcess, gone: Promise<void>): Promise<void> {
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await gone;
  clearTimeout(late);
}

/** What is set for another node must not reach these; how much they log may. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env);
  return Object.fromEntries(
    entries.filter(([name]) => !name.startsWith('MERIDIAN_') || name === 'MERIDIAN_LOG_LEVEL'),
  );
}
