import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../until.ts';
import { freePort } from './endpoint-process.ts';

/** As `npm run cluster` runs it: built. From source, the start of three nodes at once is much slower. */
const program = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'meridian.js');

export const canRunDemo = process.platform === 'linux' && existsSync(program);

/** Three nodes start side by side on a machine that others use, too. */
export const SLOW_MS = 60_000;

export interface Ports {
  readonly dns: number;
  readonly api: number;
  readonly flags: readonly string[];
}

/** `meridian cluster demo` as somebody at a terminal has it. */
export class Demo {
  readonly #child: ChildProcess;
  readonly gone: Promise<number | null>;
  output = '';

  constructor(directory: string, flags: readonly string[]) {
    const args = [program, 'cluster', 'demo', '--data', join(directory, 'cluster'), ...flags];
    this.#child = spawn(process.execPath, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH ?? '', MERIDIAN_LOG_LEVEL: 'warn', MERIDIAN_DNS: 'nobody minds this' },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk) => (this.output += chunk));
    this.gone = new Promise((resolve) => this.#child.on('close', resolve));
  }

  /** Types a line and waits for what is to come of it. */
  async type(line: string, wanted: RegExp): Promise<string> {
    const before = this.output.length;
    this.#child.stdin?.write(`${line}\n`);
    return this.#says(before, wanted);
  }

  ready(): Promise<string> {
    return this.#says(0, /cluster ready: fra, iad, sin\n[\s\S]*quit/);
  }

  /** Of the nodes, as `status` tells them. */
  async pids(): Promise<readonly number[]> {
    const told = await this.type('status', /sin: process \d+[\s\S]*as sin sees it[\s\S]*\n\n/);
    return [...told.matchAll(/: process (\d+)/g)].map(([, pid]) => Number(pid));
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  #says(from: number, wanted: RegExp): Promise<string> {
    return eventually(
      async () => {
        const said = this.output.slice(from);
        if (wanted.test(said)) return said;
        if (this.#child.exitCode !== null) throw new Error(`it has ended:\n${this.output}`);
        return undefined;
      },
      { withinMs: SLOW_MS, what: `${wanted}, but:\n${this.output.slice(from)}` },
    );
  }
}

export async function freePorts(): Promise<Ports> {
  const [dns, api, peer, dataCenter] = await Promise.all([1, 2, 3, 4].map(() => freePort('0.0.0.0')));
  const named = { 'dns-port': dns, 'api-port': api, 'peer-port': peer, 'demo-port': dataCenter };
  const flags = Object.entries(named).flatMap(([name, port]) => [`--${name}`, String(port)]);
  return { dns: dns ?? 0, api: api ?? 0, flags };
}
