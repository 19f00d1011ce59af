/**
 * The newest entries of a stream, in bounded memory.
 *
 *     entries   [ e5 e6 e3 e4 ]      capacity 4, six entries so far
 *                       ^ next       the next one overwrites the oldest
 */
export interface EventRing<E> {
  add(entry: E): void;
  /** Newest first. */
  list(): readonly E[];
}

/** An empty ring for `capacity` entries, 1 or more. */
export function createEventRing<E>(capacity: number): EventRing<E> {
  const entries: E[] = [];
  let next = 0;
  return {
    add(entry) {
      entries[next] = entry;
      next = (next + 1) % capacity;
    },
    list() {
      return [...entries.slice(next), ...entries.slice(0, next)].reverse();
    },
  };
}
