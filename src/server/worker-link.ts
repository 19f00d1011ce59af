import type { Sampling } from '../observe/samples/sampler.ts';
import type { SnapshotMessage } from '../snapshot/snapshot.ts';
import type { BugReport } from './bug-reporter.ts';
import type { ListenAddress } from './listen-address.ts';
import type { ServerLimits } from './server-limits.ts';

/*
 * What the main thread and a DNS worker say to each other.
 *
 *     main  -- WorkerStart, once, as worker data -->  worker
 *     main  -- Numbered<WorkerRequest> ------------>  worker
 *     main  <-- WorkerReply with the same number ---  worker
 *     main  <-- BugReport, unasked, limited in rate   worker
 *     main  <-- what of its priority was refused ---  worker
 *
 * Requests are answered in their order.
 */

export interface WorkerStart {
  readonly snapshot: SnapshotMessage;
  readonly counters: SharedArrayBuffer;
  readonly limits: ServerLimits;
  /** Undefined where no query is sampled. */
  readonly sampling: Sampling | undefined;
  readonly doorbell: Doorbell | undefined;
}

/**
 * How the main thread gets a worker's ear that serves from the addon, without going to its event loop:
 *
 *     main    postMessage, rung + 1, wake the descriptor
 *     worker  between two batches: rung is not what it has handled, so it goes to its event loop
 *
 * Undefined where the worker serves from its event loop anyhow.
 */
export interface Doorbell {
  /** One signed word: messages sent so far. */
  readonly rung: Int32Array<SharedArrayBuffer>;
  /** An eventfd that ends a batch call which waits. */
  readonly descriptor: number;
}

/** Whether the sockets are to be the only ones on their address, or may join others of ours. */
export type Sharing = 'alone' | 'joined';

export type WorkerRequest =
  | {
      readonly kind: 'listen';
      readonly address: ListenAddress;
      readonly sharing: Sharing;
      /** A bound socket that the main thread keeps; the worker makes a copy of its own. Undefined: it opens one. */
      readonly descriptor: number | undefined;
    }
  /** Stops listening on an address on which it listens. */
  | { readonly kind: 'release'; readonly address: ListenAddress }
  | {
      readonly kind: 'publish';
      readonly snapshot: SnapshotMessage;
      /** Of images that the one before has and this one has not: to be collected in time. */
      readonly replacedOctets: number;
    }
  /** Answers what has arrived, closes all sockets and ends the thread. */
  | { readonly kind: 'close' };

export interface NumberedRequest {
  readonly id: number;
  readonly request: WorkerRequest;
}

/** `port` is that of a `listen`, else 0. */
export type WorkerReply =
  | { readonly id: number; readonly ok: true; readonly port: number }
  | { readonly id: number; readonly ok: false; readonly code: string; readonly message: string };

export type WorkerMessage =
  | { readonly kind: 'reply'; readonly reply: WorkerReply }
  | { readonly kind: 'bug'; readonly report: BugReport }
  /** Once at its start: what the system refused of `thread-priority.ts`. */
  | { readonly kind: 'unfavoured'; readonly refused: readonly string[] };
