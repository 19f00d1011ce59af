/**
 * Why the store refuses; operators and tests match on it.
 *
 *     in-use         another process (or this one) has the data directory open
 *     unreadable     the directory or its database cannot be opened
 *     damaged        the database opens, but what it holds is torn, incomplete or not what was written
 *     newer-format   a later version of the program wrote it
 *     write-failed   the disk did not take the write; nothing of it is kept, on disk or in memory
 *     refused        the change itself cannot be stored (too large, zone missing, names not unique)
 *     busy           too many commits wait
 *     closed         the store is closed
 */
export type StoreErrorCode =
  | 'in-use'
  | 'unreadable'
  | 'damaged'
  | 'newer-format'
  | 'write-failed'
  | 'refused'
  | 'busy'
  | 'closed';

/** Everything the store throws on purpose; the message says what is wrong and what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
