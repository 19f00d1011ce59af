/**
 * One octet per endpoint slot, shared by all threads: a failover is one store here, seen by the next packet.
 *
 *     bit 7 ........ 3      2        1   0
 *     unused            last-known   verdict (see below)
 */
export const MAX_ENDPOINT_SLOTS = 65_536;

export const VERDICT_UNKNOWN = 0;
export const VERDICT_UP = 1;
export const VERDICT_DOWN = 2;
/** Taken out by the operator: not answered while anything else can be. */
export const VERDICT_DRAINED = 3;

export const VERDICT_MASK = 0b11;
/** Set on the endpoints that were up when last any endpoint of their pool was up. */
export const LAST_KNOWN_UP = 0b100;

/** A fresh table: every endpoint unknown. */
export function createVerdictTable(): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(new SharedArrayBuffer(MAX_ENDPOINT_SLOTS));
}
