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
}

export function createWriteLanes(limit: number = MAX_WRITES_IN_FLIGHT): WriteLanes {
  const tails = new Map<string, Promise<unknown>>();
  let inFlight = 0;

  return {
    run<T>(lane: string, task: () => Promise<T>): Promise<T> | undefined {
      if (inFlight >= limit) return undefined;
      inFlight++;
      const result = (tails.get(lane) ?? Promise.resolve()).then(task);
      // The tail never rejects: the next write of the lane runs whatever became of this one.
      const tail: Promise<unknown> = result
        .catch(() => undefined)
        .then(() => {
          inFlight--;
          if (tails.get(lane) === tail) tails.delete(lane);
        });
      tails.set(lane, tail);
      return result;
    },
  };
}
