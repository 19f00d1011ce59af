import { performance } from 'node:perf_hooks';

/** A clock that only goes forward, and timers by it; tests bring their own. */
export interface ProbeClock {
  /** Milliseconds from an arbitrary start. */
  nowMs(): number;
  /** Milliseconds since the epoch, by the clock of the machine, which may be set. */
  epochMs(): number;
  /** Calls back once after `delayMs`; the returned function cancels. */
  setTimer(delayMs: number, callback: () => void): () => void;
}

/** The machine's own monotonic clock. */
export const monotonicClock: ProbeClock = {
  nowMs: () => performance.now(),
  epochMs: () => Date.now(),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
