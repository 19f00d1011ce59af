import { Worker } from 'node:worker_threads';
import { workerUrl } from '../server/worker-url.ts';
import type { CompileJob, CompileReply, CompileRequest, CompileResults } from './compile-job.ts';

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

/** Runs compile jobs on a thread of their own, one after the other, so that neither queries nor probes wait. */
export class Compiler {
  #worker: Worker | undefined;
  #waiting = new Map<number, Waiting>();
  #lastId = 0;
  readonly #cacheDirectory: string;

  /** Compiled images are kept in that directory between starts. */
  constructor(cacheDirectory: string) {
    this.#cacheDirectory = cacheDirectory;
  }

  /** Rejects only for a bug in a job; the thread is then started anew for the next one. */
  run<K extends CompileJob['kind']>(job: Extract<CompileJob, { kind: K }>): Promise<CompileResults[K]> {
    const id = ++this.#lastId;
    const request: CompileRequest = { id, job };
    const worker = this.#start();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage(request);
    });
  }

  async close(): Promise<void> {
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
    else waiting?.resolve(reply.result as never);
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
