import { Worker } from 'node:worker_threads';
import type { Observation } from '../../health/observation.ts';
import type { Logger } from '../../observe/log.ts';
import { startVantage, type VantageLink } from '../../probing/vantage-link.ts';
import type { Settings } from '../../settings.ts';
import { workerUrl } from '../../worker-url.ts';

/** The name under which the probes of a node count that is in no cluster. */
export const LOCAL_VANTAGE = 'local';

/** Starts this node's vantage in a thread of its own, without targets; `vantage` names it. */
export function startProbing(
  vantage: string,
  { execDirectory }: Pick<Settings, 'execDirectory'>,
  log: Logger,
  onObservations: (observations: readonly Observation[]) => void,
): VantageLink {
  return startVantage({
    name: vantage,
    environment: { execDirectory },
    url: workerUrl(import.meta.url, '../../probing/vantage-worker'),
    startWorker: (url, options) => new Worker(url, options),
    onObservations,
    onLost: (error) => log.error({ error }, 'the thread that probes ended and will be started again'),
  });
}
