import { Worker } from 'node:worker_threads';
import { workerUrl } from '../../worker-url.ts';
import type { CompileJob, CompileReply, CompileRequest, CompileResults } from './compile-job.ts';
import { countImage } from './count-image.ts';

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Geo work has a thread of its own, so that a zone does not wait until a city file is read. A thread ends when it has
 * had nothing to do for so long: reading such a file, or a zone of a million names, leaves hundreds of megabytes that
 * an idle thread would never collect. Long enough that the maps of a start, or of one new geo table, share a thread.
 */
const IDLE_MS = 5000;

/** Runs compile jobs on threads of their own, so that neither queries nor probes wait: one for zones, one for geo. */
export class Compiler {
  readonly #zones: CompileThread;
  readonly #geo: CompileThread;

  /** Compiled images are kept in that directory between starts. */
  constructor(cacheDirectory: string) {
    this.#zones = new CompileThread(cacheDirectory);
    this.#geo = new CompileThread(cacheDirectory);
  }

  /**
   * Jobs of a thread run one after the other. Rejects only for a bug in a job; the thread is then started anew for
   * the next one.
   */
  run<K extends CompileJob['kind']>(job: Extract<CompileJob, { kind: K }>): Promise<CompileResults[K]> {
    const thread = job.kind === 'map' || job.kind === 'geo-table' ? this.#geo : this.#zones;
    return new Promise((resolve, reject) => thread.run(job, { resolve, reject }));
  }

  async close(): Promise<void> {
    await Promise.all([this.#zones.close(), this.#geo.close()]);
  }
}

class CompileThread {
  readonly #cacheDirectory: string;
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #waiting = new Map<number, Waiting>();
  #lastId = 0;

  /** Starts with its first job. */
  constructor(cacheDirectory: string) {
    this.#cacheDirectory = cacheDirectory;
  }

  run(job: CompileJob, waiting: Waiting): void {
    const id = ++this.#lastId;
    const request: CompileRequest = { id, job };
    clearTimeout(this.#idle);
    this.#waiting.set(id, waiting);
    this.#start().postMessage(request);
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
    this.#failAll(new Error('the compiler was closed'));
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(workerUrl(import.meta.url, './compile-worker'), {
      workerData: this.#cacheDirectory,
    });
    worker.on('message', (reply: CompileReply) => this.#settle(reply));
    worker.on('error', (error) => this.#lose(worker, error));
    worker.on('exit', () => this.#lose(worker, new Error('the compile thread ended')));
    this.#worker = worker;
    return worker;
  }

  #settle(reply: CompileReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ('failure' in reply) waiting?.reject(new Error(reply.failure));
    else {
      const image = imageOf(reply.result);
      if (image !== undefined) countImage(image);
      waiting?.resolve(reply.result as never);
    }
    if (this.#waiting.size > 0) return;
    this.#idle = setTimeout(() => this.#end(), IDLE_MS);
    this.#idle.unref();
  }

  /** Nothing waits for the thread; the next job starts another. */
  #end(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
  }

  #lose(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#failAll(error);
  }

  #failAll(error: Error): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(error);
  }
}

function imageOf(result: CompileResults[CompileJob['kind']]): SharedArrayBuffer | undefined {
  const found: unknown = Object(result);
  if (found instanceof SharedArrayBuffer) return found;
  const { image, value } = found as { readonly image?: unknown; readonly value?: unknown };
  return [image, value].find((part) => part instanceof SharedArrayBuffer);
}
