import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { eventually } from '../until.ts';
import { apiClient } from './api-client.ts';
import { freePort } from './endpoint-process.ts';
import { temporaryDirectory } from './node-process.ts';

/** As `npm run cluster` runs it: built. From source, the start of three nodes at once is much slower. */
const program = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'meridian.js');

/** Three nodes start side by side on a machine that others use, too. */
const SLOW_MS = 60_000;

interface Ports {
  readonly dns: number;
  readonly api: number;
  readonly flags: readonly string[];
}

/** `meridian cluster demo` as somebody at a terminal has it. */
class Demo {
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

async function freePorts(): Promise<Ports> {
  const [dns, api, peer, dataCenter] = await Promise.all([1, 2, 3, 4].map(() => freePort('0.0.0.0')));
  const named = { 'dns-port': dns, 'api-port': api, 'peer-port': peer, 'demo-port': dataCenter };
  const flags = Object.entries(named).flatMap(([name, port]) => [`--${name}`, String(port)]);
  return { dns: dns ?? 0, api: api ?? 0, flags };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function allGone(pids: readonly number[]): Promise<true> {
  const look = async () => (pids.some(isRunning) ? undefined : true);
  return eventually(look, { withinMs: SLOW_MS, what: `no process of ${pids}` });
}

interface Members {
  readonly members: readonly { readonly name: string; readonly state: string }[];
}

const possible = process.platform === 'linux' && existsSync(program);

describe.skipIf(!possible)('the demo cluster, by what is typed', () => {
  const data = temporaryDirectory();
  const demos: Demo[] = [];
  afterAll(async () => {
    for (const demo of demos) demo.kill('SIGTERM');
    await Promise.all(demos.map(({ gone }) => gone));
    data.remove();
  });
  function start(flags: readonly string[]): Demo {
    const demo = new Demo(data.path, flags);
    demos.push(demo);
    return demo;
  }

  it('cuts, kills, heals, conflicts, and leaves nothing running', { timeout: 180_000 }, async () => {
    const ports = await freePorts();
    const at = (host: number) => apiClient(`http://127.0.2.${host}:${ports.api}`);
    const [fra, iad, sin] = [at(1), at(2), at(3)];
    const path = '/v1/zones/cluster.test/rrsets/hello.cluster.test/TXT';
    const write = (text: string) => fra.put(path, { ttlSeconds: 5, records: [`"${text}"`] });
    const reads = (api: typeof fra, text: string) =>
      eventually(
        async () => {
          const response = await api.send('GET', path);
          return (await response.text()).includes(text) ? true : undefined;
        },
        { withinMs: SLOW_MS, what: text },
      );

    const demo = start(ports.flags);
    expect(await demo.ready()).toContain(`dig @127.0.2.3 -p ${ports.dns} +short hello.cluster.test TXT`);
    await write('one');
    await reads(sin, 'one');

    await demo.type('cut sin', /sin is cut off/);
    const sees = async (state: string) => {
      const { members } = await fra.get<Members>('/v1/cluster/members');
      return members.find(({ name }) => name === 'sin')?.state === state ? true : undefined;
    };
    await eventually(() => sees('down'), { withinMs: SLOW_MS, what: 'the cut' });
    await write('two');
    await reads(iad, 'two');
    await reads(sin, 'one');
    expect(await demo.type('conflict', /first: heal sin/)).toContain('sin is cut off');
    await demo.type('heal sin', /sin reaches the others/);
    await reads(sin, 'two');

    await demo.type('kill iad', /iad is dead/);
    await expect(iad.send('GET', path)).rejects.toThrow();
    await write('three');
    await demo.type('start iad', /iad serves again/);
    await reads(iad, 'three');

    const told = await demo.type('conflict', /--choose '[^']+'.*\n[\s\S]*--choose '[^']+'.*\n/);
    expect(told).toMatch(/fra says "from-fra", sin says "from-sin"/);
    expect(await iad.get('/v1/conflicts')).toMatchObject({ total: 1 });

    expect(await demo.type('cut', /say which/)).toContain('cut fra, cut iad, cut sin');
    expect(await demo.type('kill all', /say which/)).toContain('kill fra');
    expect(await demo.type('toString', /not a command/)).toContain('quit');

    const pids = await demo.pids();
    expect(pids).toHaveLength(3);
    await demo.type('quit', /the cluster stops/);
    expect(await demo.gone).toBe(0);
    expect(pids.filter(isRunning)).toEqual([]);

    // The same again on other ports, on what the first has left; then it is ended without a chance to put things in order.
    const others = await freePorts();
    const again = start(others.flags);
    await again.ready();
    const kept = apiClient(`http://127.0.2.3:${others.api}`);
    await reads(kept, 'three');
    await write('four').then(
      () => expect.unreachable('the first cluster is gone'),
      () => undefined,
    );
    const lateSees = async () => {
      const { members } = await kept.get<Members>('/v1/cluster/members');
      return members.every(({ state }) => state === 'up') ? true : undefined;
    };
    await eventually(lateSees, { withinMs: SLOW_MS, what: 'all up, on the new ports' });
    const orphans = await again.pids();
    again.kill('SIGKILL');
    await allGone(orphans);
  });

  it('tells which port is taken, and by which flag to choose another', async () => {
    const ports = await freePorts();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(ports.api, '127.0.2.2', resolve));
    try {
      const demo = start(ports.flags);
      expect(await demo.gone).toBe(1);
      expect(demo.output).toContain(`127.0.2.2 port ${ports.api} (TCP) is taken by another program`);
      expect(demo.output).toContain('--api-port');
      expect(demo.output).not.toContain('127.0.2.1 port');
    } finally {
      server.close();
    }
  });

  it('refuses a directory that holds something else, also to delete it', async () => {
    const ports = await freePorts();
    const demo = start([...ports.flags, '--fresh', '--data', import.meta.dirname]);
    expect(await demo.gone).toBe(1);
    expect(demo.output).toContain('holds other files than a demo cluster');
  });
});
