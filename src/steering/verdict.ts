/**
 * What an endpoint's octet in the verdict table says (see `snapshot/verdict-table.ts`).
 *
 *     bit 7 ........ 3      2        1   0
 *     unused            last-known   verdict
 */
export const VERDICT_UNKNOWN = 0;
export const VERDICT_UP = 1;
export const VERDICT_DOWN = 2;
/** Taken out by the operator: not answered while anything else can be. */
export const VERDICT_DRAINED = 3;

export const VERDICT_MASK = 0b11;
/** Set on the endpoints that were up when last any endpoint of their pool was up. */
export const LAST_KNOWN_UP = 0b100;
