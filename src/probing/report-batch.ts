import type { Observation } from '../health/observation.ts';

/** Observations on their way to the main thread. */
export interface ReportBatch {
  /** Sent with the others after a while; at once, with all that wait, when its verdict is new. */
  add(observation: Observation): void;
  flush(): void;
  /** Drops what waits. */
  close(): void;
}

/** What changes nothing may wait so long: the page that shows it is drawn a few times a second. */
const BATCH_MS = 100;

/** More would be felt as one long turn of the main thread's loop. */
const MAX_BATCH = 500;

/** An empty batch. */
export function createReportBatch(send: (observations: readonly Observation[]) => void): ReportBatch {
  let waiting: Observation[] = [];
  let timer: NodeJS.Timeout | undefined;
  /** Changes that come within one turn of the loop go together. */
  let soon: NodeJS.Immediate | undefined;

  function disarm(): void {
    clearTimeout(timer);
    clearImmediate(soon);
    timer = undefined;
    soon = undefined;
  }

  function flush(): void {
    disarm();
    if (waiting.length === 0) return;
    const observations = waiting;
    waiting = [];
    send(observations);
  }

  return {
    add(observation) {
      waiting.push(observation);
      if (waiting.length >= MAX_BATCH) flush();
      else if (observation.sinceMs === observation.observedAtMs) soon ??= setImmediate(flush);
      else timer ??= setTimeout(flush, BATCH_MS);
    },
    flush,
    close() {
      disarm();
      waiting = [];
    },
  };
}
