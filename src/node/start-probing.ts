import { Worker } from 'node:worker_threads';
import type { Observation } from '../health/observation.ts';
import type { Logger } from '../observe/log.ts';
import { startVantage, type VantageLink } from '../probing/vantage-link.ts';
import type { Settings } from '../settings.ts';
import { workerUrl } from '../worker-url.ts';

/** The name under which this node's own probes count. */
export const LOCAL_VANTAGE = 'local';

/** Starts this node's vantage in a thread of its own, without targets. */
export function startProbing(
  { execDirectory }: Settings,
  log: Logger,
  onObservations: (observations: readonly Observation[]) => void,
): VantageLink {
  return startVantage({
    name: LOCAL_VANTAGE,
    environment: { execDirectory },
    url: workerUrl(import.meta.url, '../probing/vantage-worker'),
    startWorker: (url, options) => new Worker(url, options),
    onObservations,
    onLost: (error) => log.error({ error }, 'the thread that probes ended and will be started again'),
  });
}
