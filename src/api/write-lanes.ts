/**
 * Most writes that wait or run at once. Each holds a body of up to 1 MiB; those that are refused may be repeated.
 */
const MAX_WRITES_IN_FLIGHT = 2000;

/**
 * Writes of one resource one after the other, writes of different resources side by side: between the check of a
 * precondition and the commit no other write of the API can change the resource, and yet commits still share flushes.
 *
 *     pools/web   -> write 1 -> write 2 -> write 3      (a lane: the tail of a chain of promises)
 *     pools/mail  -> write 4
 */
export interface WriteLanes {
  /** Runs the task after all earlier ones of its lane; undefined, without running it, when too many wait. */
  run<T>(lane: string, task: () => Promise<T>): Promise<T> | undefined;
  /** The same in several lanes at once: later tasks of each of them wait for this one. It counts as one. */
  runAll<T>(lanes: readonly string[], task: () => Promise<T>): Promise<T> | undefined;
}

export function createWriteLanes(limit: number = MAX_WRITES_IN_FLIGHT): WriteLanes {
  const tails = new Map<string, Promise<unknown>>();
  let inFlight = 0;

  function runAll<T>(lanes: readonly string[], task: () => Promise<T>): Promise<T> | undefined {
    if (inFlight >= limit) return undefined;
    inFlight++;
    const earlier = new Set(lanes.flatMap((lane) => tails.get(lane) ?? []));
    // Tails never reject: the next write of a lane runs whatever became of this one.
    const result = Promise.all(earlier).then(task);
    const tail: Promise<unknown> = result
      .catch(() => undefined)
      .then(() => {
        inFlight--;
        for (const lane of lanes) if (tails.get(lane) === tail) tails.delete(lane);
      });
    for (const lane of lanes) tails.set(lane, tail);
    return result;
  }

  return { run: (lane, task) => runAll([lane], task), runAll };
}
