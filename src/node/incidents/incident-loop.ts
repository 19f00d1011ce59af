import type { AlertSender } from '../../alerts/alert-sender.ts';
import type { IncidentSource } from '../../api/incident-source.ts';
import type { Config } from '../../config/model.ts';
import type { Problem } from '../../config/problem.ts';
import type { HealthEvent } from '../../health/endpoint-health.ts';
import { failoverSeconds, type Incident } from '../../health/incidents/incident.ts';
import type { TimelineEndpoint } from '../../health/incidents/loss-watch.ts';
import { createTimeline, type IncidentNews } from '../../health/incidents/timeline.ts';
import type { Observation } from '../../health/observation.ts';
import type { Verdict } from '../../health/verdict.ts';
import type { History } from '../../history/history-link.ts';

/** How often vantages are looked at that have come to their verdict late. */
const LOOK_MS = 1000;

/** What waits for the open incidents of the run before; a history that takes longer is gone on without. */
const RESTORE_MS = 5_000;

export interface IncidentLoopOptions {
  /** Names this node in timelines. */
  readonly node: string;
  readonly history: Pick<
    History,
    'put' | 'incidents' | 'incident' | 'deliveries' | 'unfinished' | 'problems'
  >;
  readonly alerts: AlertSender;
  readonly nowMs: () => number;
  readonly config: () => Config;
  readonly endpoints: () => readonly TimelineEndpoint[];
  /** For how long resolvers may keep an answer of a pool that is given at this moment. */
  readonly ttlSecondsOf: (pool: string) => number;
  readonly observationsOf: (key: string) => readonly Observation[];
  /** Called for every incident that is new or has changed. */
  readonly onNews: (news: IncidentNews) => void;
  /** Incidents or problems are others than before. */
  readonly onChange: () => void;
  readonly onFailure: (error: unknown) => void;
}

/**
 * Carries changes of verdicts to timelines, and incidents to the history and to whoever is to be told:
 *
 *     health loop --> timeline --> history
 *                         `------> alerts --> history
 *
 * What happens before the open incidents of the run before are known waits for them.
 */
export class IncidentLoop implements IncidentSource {
  readonly #options: IncidentLoopOptions;
  readonly #timeline;
  readonly #timer: NodeJS.Timeout;
  /** Steps that wait for the restoration; undefined once it is over. */
  #waiting: (() => void)[] | undefined = [];
  #channels: Config['alertChannels'] | undefined;

  constructor(options: IncidentLoopOptions) {
    this.#options = options;
    this.#timeline = createTimeline(options.node);
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** Goes on with what the run before left open. Never rejects. */
  async restore(): Promise<void> {
    const { history, alerts, onFailure } = this.#options;
    let late: NodeJS.Timeout | undefined;
    try {
      const tooLate = new Promise<never>((_, reject) => {
        late = setTimeout(() => reject(new Error('the history does not answer')), RESTORE_MS);
      });
      const { incidents, deliveries } = await Promise.race([history.unfinished(), tooLate]);
      this.#timeline.restore(incidents);
      this.#followChannels();
      alerts.restore(deliveries);
    } catch (error) {
      onFailure(error);
    }
    clearTimeout(late);
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const step of waiting) step();
  }

  /** A verdict has changed, and queries are answered by it. */
  takeEvent({ key, from, to, reason, at }: HealthEvent): void {
    const liveAtMs = this.#options.nowMs();
    const observations = this.#options.observationsOf(key);
    const decidedAtMs = Date.parse(at);
    const event = { key, from, to, reason, decidedAtMs, liveAtMs, observations };
    this.#whenRestored(() => this.#tell(this.#timeline.take(event)));
  }

  /** Another node answers by a verdict; `atMs` is by the clock of this one. */
  takeLive(
    node: string,
    news: { readonly key: string; readonly verdict: Verdict; readonly atMs: number },
  ): void {
    const { key, verdict, atMs } = news;
    this.#whenRestored(() => this.#tell(this.#timeline.takeLive(key, verdict, { node, atMs })));
  }

  /** The endpoints may be others than before. */
  followEndpoints(): void {
    const endpoints = this.#options.endpoints();
    const nowMs = this.#options.nowMs();
    const { ttlSecondsOf } = this.#options;
    this.#whenRestored(() => this.#tell(this.#timeline.follow(endpoints, ttlSecondsOf, nowMs)));
  }

  /** The configuration may be another. */
  followConfig(): void {
    this.#whenRestored(() => this.#followChannels());
  }

  /** The history was lost: what is still under way is written down again. */
  writeAgain(): void {
    const incidents = [...this.#timeline.open()];
    this.#options.history.put({ incidents, deliveries: this.#options.alerts.unfinished() });
  }

  openCounts(): ReadonlyMap<Incident['kind'], number> {
    const counts = new Map<Incident['kind'], number>([
      ['endpoint', 0],
      ['data-center', 0],
    ]);
    for (const { kind } of this.#timeline.open()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return counts;
  }

  openIncidents(): Iterable<Incident> {
    return this.#timeline.open();
  }

  problems(): readonly Problem[] {
    return [...this.#options.history.problems(), ...this.#options.alerts.problems()];
  }

  incidents: IncidentSource['incidents'] = (query) => this.#options.history.incidents(query);

  incident: IncidentSource['incident'] = (id) => this.#options.history.incident(id);

  deliveries: IncidentSource['deliveries'] = (query) => this.#options.history.deliveries(query);

  /** A channel may be tested as soon as its write is answered, before the change is told to anybody. */
  testChannel: IncidentSource['testChannel'] = (name) => {
    this.followConfig();
    return this.#options.alerts.test(name);
  };

  close(): void {
    clearInterval(this.#timer);
    this.#waiting = [];
  }

  #whenRestored(step: () => void): void {
    if (this.#waiting === undefined) step();
    else this.#waiting.push(step);
  }

  #look(): void {
    const { observationsOf, nowMs } = this.#options;
    if (this.#waiting === undefined) this.#tell(this.#timeline.look(observationsOf, nowMs()));
  }

  #tell(news: readonly IncidentNews[]): void {
    if (news.length === 0) return;
    const { history, alerts, onNews, onChange } = this.#options;
    history.put({ incidents: news.map(({ incident }) => incident) });
    alerts.tell(news);
    for (const one of news) onNews(one);
    onChange();
  }

  #followChannels(): void {
    const { alertChannels } = this.#options.config();
    if (this.#channels === alertChannels) return;
    this.#channels = alertChannels;
    this.#options.alerts.configure(Array.from(alertChannels.values(), ({ value }) => value));
  }
}

/** Seconds that a failover has taken, of the news that tells of one. */
export function failoverOf({ what, incident }: IncidentNews): number | undefined {
  return what === 'opened' && incident.verdict === 'down' ? failoverSeconds(incident) : undefined;
}
