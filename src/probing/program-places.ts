/** Gives a place back; only the first call counts. */
export type LeavePlace = () => void;

/**
 * Places for programs that run at once; who finds none free waits in line.
 *
 * A place is left when the program has really ended, not when its probe has: programs that cannot be killed, because
 * they hang in the kernel, then keep others from piling up behind them.
 */
export class ProgramPlaces {
  #free: number;
  /** In the order in which they came; who gives up waiting is taken out. */
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /** Resolves with undefined when no place got free in time, or `stopped` was first. */
  take(waitMs: number, stopped: AbortSignal): Promise<LeavePlace | undefined> {
    if (stopped.aborted) return Promise.resolve(undefined);
    if (this.#free > 0) {
      this.#free -= 1;
      return Promise.resolve(this.#place());
    }
    return new Promise((resolve) => {
      const settle = (place: LeavePlace | undefined): void => {
        this.#waiting.delete(onPlace);
        clearTimeout(timer);
        stopped.removeEventListener('abort', giveUp);
        resolve(place);
      };
      const onPlace = (): void => settle(this.#place());
      const giveUp = (): void => settle(undefined);
      const timer = setTimeout(giveUp, waitMs);
      stopped.addEventListener('abort', giveUp);
      this.#waiting.add(onPlace);
    });
  }

  #place(): LeavePlace {
    let left = false;
    return () => {
      if (!left) this.#leave();
      left = true;
    };
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#free += 1;
    else next();
  }
}
