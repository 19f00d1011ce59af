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
 *
 * Requests are answered in their order.
 */

export interface WorkerStart {
  readonly snapshot: SnapshotMessage;
  readonly counters: SharedArrayBuffer;
  readonly limits: ServerLimits;
}

export type WorkerRequest =
  | { readonly kind: 'listen'; readonly address: ListenAddress }
  /** Stops listening on an address on which it listens. */
  | { readonly kind: 'release'; readonly address: ListenAddress }
  | { readonly kind: 'publish'; readonly snapshot: SnapshotMessage }
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
  | { readonly kind: 'bug'; readonly report: BugReport };
