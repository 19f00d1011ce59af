import { performance } from 'node:perf_hooks';
import type { Worker, WorkerOptions } from 'node:worker_threads';
import { reasonOf } from '../config/problem.ts';
import type { Observation } from '../health/observation.ts';
import type { ProbeEnvironment } from './probes/index.ts';
import type { VantageLoad } from './vantage.ts';
import type { VantageReport, VantageRequest, VantageStart } from './vantage-messages.ts';
import type { VantageTarget } from './vantage-targets.ts';

export interface VantageLinkOptions {
  /** Node id of who probes. */
  readonly name: string;
  readonly environment: ProbeEnvironment;
  /** The file of the thread, `vantage-worker`. */
  readonly url: URL;
  readonly startWorker: (url: URL, options: WorkerOptions) => Worker;
  /** Only of endpoints as they are now: what was seen of a definition that has changed meanwhile is dropped. */
  readonly onObservations: (observations: readonly Observation[]) => void;
  /** The thread has ended by itself and is started anew. */
  readonly onLost: (error: string) => void;
}

/** A vantage that runs in a thread of its own. */
export interface VantageLink {
  setTargets(targets: readonly VantageTarget[]): void;
  /** As of the last report. */
  readonly load: VantageLoad;
  /** How often the thread has ended by itself. */
  readonly restarts: number;
  stop(): Promise<void>;
}

/** The first restart comes soon: every moment without probes is one in which a failure is not seen. */
const FIRST_RESTART_MS = 100;
/** A thread that cannot live is still tried this often. */
const LAST_RESTART_MS = 10_000;
/** A thread that lived this long ended for a new reason: the waits begin anew. */
const STEADY_MS = 60_000;
/** Probes end at once when they are stopped; a thread that hangs is ended by force. */
const STOP_GRACE_MS = 1000;

/** 30,000 endpoints take a fifth of it; a leak ends the thread and not the node. */
const MAX_HEAP_MB = 256;
/** Probes leave much that is dead soon; a larger nursery would only be memory that is never given back. */
const MAX_YOUNG_HEAP_MB = 8;

/** Starts the thread, without targets. */
export function startVantage(options: VantageLinkOptions): VantageLink {
  return new SupervisedVantage(options);
}

class SupervisedVantage implements VantageLink {
  readonly #options: VantageLinkOptions;
  #worker: Worker | undefined;
  #targets: ReadonlyMap<string, VantageTarget> = new Map();
  /** The newest of each endpoint, for the thread that may follow. */
  readonly #newest = new Map<string, Observation>();
  /** Keys whose probes have changed, with the revision that did it, until the thread reports of that revision. */
  readonly #changed = new Map<string, number>();
  #revision = 0;
  #load: VantageLoad = { targets: 0, running: 0, waiting: 0 };
  #restarts = 0;
  #failuresInRow = 0;
  #startedAtMs = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  #lastError = '';
  #stopped = false;
  /** Whether there ever was something to probe. */
  #hasBegun = false;

  constructor(options: VantageLinkOptions) {
    this.#options = options;
  }

  get load(): VantageLoad {
    return this.#load;
  }

  get restarts(): number {
    return this.#restarts;
  }

  setTargets(targets: readonly VantageTarget[]): void {
    const before = this.#targets;
    this.#revision += 1;
    this.#targets = new Map(targets.map((target) => [target.key, target]));
    for (const [key, target] of this.#targets) {
      const old = before.get(key);
      if (old !== undefined && isProbedAlike(old, target)) continue;
      this.#changed.set(key, this.#revision);
      if (old?.address !== target.address) this.#newest.delete(key);
    }
    for (const key of this.#newest.keys()) if (!this.#targets.has(key)) this.#newest.delete(key);
    if (this.#hasBegun) {
      this.#tellTargets([]);
    } else if (targets.length > 0) {
      // A node that probes nothing spares the memory of a thread.
      this.#hasBegun = true;
      this.#restart();
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#restartTimer);
    const worker = this.#worker;
    if (worker === undefined) return;
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    const force = setTimeout(() => void worker.terminate(), STOP_GRACE_MS);
    this.#ask({ kind: 'stop' });
    await ended;
    clearTimeout(force);
  }

  #tellTargets(known: readonly Observation[]): void {
    this.#ask({ kind: 'targets', revision: this.#revision, targets: [...this.#targets.values()], known });
  }

  #ask(request: VantageRequest): void {
    this.#worker?.postMessage(request);
  }

  #start(): void {
    const { name, environment, url, startWorker } = this.#options;
    const workerData: VantageStart = { name, environment };
    this.#startedAtMs = performance.now();
    this.#lastError = '';
    const resourceLimits = {
      maxOldGenerationSizeMb: MAX_HEAP_MB,
      maxYoungGenerationSizeMb: MAX_YOUNG_HEAP_MB,
    };
    const worker = startWorker(url, { name: 'vantage', workerData, resourceLimits });
    worker.on('message', (report: VantageReport) => this.#hear(worker, report));
    worker.on('error', (error) => {
      this.#lastError = error instanceof Error ? (error.stack ?? error.message) : String(error);
    });
    worker.on('exit', (code) => this.#ended(worker, code));
    this.#worker = worker;
  }

  #hear(worker: Worker, { revision, observations, load }: VantageReport): void {
    if (worker !== this.#worker || this.#stopped) return;
    this.#load = load;
    const current = observations.filter(({ key }) => {
      const changedAt = this.#changed.get(key);
      return this.#targets.has(key) && (changedAt === undefined || changedAt <= revision);
    });
    if (revision === this.#revision) this.#changed.clear();
    for (const observation of current) this.#newest.set(observation.key, observation);
    if (current.length > 0) this.#options.onObservations(current);
  }

  #ended(worker: Worker, code: number): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    this.#load = { targets: this.#targets.size, running: 0, waiting: 0 };
    if (this.#stopped) return;
    this.#lose(this.#lastError === '' ? `exit code ${code}` : this.#lastError);
  }

  #lose(error: string): void {
    this.#restarts += 1;
    this.#options.onLost(error);
    this.#failuresInRow = performance.now() - this.#startedAtMs > STEADY_MS ? 1 : this.#failuresInRow + 1;
    const delayMs = Math.min(LAST_RESTART_MS, FIRST_RESTART_MS * 2 ** (this.#failuresInRow - 1));
    this.#restartTimer = setTimeout(() => this.#restart(), delayMs);
  }

  #restart(): void {
    try {
      this.#start();
    } catch (error) {
      // The system has no room for a thread.
      this.#lose(reasonOf(error));
      return;
    }
    this.#tellTargets([...this.#newest.values()]);
  }
}

function isProbedAlike(one: VantageTarget, other: VantageTarget): boolean {
  return (
    one.kind === other.kind &&
    one.address === other.address &&
    one.port === other.port &&
    one.intervalMs === other.intervalMs &&
    one.recheckMs === other.recheckMs &&
    one.timeoutMs === other.timeoutMs &&
    one.jitter === other.jitter &&
    (one.settings === other.settings || JSON.stringify(one.settings) === JSON.stringify(other.settings))
  );
}
