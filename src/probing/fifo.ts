/**
 * A queue, first in, first out.
 *
 *     entries   [ - - - c d e ]     taken ones are cut off when they are half of it, so a take costs
 *                       ^ head      a constant time on average
 */
export interface Fifo<E> {
  readonly size: number;
  add(entry: E): void;
  take(): E | undefined;
}

/** Below this many taken entries a cut is not worth its copy. */
const MIN_CUT = 1024;

/** An empty queue. */
export function createFifo<E>(): Fifo<E> {
  let entries: E[] = [];
  let head = 0;
  return {
    get size() {
      return entries.length - head;
    },
    add(entry) {
      entries.push(entry);
    },
    take() {
      const entry = entries[head];
      if (head < entries.length) head += 1;
      if (head === entries.length) {
        entries = [];
        head = 0;
      } else if (head >= MIN_CUT && head * 2 >= entries.length) {
        entries = entries.slice(head);
        head = 0;
      }
      return entry;
    },
  };
}
