import { parentPort, workerData } from 'node:worker_threads';
import { reasonOf } from '../config/problem.ts';
import { openCounters } from '../observe/counters.ts';
import { Sampler } from '../observe/samples/sampler.ts';
import { Answerer, type AnswerQuery } from './answerer.ts';
import { createBugReporter } from './bug-reporter.ts';
import { createCollectReplaced } from './collect-replaced.ts';
import type { ListenAddress } from './listen-address.ts';
import { loadNative, type Native } from './native.ts';
import { createRandomSource } from './random.ts';
import type { ServerLimits } from './server-limits.ts';
import { favourQueries, type Precedence } from './thread-priority.ts';
import type {
  NumberedRequest,
  Sharing,
  WorkerMessage,
  WorkerReply,
  WorkerRequest,
  WorkerStart,
} from './worker-link.ts';

/** What serves one transport on any number of addresses. */
export interface SocketServer {
  /** Resolves with the port; rejects with the system's error. */
  listen(address: ListenAddress, sharing: Sharing): Promise<number>;
  /**
   * Serves on a bound socket of that address, which is its own to close from now on, and returns its port. On the addon
   * a server gets all its sockets so.
   */
  adopt(address: ListenAddress, descriptor: number): number | Promise<number>;
  release(address: ListenAddress): Promise<void>;
  /** Sends what is to be sent, then closes everything. */
  close(): Promise<void>;
  /**
   * Serves in batches until the doorbell rings or nothing has come for a while, then returns, so that the event loop
   * gets its turn. A server without it serves from the event loop.
   */
  serve?(): void;
}

export interface TransportParts {
  readonly answer: AnswerQuery;
  /** To be called before queries that came together are answered; see `Answerer.tick`. */
  readonly tick: () => void;
  readonly counters: Float64Array;
  readonly limits: ServerLimits;
}

/** What a transport on the addon needs beside. */
export interface BatchParts extends TransportParts {
  readonly native: Native;
  readonly precedence: Precedence;
  /** Of the main thread, to be watched by every batch call. */
  readonly wake: number;
  /** Whether a message waits for the event loop. */
  readonly rung: () => boolean;
}

/** The body of a worker thread: opens the snapshot and serves the main thread's requests, one at a time. */
export function runWorker(
  createTransport: (parts: TransportParts) => SocketServer,
  createBatchTransport: (parts: BatchParts) => SocketServer,
): void {
  const port = parentPort;
  if (port === null) throw new Error('a DNS worker runs in a worker thread');
  const start = workerData as WorkerStart;
  const counters = openCounters(start.counters);
  const send = (message: WorkerMessage): void => port.postMessage(message);
  const nowMs = (): number => performance.now();
  const reportBug = createBugReporter(counters, nowMs, (report) => send({ kind: 'bug', report }));
  const random = createRandomSource();
  const sampler = start.sampling && new Sampler(start.sampling, counters, random);
  const answerer = new Answerer(start.snapshot, counters, random, reportBug, sampler);
  // The thread keeps its `workerData` for life, and would keep the first snapshot's images with it.
  Reflect.deleteProperty(start, 'snapshot');
  answerer.announceIdleTime(start.limits.tcp.idleMs);
  const parts = { answer: answerer.answer, tick: answerer.tick, counters, limits: start.limits };
  const collectReplaced = createCollectReplaced();
  const { doorbell } = start;
  const native = doorbell === undefined ? undefined : nativeOrThrow();
  const { refused, precedence } = favourQueries(native);
  if (refused.length > 0) send({ kind: 'unfavoured', refused });
  let handled = 0;
  const transport =
    doorbell === undefined || native === undefined
      ? createTransport(parts)
      : createBatchTransport({
          ...parts,
          native,
          precedence,
          wake: doorbell.descriptor,
          rung: () => Atomics.load(doorbell.rung, 0) !== handled,
        });

  const perform = async (request: WorkerRequest): Promise<number> => {
    switch (request.kind) {
      case 'listen':
        if (request.descriptor === undefined) return transport.listen(request.address, request.sharing);
        return transport.adopt(request.address, ownCopy(request.descriptor));
      case 'release':
        await transport.release(request.address);
        return 0;
      case 'publish':
        answerer.use(request.snapshot);
        setImmediate(collectReplaced, request.replacedOctets);
        return 0;
      case 'close':
        await transport.close();
        return 0;
    }
  };

  let latest = Promise.resolve();
  let open = true;
  port.on('message', ({ id, request }: NumberedRequest) => {
    handled = (handled + 1) | 0;
    latest = latest.then(async () => {
      send({ kind: 'reply', reply: await replyTo(id, perform(request)) });
      // Without its port and its sockets the thread has nothing left to wait for, and ends.
      if (request.kind === 'close') {
        open = false;
        port.close();
      }
    });
  });
  if (transport.serve === undefined) return;
  const turn = (): void => {
    if (!open) return;
    transport.serve?.();
    setImmediate(turn);
  };
  turn();
}

/** So that a thread that ends takes no socket with it: the next one finds what arrived meanwhile. */
function ownCopy(descriptor: number): number {
  return nativeOrThrow().duplicateSocket(descriptor);
}

function nativeOrThrow(): Native {
  const loaded = loadNative();
  if ('native' in loaded) return loaded.native;
  throw new Error(`the addon cannot be loaded: ${loaded.reason}`);
}

async function replyTo(id: number, outcome: Promise<number>): Promise<WorkerReply> {
  try {
    return { id, ok: true, port: await outcome };
  } catch (error) {
    const message = reasonOf(error);
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
    return { id, ok: false, code, message };
  }
}
