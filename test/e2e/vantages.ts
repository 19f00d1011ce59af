import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createBoard, type EndpointHealth, type HealthBoard } from '../../src/health/board/board.ts';
import { DEFAULT_POOL_RULES, probedCheck } from '../../src/health/board/board-endpoint.ts';
import type { Thresholds } from '../../src/health/damp.ts';
import type { Observation } from '../../src/health/observation.ts';
import { httpProbe } from '../../src/probing/probes/http.ts';
import type { VantageTarget } from '../../src/probing/vantage-targets.ts';

/** Quick, but with room for a machine that has other things to do. */
const thresholds: Thresholds = { rise: 2, fall: 2, expiryMs: 3000 };
const INTERVAL_MS = 400;
const RECHECK_MS = 200;
const TIMEOUT_MS = 1000;

const EXPIRY_CHECK_MS = 100;

/** Where one vantage probes the endpoints, in their order. */
export type Addresses = readonly { readonly address: string; readonly port: number }[];

/** What one vantage probes. */
export function targetsAt(addresses: Addresses): readonly VantageTarget[] {
  return addresses.map(({ address, port }, index) => ({
    key: `web/${index}`,
    kind: 'http',
    address,
    port,
    settings: httpProbe.settings.parse({}),
    intervalMs: INTERVAL_MS,
    recheckMs: RECHECK_MS,
    timeoutMs: TIMEOUT_MS,
    jitter: 0.1,
    thresholds,
  }));
}

/** Several vantages, each in a process of its own, and a board that hears them all. */
export class Vantages {
  readonly board: HealthBoard;
  readonly #children = new Map<string, ChildProcess>();
  readonly #timer: NodeJS.Timeout;
  #waiting: (() => void)[] = [];

  constructor(names: readonly string[], endpoints: number) {
    this.board = createBoard(
      [],
      names.map((name) => ({ name, region: '' })),
    );
    this.board.setEndpoints(
      Array.from({ length: endpoints }, (_, index) => ({
        key: `web/${index}`,
        slot: index,
        pool: 'web',
        endpoint: String(index),
        dataCenter: `dc-${index}`,
        address: `192.0.2.${index}`,
        probeAddress: undefined,
        monitor: 'http',
        check: probedCheck(`web/${index}`, `192.0.2.${index}`, thresholds),
        poolRules: DEFAULT_POOL_RULES,
      })),
      Date.now(),
    );
    this.#timer = setInterval(() => {
      this.board.expire(Date.now());
      this.#look();
    }, EXPIRY_CHECK_MS);
  }

  start(name: string, targets: readonly VantageTarget[]): void {
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('vantage-child.ts', import.meta.url)), name, JSON.stringify(targets)],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    this.#children.set(name, child);
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.board.observe(JSON.parse(line) as Observation, Date.now());
      this.#look();
    });
  }

  signal(name: string, signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#children.get(name)?.kill(signal);
  }

  /** Resolves when the board says so; the test's own time limit is the bound. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Verdicts of the endpoints in their order: `uud?`. */
  get verdicts(): string {
    return this.board
      .health()
      .map(({ verdict }) => verdict.charAt(0))
      .join('');
  }

  /** What each vantage says of an endpoint: `a up, b up, c down`; only what still counts. */
  saidOf(index: number): string {
    const { vantages = [] } = this.health(index) ?? {};
    return vantages
      .filter(({ fresh }) => fresh)
      .map(({ vantage, verdict }) => `${vantage} ${verdict}`)
      .join(', ');
  }

  health(index: number): EndpointHealth | undefined {
    return this.board.health()[index];
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    for (const child of this.#children.values()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
  }

  #look(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** A way to a server that can be cut, as a vantage's uplink can. */
export interface Uplink {
  readonly address: string;
  readonly port: number;
  cut(): Promise<void>;
  mend(): Promise<void>;
}

/** Opens a way on 127.0.0.1 to a server elsewhere. */
export async function openUplink(to: { readonly address: string; readonly port: number }): Promise<Uplink> {
  const open = new Set<net.Socket>();
  let server: net.Server | undefined;
  let port = 0;
  async function mend(): Promise<void> {
    server = net.createServer((near) => {
      const far = net.connect({ host: to.address, port: to.port });
      for (const socket of [near, far]) {
        open.add(socket);
        socket.on('error', () => {
          near.destroy();
          far.destroy();
        });
        socket.on('close', () => open.delete(socket));
      }
      near.pipe(far).pipe(near);
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as net.AddressInfo).port;
  }
  async function cut(): Promise<void> {
    for (const socket of open) socket.destroy();
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    server = undefined;
    await closed;
  }
  await mend();
  return { address: '127.0.0.1', port, cut, mend };
}
