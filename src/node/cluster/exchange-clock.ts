import type { ExchangeClock } from '../../cluster/health/exchange.ts';

/** The clocks of the process. Timers keep no process alive. */
export const exchangeClock: ExchangeClock = {
  monotonicMs: () => performance.now(),
  epochMs: () => Date.now(),
  setTimer: (delayMs, callback) => {
    if (delayMs <= 0) {
      const turn = setImmediate(callback);
      return () => clearImmediate(turn);
    }
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
