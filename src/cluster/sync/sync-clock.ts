/** Time as synchronisation needs it; a simulation has its own. */
export interface SyncClock {
  /** Milliseconds since any fixed moment; never steps back, whatever happens to the wall clock. */
  nowMs(): number;
  /** Calls once, not sooner than in so many milliseconds; returns how to call it off. */
  after(ms: number, run: () => void): () => void;
}

/** The clock of the process. Its timers keep no process alive. */
export const processClock: SyncClock = {
  nowMs: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
