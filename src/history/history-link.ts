import type { Worker, WorkerOptions } from 'node:worker_threads';
import type { Delivery, DeliveryFilter } from '../alerts/delivery.ts';
import { type Problem, reasonOf } from '../config/problem.ts';
import type { Incident } from '../health/incidents/incident.ts';
import type { IncidentFilter } from '../health/incidents/incident-filter.ts';
import type {
  HistoryBatch,
  HistoryPage,
  HistoryQuestion,
  HistoryReply,
  HistoryRequest,
  HistoryStart,
  HistoryTrouble,
  Unfinished,
} from './history-messages.ts';

/** What happens within this time is written with one commit. */
const BATCH_MS = 50;

/** What could not be written is tried again this often. */
const RETRY_MS = 5_000;

/** Rows that wait for the disk to take them; beyond it the oldest are given up. */
const MAX_WAITING = 20_000;

/** A thread that cannot live is still tried this often. */
const RESTART_MS = 1_000;

/** A database that hangs does not keep the node from ending. */
const CLOSE_GRACE_MS = 3_000;

/** SQLite keeps its memory outside; rows pass through here a batch at a time. */
const MAX_HEAP_MB = 256;

const NO_TROUBLE: HistoryTrouble = { movedAside: undefined, inMemory: undefined, startedAnew: 0 };

export interface HistoryOptions {
  readonly start: HistoryStart;
  /** The file of the thread, `history-worker`. */
  readonly url: URL;
  readonly startWorker: (url: URL, options: WorkerOptions) => Worker;
  readonly nowMs: () => number;
  /** How soon what could not be written is tried again; `RETRY_MS` unless told. */
  readonly retryMs?: number;
  /** The database was started anew, empty: what is still open has to be written again. */
  readonly onStartedAnew: () => void;
  /** What `problems` says is no longer the same. */
  readonly onProblems: () => void;
}

/** A question that waits for its answer. */
interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The history, as the main thread sees it. Rows that are written wait a moment for others and are kept until the
 * thread has committed them:
 *
 *     put --> #rows (newest of each id) --BATCH_MS--> #sent --committed--> gone
 *                  ^----------- not written, thread lost ----'
 */
export class History {
  readonly #options: HistoryOptions;
  #worker: Worker | undefined;
  #number = 0;
  readonly #waiting = new Map<number, Waiting>();
  #incidents = new Map<string, Incident>();
  #deliveries = new Map<string, Delivery>();
  #sent: HistoryBatch | undefined;
  #timer: NodeJS.Timeout | undefined;
  #restart: NodeJS.Timeout | undefined;
  #trouble = NO_TROUBLE;
  #writeError: string | undefined;
  #givenUp = 0;
  #state: 'open' | 'closing' = 'open';

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#start();
  }

  /** Writes soon; never waits, never throws. */
  put(rows: Partial<HistoryBatch>): void {
    for (const incident of rows.incidents ?? []) this.#incidents.set(incident.id, incident);
    for (const delivery of rows.deliveries ?? []) this.#deliveries.set(delivery.id, delivery);
    this.#bound();
    this.#timer ??= setTimeout(() => this.#write(), BATCH_MS);
  }

  /** Newest first; rejects where the thread is lost. */
  async incidents(filter: IncidentFilter): Promise<HistoryPage<Incident>> {
    this.#write();
    return (await this.#ask({ kind: 'incidents', filter })) as HistoryPage<Incident>;
  }

  async incident(id: string): Promise<Incident | undefined> {
    this.#write();
    return (await this.#ask({ kind: 'incident', id })) as Incident | undefined;
  }

  async deliveries(filter: DeliveryFilter): Promise<HistoryPage<Delivery>> {
    this.#write();
    return (await this.#ask({ kind: 'deliveries', filter })) as HistoryPage<Delivery>;
  }

  /** What was under way when the node last ran. */
  async unfinished(): Promise<Unfinished> {
    return (await this.#ask({ kind: 'unfinished' })) as Unfinished;
  }

  /** What is wrong with the database at present. */
  problems(): readonly Problem[] {
    const { movedAside, inMemory } = this.#trouble;
    const problems: Problem[] = [];
    const tell = (code: string, message: string): void =>
      void problems.push({ code, path: 'history', message });
    if (movedAside !== undefined)
      tell(
        'history-started-anew',
        `The history could not be used. It is now ${movedAside}, and a new one began.`,
      );
    if (inMemory !== undefined)
      tell(
        'history-not-kept',
        `No history can be kept on disk, and the next start will know none: ${inMemory}.`,
      );
    if (this.#writeError !== undefined)
      tell('history-not-written', `The newest of the history waits to be written: ${this.#writeError}.`);
    if (this.#givenUp > 0)
      tell(
        'history-incomplete',
        `${this.#givenUp} rows of the history could not be written and were given up.`,
      );
    return problems;
  }

  /** Writes what waits, then closes the database. Never rejects. */
  async close(): Promise<void> {
    this.#state = 'closing';
    clearTimeout(this.#restart);
    const worker = this.#worker;
    if (worker === undefined) return;
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    const force = setTimeout(() => void worker.terminate(), CLOSE_GRACE_MS);
    // The thread answers in order: what was sent before is committed by then.
    this.#sent = undefined;
    this.#write();
    clearTimeout(this.#timer);
    void this.#ask({ kind: 'close' }).catch(() => undefined);
    await ended;
    clearTimeout(force);
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#sent !== undefined || this.#incidents.size + this.#deliveries.size === 0) return;
    const batch = { incidents: [...this.#incidents.values()], deliveries: [...this.#deliveries.values()] };
    this.#sent = batch;
    this.#incidents = new Map();
    this.#deliveries = new Map();
    this.#ask({ kind: 'put', batch, nowMs: this.#options.nowMs() }).then(
      () => this.#written(undefined),
      (error: Error) => this.#written(error.message),
    );
  }

  #written(error: string | undefined): void {
    const batch = this.#sent;
    this.#sent = undefined;
    if (error !== undefined && batch !== undefined) this.#takeBack(batch);
    if (error !== this.#writeError) {
      this.#writeError = error;
      this.#options.onProblems();
    }
    if (this.#state === 'closing' || this.#incidents.size + this.#deliveries.size === 0) return;
    this.#timer ??= setTimeout(
      () => this.#write(),
      error === undefined ? BATCH_MS : (this.#options.retryMs ?? RETRY_MS),
    );
  }

  /** What has been said since of the same id is newer. */
  #takeBack({ incidents, deliveries }: HistoryBatch): void {
    const newerIncidents = this.#incidents;
    const newerDeliveries = this.#deliveries;
    this.#incidents = new Map([...incidents.map((one) => [one.id, one] as const), ...newerIncidents]);
    this.#deliveries = new Map([...deliveries.map((one) => [one.id, one] as const), ...newerDeliveries]);
    this.#bound();
  }

  #bound(): void {
    for (const rows of [this.#incidents, this.#deliveries]) {
      for (const id of rows.keys()) {
        if (rows.size <= MAX_WAITING) break;
        rows.delete(id);
        this.#givenUp += 1;
      }
    }
  }

  #ask(question: HistoryQuestion): Promise<unknown> {
    const worker = this.#worker;
    if (worker === undefined) return Promise.reject(new Error('the thread of the history is not there'));
    const number = ++this.#number;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      worker.postMessage({ ...question, number } satisfies HistoryRequest);
    });
  }

  #start(): void {
    const { start, url, startWorker } = this.#options;
    const resourceLimits = { maxOldGenerationSizeMb: MAX_HEAP_MB };
    const worker = startWorker(url, { name: 'history', workerData: start, resourceLimits });
    let lastError = '';
    worker.on('message', (reply: HistoryReply) => this.#hear(reply));
    worker.on('error', (error) => {
      lastError = reasonOf(error);
    });
    worker.on('exit', (code) => this.#ended(worker, lastError === '' ? `exit code ${code}` : lastError));
    this.#worker = worker;
  }

  #hear(reply: HistoryReply): void {
    const before = this.#trouble;
    this.#trouble = reply.trouble;
    const waiting = this.#waiting.get(reply.number);
    this.#waiting.delete(reply.number);
    if (reply.ok) waiting?.resolve(reply.value);
    else waiting?.reject(new Error(reply.error));
    if (before.movedAside !== reply.trouble.movedAside || before.inMemory !== reply.trouble.inMemory)
      this.#options.onProblems();
    if (reply.trouble.startedAnew > before.startedAnew) this.#options.onStartedAnew();
  }

  #ended(worker: Worker, why: string): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    // A new thread counts from 0 again.
    this.#trouble = { ...this.#trouble, startedAnew: 0 };
    const lost = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of lost) reject(new Error(`the thread of the history ended: ${why}`));
    if (this.#state === 'open') this.#restart = setTimeout(() => this.#start(), RESTART_MS);
  }
}
