import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A whole node as its own process, from source, on ports that the system chose. */
export interface NodeProcess {
  readonly dnsPort: number;
  readonly api: string;
  readonly pid: number;
  /** Everything it printed so far, both streams. */
  readonly output: () => string;
  /** Stops reading what it prints, as a `tee` that has ended. */
  readonly stopReading: () => void;
  readonly signal: (name: NodeJS.Signals) => void;
  /** Sends the signal (SIGTERM unless told) and resolves with the exit code once the process is gone. */
  readonly stop: (name?: NodeJS.Signals) => Promise<number | null>;
  /** Resolves with the exit code once the process is gone. */
  readonly gone: Promise<number | null>;
}

/** The `meridian` command, from source. */
export const commandLine = join(import.meta.dirname, '..', '..', 'src', 'cli', 'meridian.ts');

/**
 * Starts a node and waits until it says where it listens; throws with its output when it ends before. `program` is run
 * in the place of the command line, `launcher` is a command that goes over to the node.
 */
export async function startNodeProcess(
  flags: readonly string[],
  env: Record<string, string> = {},
  program: string = commandLine,
  launcher: readonly string[] = [],
): Promise<NodeProcess> {
  const listen = ['--dns', '--api'].flatMap((flag) => (flags.includes(flag) ? [] : [flag, '127.0.0.1:0']));
  const child = spawnMeridian(['serve', ...listen, ...flags], env, program, launcher);
  let output = '';
  const gone = new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code)));
  const ready = new Promise<RegExpMatchArray>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        output += `${line}\n`;
        const found = line.match(/^meridian ready: dns=[\d.]+:(\d+) api=(http:\/\/[\d.]+:\d+)/);
        if (found !== null) resolve(found);
      });
    }
    void gone.then((code) => reject(new Error(`the node ended with code ${code}:\n${output}`)));
  });
  const [, port, api] = await ready;
  return {
    dnsPort: Number(port),
    api: api ?? '',
    pid: child.pid ?? 0,
    output: () => output,
    stopReading: () => {
      child.stdout?.destroy();
      child.stderr?.destroy();
    },
    signal: (name) => void child.kill(name),
    gone,
    stop: (name = 'SIGTERM') => {
      child.kill(name);
      return gone;
    },
  };
}

/** Runs the command to its end. */
export async function runMeridian(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawnMeridian(args, env);
  let output = '';
  child.stdout?.on('data', (chunk) => (output += chunk));
  child.stderr?.on('data', (chunk) => (output += chunk));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, output };
}

function spawnMeridian(
  args: readonly string[],
  env: Record<string, string>,
  program: string = commandLine,
  launcher: readonly string[] = [],
): ChildProcess {
  const [command = '', ...rest] = [...launcher, process.execPath, program, ...args];
  const child = spawn(command, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '', MERIDIAN_LOG_LEVEL: 'warn', ...env },
  });
  children.add(child);
  child.on('exit', () => children.delete(child));
  return child;
}

/** None outlives whoever started it, however that ends. */
const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** A directory that is gone when `remove` is called. */
export function temporaryDirectory(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'meridian-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
