import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AlertSender } from '../../alerts/alert-sender.ts';
import type { Config } from '../../config/model.ts';
import { History } from '../../history/history-link.ts';
import type { Logger } from '../../observe/log.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { Settings } from '../../settings.ts';
import { workerUrl } from '../../worker-url.ts';
import type { Closers } from '../closers.ts';
import type { HealthLoop } from '../health/health-loop.ts';
import { failoverOf, IncidentLoop } from './incident-loop.ts';

/** In the data directory. */
const HISTORY_FILE = 'history.sqlite';

/** This node in timelines, where it has no name of its own. */
const NAMELESS = 'local';

/** What incidents are made from; asked for only once the node has all of its parts. */
export interface IncidentParts {
  readonly settings: Settings;
  readonly log: Logger;
  readonly nowMs: () => number;
  readonly config: () => Config;
  readonly health: () => Pick<HealthLoop, 'health' | 'observationsOf' | 'staleSecondsOf'>;
  readonly metrics: () => Metrics | undefined;
  /** Incidents or problems are others than before. */
  readonly announce: () => void;
}

/** Opens the history and begins to keep timelines. What it starts ends with the closers, sooner than what it needs. */
export function startIncidents(parts: IncidentParts, closers: Closers): IncidentLoop {
  const { settings, log, nowMs, config, health, metrics, announce } = parts;
  const { dataDirectory, nodeId, history: retention } = settings;
  const history = new History({
    start: { path: join(dataDirectory, HISTORY_FILE), retention },
    url: workerUrl(import.meta.url, '../../history/history-worker'),
    startWorker: (url, options) => new Worker(url, options),
    nowMs,
    onStartedAnew: () => loop.writeAgain(),
    onProblems: () => {
      for (const problem of history.problems()) log.error(problem, 'the history is not as it should be');
      announce();
    },
  });
  closers.add(() => history.close());
  const alerts = new AlertSender({
    nowMs,
    random: () => Math.random(),
    newTag: () => randomBytes(4).toString('hex'),
    keep: (delivery) => history.put({ deliveries: [delivery] }),
    openIncidents: () => loop.openIncidents(),
    onAttempt: (channel, outcome) => metrics()?.countAlert(channel, outcome),
    onProblems: () => {
      for (const problem of alerts.problems()) log.warn(problem, 'an alert channel fails');
      announce();
    },
  });
  closers.add(() => alerts.close());
  const loop: IncidentLoop = new IncidentLoop({
    node: nodeId === '' ? NAMELESS : nodeId,
    history,
    alerts,
    nowMs,
    config,
    endpoints: () => health().health(),
    ttlSecondsOf: (pool) => health().staleSecondsOf(pool),
    observationsOf: (key) => health().observationsOf(key),
    onNews: (news) => {
      if (news.what === 'opened') metrics()?.countIncident(news.incident, failoverOf(news));
    },
    onChange: announce,
    onFailure: (error) => log.error({ err: error }, 'what was open when the node last ran is not known'),
  });
  closers.add(async () => loop.close());
  void loop.restore();
  return loop;
}
