import type { ProbeClock } from '../../src/probing/clock.ts';

/** A clock that stands still until it is told to go on; timers fire in order, each at its own time. */
export interface FakeClock extends ProbeClock {
  /** Goes on by `ms` and lets what was started run; resolves when it rests. */
  advance(ms: number): Promise<void>;
  /** Goes on by `ms` without running anything, as when the machine sleeps. */
  sleep(ms: number): void;
  /** Timers that are set. */
  readonly pending: number;
}

/** A clock at an odd time, so that nothing works only because the clock began at 0. */
export function createFakeClock(startMs = 1_234_567.25): FakeClock {
  let nowMs = startMs;
  const timers = new Set<{ readonly atMs: number; readonly callback: () => void }>();
  return {
    nowMs: () => nowMs,
    epochMs: () => nowMs,
    setTimer(delayMs, callback) {
      const timer = { atMs: nowMs + delayMs, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(ms) {
      const endMs = nowMs + ms;
      for (;;) {
        await settle();
        const next = [...timers].sort((one, other) => one.atMs - other.atMs)[0];
        if (next === undefined || next.atMs > endMs) break;
        timers.delete(next);
        nowMs = Math.max(nowMs, next.atMs);
        next.callback();
      }
      nowMs = endMs;
      await settle();
    },
    sleep(ms) {
      nowMs += ms;
    },
    get pending() {
      return timers.size;
    },
  };
}

/** Promise chains of a probe are a few links long. */
async function settle(): Promise<void> {
  for (let link = 0; link < 8; link += 1) await Promise.resolve();
}
