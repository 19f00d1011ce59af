import type { Authorship, Config } from '../config/model.ts';
import type { Problem } from '../config/problem.ts';
import type { BackupSummary } from './backup/backup-file.ts';
import type { Conflict } from './conflicts/conflict.ts';
import type { Store } from './store.ts';
import type { SyncExchange } from './sync-exchange.ts';

/** What one peer says about one document, as its store gave it. */
export interface SyncMessage {
  readonly document: string;
  readonly message: Uint8Array;
}

export interface RefusedMessage {
  readonly document: string;
  /** A whole sentence. */
  readonly reason: string;
}

export interface Received {
  readonly config: Config;
  /** Documents that have other heads than before; each of them durable. */
  readonly changed: readonly string[];
  readonly refused: readonly RefusedMessage[];
}

/** `written`: those of the documents that commits of this node have written, be it beside what peers sent. */
export type DurableListener = (documents: readonly string[], written: ReadonlySet<string>) => void;

/**
 * A store with the seam through which peers meet. An exchange of one document, from either side:
 *
 *     heads() differ ──► generate ──► the peer's receive ──► the peer's generate ──► receive ──► generate ... undefined
 *
 * Messages of one document arrive in the order in which they were generated, or the session ends. A message that is
 * refused has changed nothing, and the next one that `generate` gives starts over with that document; whoever drives the
 * exchange ends it when that happens again and again.
 */
export interface ReplicatedStore extends Store {
  /** Heads of every document on disk, sorted: equal heads, equal documents. A live view; it changes with every write. */
  heads(): ReadonlyMap<string, readonly string[]>;
  /** State of the exchange with one peer; closed when the session ends. */
  openExchange(): SyncExchange;
  /**
   * Takes in what one peer said, in turn with commits; resolves when what is kept is durable. Documents not known here
   * are made. Many or large messages are taken in by several flushes.
   * @throws StoreError `write-failed`, `busy` or `closed`; what was sent is then asked for again.
   */
  receive(exchange: SyncExchange, messages: readonly SyncMessage[]): Promise<Received>;
  /**
   * What the peer should be told next about a document; undefined when it has everything, or owes an answer. Only durable
   * changes are ever in it. Its length is that of the document at most, which may be more than one frame holds.
   */
  generate(exchange: SyncExchange, document: string): Promise<Uint8Array | undefined>;
  /**
   * Calls the listener after each flush with the documents that have other heads, durable by then; it must not throw.
   * Returns how to end that.
   */
  onDurable(listener: DurableListener): () => void;
  /**
   * The configuration as it was when the documents had these heads, a copy of `heads()` of that time. What has not changed
   * since is the very same as in the present one.
   * @throws StoreError `refused` for heads that this node has not seen.
   */
  configAt(heads: ReadonlyMap<string, readonly string[]>): Promise<Config>;
  /** Whatever was written on several sides without knowledge of each other, by id. */
  conflicts(): readonly Conflict[];
  /**
   * Writes one of a conflict's values over all of them.
   * @throws StoreError `refused` when there is no such conflict or choice any more, and as `commit` does.
   */
  resolveConflict(id: string, choice: string, authorship: Authorship): Promise<Config>;
  /** Hashes of blobs that zones refer to, or would after a choice, and that are not here. */
  missingBlobs(): readonly string[];
  /**
   * Writes all there is at one moment into a file, while the store goes on; `restoreBackup` puts it into a new directory.
   * The file holds the keys that seal secrets: nobody but its owner may read it.
   * @throws StoreError `write-failed` or `closed`.
   */
  backup(path: string): Promise<BackupSummary>;
  /** What the documents hold that is left out of the configuration, and why. */
  problems(): readonly Problem[];
}
