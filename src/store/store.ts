import type { Authorship, Change, Config } from '../config/model.ts';

/** Durable, mergeable configuration. One implementation: Automerge documents in LMDB. */
export interface Store {
  /** The configuration after the last commit; immutable. */
  readonly config: Config;
  /**
   * Applies all changes or none, and resolves only when they are durable on disk.
   * Commits are applied in the order of the calls; those that wait together share one flush.
   */
  commit(changes: readonly Change[], authorship: Authorship): Promise<Config>;
  /**
   * Stores bytes under their SHA-256 (hex, returned); durable when it resolves; idempotent. Whoever knows the hash
   * gives it, and leaves the bytes as they are until then: to hash a large zone takes a moment.
   */
  putBlob(bytes: Uint8Array, hash?: string): Promise<string>;
  /** A blob's bytes, or undefined when this node has none of that hash. */
  getBlob(hash: string): Uint8Array | undefined;
  /** The same without a look at them: whoever uses them compares the hash. */
  copyBlob(hash: string): Uint8Array | undefined;
  /** Whether there is a blob of that hash, whole or damaged. */
  hasBlob(hash: string): boolean;
  /** Removes blobs that no zone refers to, nor would after a choice in a conflict; returns how many. */
  sweepBlobs(): Promise<number>;
  close(): Promise<void>;
}
