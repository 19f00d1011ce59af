import { parentPort, workerData } from 'node:worker_threads';
import { openCounters } from '../observe/counters.ts';
import { Answerer, type AnswerQuery } from './answerer.ts';
import { createBugReporter } from './bug-reporter.ts';
import type { ListenAddress } from './listen-address.ts';
import { createRandomSource } from './random.ts';
import type { ServerLimits } from './server-limits.ts';
import type {
  NumberedRequest,
  WorkerMessage,
  WorkerReply,
  WorkerRequest,
  WorkerStart,
} from './worker-link.ts';

/** One transport on any number of addresses. */
export interface Transport {
  /** Resolves with the port; rejects with the system's error. */
  listen(address: ListenAddress): Promise<number>;
  release(address: ListenAddress): Promise<void>;
  /** Sends what is to be sent, then closes everything. */
  close(): Promise<void>;
}

export interface TransportParts {
  readonly answer: AnswerQuery;
  readonly counters: Float64Array;
  readonly limits: ServerLimits;
}

/** The body of a worker thread: opens the snapshot and serves the main thread's requests, one at a time. */
export function runWorker(createTransport: (parts: TransportParts) => Transport): void {
  const port = parentPort;
  if (port === null) throw new Error('a DNS worker runs in a worker thread');
  const start = workerData as WorkerStart;
  const counters = openCounters(start.counters);
  const send = (message: WorkerMessage): void => port.postMessage(message);
  const nowMs = (): number => performance.now();
  const reportBug = createBugReporter(counters, nowMs, (report) => send({ kind: 'bug', report }));
  const answerer = new Answerer(start.snapshot, counters, createRandomSource(), reportBug);
  const transport = createTransport({
    answer: answerer.answer,
    counters,
    limits: start.limits,
  });

  const perform = async (request: WorkerRequest): Promise<number> => {
    switch (request.kind) {
      case 'listen':
        return transport.listen(request.address);
      case 'release':
        await transport.release(request.address);
        return 0;
      case 'publish':
        answerer.use(request.snapshot);
        return 0;
      case 'close':
        await transport.close();
        return 0;
    }
  };

  let latest = Promise.resolve();
  port.on('message', ({ id, request }: NumberedRequest) => {
    latest = latest.then(async () => {
      send({ kind: 'reply', reply: await replyTo(id, perform(request)) });
      // Without its port and its sockets the thread has nothing left to wait for, and ends.
      if (request.kind === 'close') port.close();
    });
  });
}

async function replyTo(id: number, outcome: Promise<number>): Promise<WorkerReply> {
  try {
    return { id, ok: true, port: await outcome };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
    return { id, ok: false, code, message };
  }
}
