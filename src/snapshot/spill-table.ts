import { SPILL_ALL, SPILL_GUEST, SPILL_HOME, SPILL_WORDS } from '../steering/spill.ts';

/**
 * Which share of its clients each data center passes on, shared by all threads beside the verdict table: a change is
 * a store here, seen by the next packet. What the words say is written in `steering/spill.ts`, which reads them.
 */

/** As many data centers as there are numbers for them (`MAX_DATA_CENTERS`): one kibibyte. */
const MAX_SPILL_NUMBERS = 256;

/** Shares of a data center's clients to pass on: 0 to 1. */
export interface SpillShares {
  readonly home: number;
  readonly guest: number;
}

/** A fresh table: everybody is kept. */
export function createSpillTable(): Uint16Array<SharedArrayBuffer> {
  return new Uint16Array(new SharedArrayBuffer(2 * SPILL_WORDS * MAX_SPILL_NUMBERS));
}

/** Stores the shares of the data center with that number. Numbers out of range are left out. */
export function putSpill(table: Uint16Array, dataCenter: number, { home, guest }: SpillShares): void {
  if (dataCenter < 0 || dataCenter >= MAX_SPILL_NUMBERS) return;
  Atomics.store(table, SPILL_WORDS * dataCenter + SPILL_HOME, wordOf(home));
  Atomics.store(table, SPILL_WORDS * dataCenter + SPILL_GUEST, wordOf(guest));
}

function wordOf(share: number): number {
  return Math.round(Math.min(Math.max(share, 0), 1) * SPILL_ALL);
}
