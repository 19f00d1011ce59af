import type { Worker, WorkerOptions } from 'node:worker_threads';
import { reasonOf } from '../config/problem.ts';
import { countOne, openCounters } from '../observe/counters.ts';
import type { Sampling } from '../observe/samples/sampler.ts';
import type { SnapshotMessage } from '../snapshot/snapshot.ts';
import { replacedOctets } from './collect-replaced.ts';
import { formatListenAddress, type ListenAddress, ListenError } from './listen-address.ts';
import type { Native } from './native.ts';
import type { ServerLimits } from './server-limits.ts';
import type {
  Doorbell,
  NumberedRequest,
  Sharing,
  WorkerMessage,
  WorkerReply,
  WorkerRequest,
  WorkerStart,
} from './worker-link.ts';

/** The part of a logger that the server uses; pino's fits. */
export interface ServerLog {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export type StartWorker = (url: URL, options: WorkerOptions) => Worker;

export interface SupervisedWorker {
  /** Tells it apart in logs. */
  readonly name: string;
  readonly url: URL;
  readonly counters: SharedArrayBuffer;
  readonly snapshot: SnapshotMessage;
  readonly limits: ServerLimits;
  /** Undefined where no query is sampled. */
  readonly sampling: Sampling | undefined;
  readonly log: ServerLog;
  readonly startWorker: StartWorker;
  /** Where given, the worker serves from the addon; it is woken through it. */
  readonly native: Native | undefined;
}

/** The first restart comes at once for a person and late enough for a machine that is out of something. */
const FIRST_RESTART_MS = 100;
/** A worker that cannot live is still tried this often, since its port may come free. */
const LAST_RESTART_MS = 10_000;
/** A worker that lived this long ended for a new reason: the waits begin anew. */
const STEADY_MS = 60_000;
/** What ending takes beyond draining before the thread is stopped by force. */
const END_GRACE_MS = 1_000;

type Outcome = WorkerReply | 'lost';

interface WorkerAddress {
  readonly address: ListenAddress;
  readonly descriptor: number | undefined;
}

/**
 * Keeps one DNS worker running: starts it, talks to it, and starts it again with the latest snapshot and the same
 * addresses when it ends by itself. Nothing that waits for a worker waits longer than the worker lives.
 */
export class WorkerSupervisor {
  readonly #parts: SupervisedWorker;
  readonly #waiting = new Map<number, (outcome: Outcome) => void>();
  #worker: Worker | undefined;
  #snapshot: SnapshotMessage;
  /** With their real ports, in the order in which they were bound. */
  #addresses: readonly WorkerAddress[] = [];
  #lastId = 0;
  #doorbell: Doorbell | undefined;
  #restarts: 'off' | 'on' = 'off';
  #failuresInRow = 0;
  #startedAtMs = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  #lastError = '';
  #toldUnfavoured = false;

  constructor(parts: SupervisedWorker) {
    this.#parts = parts;
    this.#snapshot = parts.snapshot;
    this.#start();
  }

  /**
   * Resolves with the real port; rejects with a `ListenError`. Without a descriptor the worker opens the socket.
   * `descriptor` has to stay open until the worker is closed.
   */
  async listen(address: ListenAddress, sharing: Sharing, descriptor?: number): Promise<number> {
    const reply = await this.#ask({ kind: 'listen', address, sharing, descriptor });
    if (reply === 'lost')
      throw new Error(`the ${this.#parts.name} worker ended while it started: ${this.#lastError}`);
    if (!reply.ok) throw new ListenError(reply.code, address, reply.message);
    const bound = { address: address.address, port: reply.port };
    this.#addresses = [...this.#addresses, { address: bound, descriptor }];
    return reply.port;
  }

  async release(address: ListenAddress): Promise<void> {
    const key = formatListenAddress(address);
    this.#addresses = this.#addresses.filter((bound) => formatListenAddress(bound.address) !== key);
    await this.#ask({ kind: 'release', address });
  }

  /** From now on a worker that ends is started again. */
  keepRunning(): void {
    this.#restarts = 'on';
    if (this.#worker === undefined) this.#scheduleRestart();
  }

  /**
   * Resolves when no query is answered from an older snapshot any more. A worker that is being started again has
   * none, and begins with this one. Rejects, and stays with the one before, where the worker cannot open it.
   */
  async publish(snapshot: SnapshotMessage): Promise<void> {
    const before = this.#snapshot;
    this.#snapshot = snapshot;
    const reply = await this.#ask({
      kind: 'publish',
      snapshot,
      replacedOctets: replacedOctets(before, snapshot),
    });
    if (reply === 'lost' || reply.ok) return;
    if (this.#snapshot === snapshot) this.#snapshot = before;
    throw new Error(`the ${this.#parts.name} worker cannot open the snapshot: ${reply.message}`);
  }

  /** Resolves when the thread has ended: by itself once it has drained, or by force. */
  async close(): Promise<void> {
    this.#restarts = 'off';
    clearTimeout(this.#restartTimer);
    const worker = this.#worker;
    if (worker !== undefined) await this.#end(worker);
    if (this.#doorbell !== undefined) this.#parts.native?.closeWake(this.#doorbell.descriptor);
    this.#doorbell = undefined;
  }

  async #end(worker: Worker): Promise<void> {
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    const force = setTimeout(() => void worker.terminate(), this.#parts.limits.drainMs + END_GRACE_MS);
    await this.#ask({ kind: 'close' });
    await ended;
    clearTimeout(force);
  }

  #start(): Worker {
    const { name, url, counters, limits, sampling, startWorker } = this.#parts;
    const doorbell = this.#hangDoorbell();
    const workerData: WorkerStart = { snapshot: this.#snapshot, counters, limits, sampling, doorbell };
    this.#startedAtMs = performance.now();
    this.#lastError = '';
    const worker = startWorker(url, { name: `dns-${name}`, workerData });
    worker.on('message', (message: WorkerMessage) => this.#hear(message));
    worker.on('error', (error) => {
      this.#lastError = error instanceof Error ? (error.stack ?? error.message) : String(error);
    });
    worker.on('exit', (code) => this.#ended(worker, code));
    this.#worker = worker;
    return worker;
  }

  /** A new one for every thread: what was rung for the one before is none of its business. */
  #hangDoorbell(): Doorbell | undefined {
    const { native } = this.#parts;
    if (native === undefined) return undefined;
    const descriptor = this.#doorbell?.descriptor ?? native.createWake();
    this.#doorbell = { rung: new Int32Array(new SharedArrayBuffer(4)), descriptor };
    return this.#doorbell;
  }

  #ring(): void {
    if (this.#doorbell === undefined) return;
    Atomics.add(this.#doorbell.rung, 0, 1);
    this.#parts.native?.wake(this.#doorbell.descriptor);
  }

  /** Undefined where the system has no room for a thread; the next restart is then planned. */
  #startOrPlan(): Worker | undefined {
    try {
      return this.#start();
    } catch (error) {
      this.#lastError = reasonOf(error);
      this.#scheduleRestart();
      return undefined;
    }
  }

  #ask(request: WorkerRequest): Promise<Outcome> {
    const worker = this.#worker;
    if (worker === undefined) return Promise.resolve('lost');
    const id = ++this.#lastId;
    const numbered: NumberedRequest = { id, request };
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      worker.postMessage(numbered);
      this.#ring();
    });
  }

  #hear(message: WorkerMessage): void {
    if (message.kind === 'bug') {
      this.#parts.log.error(message.report, 'a query met a bug and was answered with SERVFAIL');
      return;
    }
    if (message.kind === 'unfavoured') {
      this.#tellUnfavoured(message.refused);
      return;
    }
    this.#waiting.get(message.reply.id)?.(message.reply);
    this.#waiting.delete(message.reply.id);
  }

  /** Once: neither another thread nor a restart is granted more. */
  #tellUnfavoured(refused: readonly string[]): void {
    const { log, name } = this.#parts;
    if (!this.#toldUnfavoured)
      log.debug({ worker: name, refused }, 'queries wait their turn on a full machine');
    this.#toldUnfavoured = true;
  }

  #ended(worker: Worker, code: number): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    if (this.#lastError === '') this.#lastError = `exit code ${code}`;
    for (const settle of this.#waiting.values()) settle('lost');
    this.#waiting.clear();
    if (this.#restarts === 'on') this.#scheduleRestart();
  }

  #scheduleRestart(): void {
    const steady = performance.now() - this.#startedAtMs >= STEADY_MS;
    this.#failuresInRow = steady ? 1 : this.#failuresInRow + 1;
    const restartInMs = Math.min(FIRST_RESTART_MS * 2 ** (this.#failuresInRow - 1), LAST_RESTART_MS);
    this.#parts.log.error(
      { worker: this.#parts.name, error: this.#lastError, restartInMs },
      'a DNS worker ended and will be started again',
    );
    this.#restartTimer = setTimeout(() => void this.#restart(), restartInMs);
  }

  async #restart(): Promise<void> {
    const { name, counters, log } = this.#parts;
    countOne(openCounters(counters), 'worker', 'restarts');
    const worker = this.#startOrPlan();
    if (worker === undefined) return;
    for (const { address, descriptor } of this.#addresses) {
      if (this.#restarts === 'off') return;
      const reply = await this.#ask({ kind: 'listen', address, sharing: 'joined', descriptor });
      // Lost: the thread has ended again, and the next restart is already planned.
      if (reply === 'lost') return;
      if (reply.ok) continue;
      this.#lastError = new ListenError(reply.code, address, reply.message).message;
      await worker.terminate();
      return;
    }
    log.warn({ worker: name }, 'a DNS worker serves again');
  }
}
