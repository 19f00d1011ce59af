/* The load generator in `bench/load`: compiled when its sources have changed, run once per measurement. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheDirectory } from './cache.ts';

const sources = fileURLToPath(new URL('../load', import.meta.url));

export interface LoadOptions {
  readonly port: number;
  /** `NAME TYPE [EXPECTED]` a line; see bench/load/questions.c. */
  readonly names: string;
  readonly transport?: 'udp' | 'tcp-pipelined' | 'tcp-one' | 'tcp-connect';
  readonly sockets?: number;
  readonly window?: number;
  readonly seconds?: number;
  readonly warmup?: number;
  readonly queries?: number;
  /** Queries a second by schedule, instead of a closed loop. */
  readonly rate?: number;
  readonly timeout?: number;
  /** `none`, `v4`, `v6` or a file of prefixes. */
  readonly ecs?: string;
  readonly 'source-length'?: number;
  readonly zipf?: number;
  readonly edns?: number;
  /** Flags without a value. */
  readonly flags?: readonly ('do' | 'cookies' | 'segments' | 'first-answer' | 'sleep' | 'real-time')[];
  readonly sources?: number;
  readonly cpu?: number;
  /** Processes whose CPU time is reported. */
  readonly watch?: readonly number[];
  readonly poll?: number;
  readonly seed?: number;
}

/** What the generator reports; times in microseconds. */
export interface LoadReport {
  readonly queries: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly cpuSeconds: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
  /** Share of the generator's reads that found nothing; near 0 it is itself what limits. */
  readonly emptyReads: number;
  readonly sent: number;
  readonly lost: number;
  /** Of the lost ones, those that the generator itself could not send in time. */
  readonly notSent: number;
  /** Connections that the server ended. */
  readonly resets: number;
  readonly badCookies: number;
  readonly wrong: number;
  readonly wrongBy: Readonly<Record<string, number>>;
}

/** The first compiler there is; undefined without one. */
export function findCompiler(): string | undefined {
  return [process.env.CC, 'cc', 'gcc', 'clang'].find(
    (name): name is string =>
      name !== undefined && name !== '' && spawnSync('sh', ['-c', `command -v ${name}`]).status === 0,
  );
}

/** The path of the compiled generator; throws where it cannot be compiled. */
export function buildLoad(): string {
  const files = readdirSync(sources).sort();
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(join(sources, file)));
  const output = join(cacheDirectory(), `load-${hash.digest('hex').slice(0, 12)}`);
  if (existsSync(output)) return output;
  const compiler = findCompiler();
  if (compiler === undefined)
    throw new Error('no C compiler for the load generator (Debian: apt-get install gcc)');
  const inputs = files.filter((file) => file.endsWith('.c')).map((file) => join(sources, file));
  // Two runs at once may compile it; a rename lets neither see half a file.
  const fresh = `${output}.${process.pid}`;
  const done = spawnSync(
    compiler,
    ['-std=gnu11', '-O3', '-Wall', '-Wextra', '-Werror', '-o', fresh, ...inputs],
    { encoding: 'utf8' },
  );
  if (done.status !== 0) throw new Error(`the load generator could not be compiled:\n${done.stderr}`);
  renameSync(fresh, output);
  return output;
}

/** Runs the generator to its end. `note` is called with what it tells beside its report. */
export async function runLoad(
  options: LoadOptions,
  note: (text: string) => void = console.error,
): Promise<LoadReport> {
  const { output } = await finished(startLoad(options), note);
  return JSON.parse(output) as LoadReport;
}

/** The generator as a process, for what has to run beside it. */
export function startLoad(options: LoadOptions): ChildProcess {
  const { flags = [], watch, ...values } = options;
  const args = Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)]);
  if (watch !== undefined) args.push('--watch', watch.join(','));
  return spawn(buildLoad(), [...args, ...flags.map((flag) => `--${flag}`)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Waits for the generator's end; throws with what it said when it failed. */
export async function finished(
  child: ChildProcess,
  note: (text: string) => void = console.error,
): Promise<{ readonly output: string }> {
  let output = '';
  let said = '';
  child.stdout?.on('data', (chunk) => (output += chunk));
  child.stderr?.on('data', (chunk) => (said += chunk));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(said === '' ? `the load generator ended with code ${code}` : said.trim());
  if (said !== '') note(said.trim());
  return { output };
}
