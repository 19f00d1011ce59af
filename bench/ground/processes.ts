/* Server processes: started on one core, asked until they answer, measured, held still while others are asked. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { encodeQuery } from '../../src/dns/message.ts';
import { parseName } from '../../src/dns/name.ts';
import { TYPE_A } from '../../src/dns/type.ts';

/** A first start compiles the full geography and a million names. */
const START_TIMEOUT_MS = 300_000;
const ASK_EVERY_MS = 50;
/** A server is at rest when it has used less than a fiftieth of a core, or what it is told, for so long. */
const REST_MS = 500;
const REST_SHARE = 0.02;
const REST_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 20_000;

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface ServerProcess {
  readonly port: number;
  readonly pid: number;
  /** Its own process and all that it started. */
  readonly pids: () => readonly number[];
  /** Everything it printed, for when it fails. */
  readonly log: string;
  readonly signal: (name: NodeJS.Signals) => void;
  readonly stop: () => Promise<void>;
}

/** Starts a server on a core (undefined: on all) and waits until it answers `name` with an address. */
export async function startServer(
  { command, args, env = {} }: ServerCommand,
  place: {
    readonly port: number;
    readonly core: number | undefined;
    readonly name: string;
    readonly log: string;
  },
): Promise<ServerProcess> {
  const pinned =
    place.core === undefined ? [command, ...args] : ['taskset', '-c', String(place.core), command, ...args];
  const [program = '', ...rest] = pinned;
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => appendFileSync(place.log, chunk));
  const server = serverProcess(child, place.port, place.log);
  const failed = new Promise<never>((_, reject) => {
    child.on('error', (error) => reject(error));
    child.on('exit', (code) => reject(new Error(`${command} ended with code ${code}; see ${place.log}`)));
  });
  // Once it has answered, its end is `stop`'s business.
  failed.catch(() => undefined);
  try {
    await Promise.race([failed, untilAnswered(place.port, place.name)]);
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Servers that run; none outlives the benchmark, however that ends. */
const running = new Set<ServerProcess>();
process.on('exit', () => {
  for (const server of running) server.signal('SIGKILL');
});
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => process.exit(1));

function serverProcess(child: ChildProcess, port: number, log: string): ServerProcess {
  const pid = child.pid ?? 0;
  const pids = (): readonly number[] => withChildren(pid);
  const signal = (name: NodeJS.Signals): void => {
    for (const one of pids()) signalOne(one, name);
  };
  const gone = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const started = pids();
    signal('SIGCONT');
    child.kill('SIGTERM');
    const timer = setTimeout(() => {
      for (const one of started) signalOne(one, 'SIGKILL');
    }, STOP_TIMEOUT_MS);
    await gone;
    clearTimeout(timer);
  };
  const server: ServerProcess = { port, pid, pids, log, signal, stop };
  running.add(server);
  child.on('exit', () => running.delete(server));
  return server;
}

function signalOne(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended.
  }
}

function withChildren(pid: number): readonly number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      // The command in brackets may hold anything; the parent is the second field after it.
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It has just ended.
    }
  }
  const all = [pid];
  for (const one of all) for (const [child, parent] of parents) if (parent === one) all.push(child);
  return all;
}

/** Memory of all processes in octets, pages that several share counted once. */
export function memoryOctets(pids: readonly number[]): number {
  let kilobytes = 0;
  for (const pid of pids) {
    const found = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/^Pss:\s+(\d+) kB/m);
    kilobytes += Number(found?.[1] ?? 0);
  }
  return kilobytes * 1024;
}

/** Seconds that all threads of the processes have run. */
export function cpuSeconds(pids: readonly number[]): number {
  let nanoseconds = 0;
  for (const pid of pids) {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      try {
        nanoseconds += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
      } catch {
        // A thread that has just ended.
      }
    }
  }
  return nanoseconds / 1e9;
}

/**
 * Waits until the server does nothing of its own any more: caches written, compile threads gone. `share` of a core is
 * what it may use all the same, for its probes.
 */
export async function untilAtRest(server: ServerProcess, share = REST_SHARE): Promise<void> {
  const end = performance.now() + REST_TIMEOUT_MS;
  for (;;) {
    const before = cpuSeconds(server.pids());
    await sleep(REST_MS);
    if (cpuSeconds(server.pids()) - before < (share * REST_MS) / 1000) return;
    if (performance.now() > end) throw new Error(`the server does not come to rest; see ${server.log}`);
  }
}

/** Whether a command is installed. */
export function isInstalled(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
}

/** Installs Debian packages where that is possible (root, apt-get); tells whether it was. */
export function installPackages(packages: readonly string[]): boolean {
  if (process.getuid?.() !== 0 || !isInstalled('apt-get')) return false;
  console.error(`bench: installing ${packages.join(', ')}…`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const quiet = { stdio: ['ignore', 'ignore', 2] as ('ignore' | number)[], env };
  spawnSync('apt-get', ['update', '-qq'], quiet);
  // The packages would start their servers on port 53; nothing here needs that.
  const flags = ['install', '-qq', '-y', '--no-install-recommends'];
  return (
    spawnSync('apt-get', [...flags, ...packages], { ...quiet, env: { ...env, RUNLEVEL: '1' } }).status === 0
  );
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Asks every few milliseconds until there is an answer with a record in it. */
async function untilAnswered(port: number, name: string): Promise<void> {
  const wire = parseName(name);
  if (!wire.ok) throw new Error(`${name} is no name`);
  const query = encodeQuery({ name: wire.value, type: TYPE_A, id: 1, recursionDesired: false });
  const socket = createSocket('udp4');
  // Refusals while nobody listens.
  socket.on('error', () => undefined);
  const answered = new Promise<true>((resolve) =>
    socket.on('message', (answer) => {
      if ((answer.readUInt8(3) & 15) === 0 && answer.readUInt16BE(6) > 0) resolve(true);
    }),
  );
  try {
    for (const end = performance.now() + START_TIMEOUT_MS; performance.now() < end; ) {
      socket.send(query, port, '127.0.0.1');
      if (await Promise.race([answered, sleep(ASK_EVERY_MS)])) return;
    }
    throw new Error(`no answer for ${name} within ${START_TIMEOUT_MS / 1000} s`);
  } finally {
    socket.close();
  }
}
