import { excessive, malformed, OctetReader } from './octet-reader.ts';

/**
 * Counts of operations, and all else that a document numbers upwards: at a thousand a second that is for 30 years, and
 * far below where numbers of JavaScript are no longer exact.
 */
export const MAX_COUNTER = 2 ** 40;

/** What stands in a column, by the three lowest bits of its specification. */
const GROUP = 0;
const DELTA = 3;
const BOOLEAN = 4;
const STRING = 5;
const VALUE_METADATA = 6;
const VALUE = 7;

/**
 * How many rows a column of Automerge's unfolds to. A run of equal values is written once, with its length before it:
 *
 *     +------------+-------+                      length > 0: so many times the value
 *     | length     | value |   or   0, length     so many times null
 *     | as sLEB128 |       |   or   -n, n values  each once
 *
 * A few octets can stand for any number of rows.
 * @throws StoreError `refused`.
 */
export function columnRows(specification: number, octets: Uint8Array): number {
  const type = specification & 7;
  const reader = new OctetReader(octets);
  if (type === VALUE) return 0;
  if (type === BOOLEAN) {
    let rows = 0;
    while (!reader.isAtEnd) rows += reader.unsigned();
    return rows;
  }
  let rows = 0;
  let sum = 0;
  const add = (times: number): void => {
    rows += times;
    if (type === STRING) reader.counted();
    else if (type === DELTA) {
      sum += times * reader.signed();
      if (Math.abs(sum) > MAX_COUNTER) throw excessive(`a counter goes beyond ${MAX_COUNTER}`);
    } else if (type === VALUE_METADATA) reader.unsigned();
    else sum += times * reader.unsigned();
  };
  while (!reader.isAtEnd) {
    const length = reader.signed();
    if (length > 0) add(length);
    else if (length === 0) rows += reader.unsigned();
    else for (let left = -length; left > 0; left -= 1) add(1);
    if (!Number.isSafeInteger(rows)) throw malformed('a run has no end');
  }
  // A group says how many rows of others belong to each of its own.
  return type === GROUP ? Math.max(rows, sum) : rows;
}
