import type { Problem } from '../config/problem.ts';
import type { AlertChannel } from '../config/resources/alert-channel.ts';
import type { Incident } from '../health/incidents/incident.ts';
import type { IncidentNews } from '../health/incidents/timeline.ts';
import { formatMessage } from './alert-message.ts';
import type { Delivery } from './delivery.ts';
import { accepts, addIncident, eventOf, groupOf } from './grouping.ts';
import { type PostOutcome, postWebhook, WEBHOOK_TIMEOUT_MS } from './post-webhook.ts';
import { afterAttempt } from './retry.ts';

/** Messages of one channel that wait. Beyond it the oldest go: what happens now matters more. */
export const MAX_QUEUED = 500;

/** Timers cannot be set further, and clocks may have been set meanwhile. */
const LONGEST_SLEEP_MS = 60_000;

export interface AlertOptions {
  readonly nowMs: () => number;
  /** 0 to 1. */
  readonly random: () => number;
  /** Tells one delivery from another of the same millisecond. */
  readonly newTag: () => string;
  /** Writes a delivery down. */
  readonly keep: (delivery: Delivery) => void;
  /** The incidents that are open now. */
  readonly openIncidents: () => Iterable<Incident>;
  /** Called for every attempt that has ended, with how. */
  readonly onAttempt: (channel: string, outcome: PostOutcome['kind']) => void;
  /** What `problems` says is no longer the same. */
  readonly onProblems: () => void;
  readonly timeoutMs?: number;
}

/** What is sent to one channel, one message after the other, so that they arrive in order. */
interface Lane {
  channel: AlertChannel;
  /** Collecting and waiting, oldest first. */
  queue: Delivery[];
  timer: NodeJS.Timeout | undefined;
  sending: string | undefined;
  /** Why the last attempt failed; undefined once one has succeeded. */
  failure: string | undefined;
}

/**
 * Tells channels what happens.
 *
 *     news --accepts--> group of its channel --quiet--> waiting --attempt--> delivered
 *                                                          ^----- later -----'
 */
export class AlertSender {
  readonly #options: AlertOptions;
  readonly #lanes = new Map<string, Lane>();
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(options: AlertOptions) {
    this.#options = options;
  }

  /** Goes on with what the run before had not finished; channels that are gone meanwhile have theirs dropped. */
  restore(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      const lane = this.#lanes.get(delivery.channel);
      if (lane === undefined) this.#finish(delivery, 'dropped', 'its channel is gone');
      else if (lane.queue.every(({ id }) => id !== delivery.id)) lane.queue.push(delivery);
    }
    for (const lane of this.#lanes.values()) {
      lane.queue.sort((one, other) => (one.id < other.id ? -1 : 1));
      this.#schedule(lane);
    }
  }

  /** Follows the channels of the configuration. */
  configure(channels: Iterable<AlertChannel>): void {
    const names = new Set<string>();
    for (const channel of channels) {
      names.add(channel.name);
      const lane = this.#lanes.get(channel.name);
      if (lane === undefined) this.#lanes.set(channel.name, createLane(channel));
      else if (lane.channel !== channel) {
        lane.channel = channel;
        // What was wrong may be mended: it is tried at once.
        lane.queue = lane.queue.map((delivery) =>
          delivery.state === 'waiting' ? { ...delivery, dueAtMs: this.#options.nowMs() } : delivery,
        );
        this.#schedule(lane);
      }
    }
    for (const [name, lane] of this.#lanes) {
      if (names.has(name)) continue;
      clearTimeout(lane.timer);
      this.#lanes.delete(name);
      for (const delivery of lane.queue) this.#finish(delivery, 'dropped', 'its channel is gone');
    }
  }

  /** Collects news for the channels that want it. */
  tell(news: readonly IncidentNews[]): void {
    for (const one of news) {
      const event = eventOf(one);
      if (event === undefined) continue;
      for (const lane of this.#lanes.values())
        if (accepts(lane.channel, one.incident)) this.#collect(lane, event, one.incident);
    }
  }

  /** Sends a test at once, whatever waits; undefined for a channel that is not there. */
  async test(name: string): Promise<Delivery | undefined> {
    const lane = this.#lanes.get(name);
    if (lane === undefined) return undefined;
    const delivery = this.#create(lane.channel, 'test', 'test');
    const outcome = await this.#attempt(lane.channel, delivery);
    const state = outcome.kind === 'taken' ? 'delivered' : 'failed';
    this.#setFailure(lane, outcome.kind === 'taken' ? undefined : outcome.error);
    const error = outcome.kind === 'taken' ? undefined : outcome.error;
    return this.#finish({ ...delivery, attempts: 1, status: outcome.status }, state, error);
  }

  /** Channels whose last attempt failed. */
  problems(): readonly Problem[] {
    return Array.from(this.#lanes.values()).flatMap(({ channel, failure, queue }) =>
      failure === undefined
        ? []
        : {
            code: 'alert-channel-failing',
            path: `alertChannels/${channel.name}`,
            message: `The last message could not be delivered: ${failure}. ${queue.length} wait.`,
          },
    );
  }

  /** Everything that is not finished, to be written down again. */
  unfinished(): readonly Delivery[] {
    return Array.from(this.#lanes.values()).flatMap(({ queue }) => queue);
  }

  /** Ends attempts under way; what waits is gone on with by the next start. */
  async close(): Promise<void> {
    for (const lane of this.#lanes.values()) clearTimeout(lane.timer);
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  #create(channel: AlertChannel, event: Delivery['event'], group: string): Delivery {
    const createdAtMs = this.#options.nowMs();
    return {
      id: `${createdAtMs}-${this.#options.newTag()}`,
      channel: channel.name,
      event,
      group,
      state: 'collecting',
      createdAtMs,
      dueAtMs: createdAtMs,
      finishedAtMs: undefined,
      attempts: 0,
      status: undefined,
      error: undefined,
      incidents: [],
      total: 0,
    };
  }

  #collect(lane: Lane, event: Exclude<Delivery['event'], 'test'>, incident: Incident): void {
    const { channel, queue } = lane;
    const nowMs = this.#options.nowMs();
    const group = groupOf(channel, event, incident.dataCenter);
    const at = queue.findIndex((delivery) => delivery.state === 'collecting' && delivery.group === group);
    const before = queue[at] ?? this.#create(channel, event, group);
    const delivery = addIncident(before, incident, channel, nowMs);
    if (at === -1) queue.push(delivery);
    else queue[at] = delivery;
    this.#options.keep(delivery);
    this.#bound(lane);
    this.#schedule(lane);
  }

  #bound(lane: Lane): void {
    while (lane.queue.length > MAX_QUEUED) {
      const at = lane.queue.findIndex(({ id }) => id !== lane.sending);
      const [oldest] = lane.queue.splice(at, 1);
      if (oldest !== undefined) this.#finish(oldest, 'dropped', 'newer messages took its place');
    }
  }

  /** Wakes up when the first of the channel is due: messages keep their order, so that none overtakes one that fails. */
  #schedule(lane: Lane): void {
    clearTimeout(lane.timer);
    lane.timer = undefined;
    const next = lane.queue[0];
    if (next === undefined || lane.sending !== undefined || this.#stop.signal.aborted) return;
    const sleepMs = Math.min(LONGEST_SLEEP_MS, Math.max(0, next.dueAtMs - this.#options.nowMs()));
    lane.timer = setTimeout(() => this.#wake(lane), sleepMs);
  }

  #wake(lane: Lane): void {
    const next = lane.queue[0];
    if (next === undefined || next.dueAtMs > this.#options.nowMs()) this.#schedule(lane);
    else if (this.#isNeeded(lane.channel, next)) this.#send(lane, next);
    else {
      lane.queue.shift();
      this.#finish(next, 'not-needed', undefined);
      this.#schedule(lane);
    }
  }

  #send(lane: Lane, next: Delivery): void {
    lane.sending = next.id;
    const run = this.#deliver(lane, next).finally(() => {
      this.#running.delete(run);
      lane.sending = undefined;
      this.#schedule(lane);
    });
    this.#running.add(run);
  }

  async #deliver(lane: Lane, collected: Delivery): Promise<void> {
    const delivery: Delivery = { ...collected, state: 'waiting' };
    this.#replace(lane, delivery);
    const outcome = await this.#attempt(lane.channel, delivery);
    // Its channel may have gone, and what waited there with it.
    if (this.#lanes.get(delivery.channel) !== lane) return;
    // The end of this node is no failure of the receiver's.
    if (this.#stop.signal.aborted && outcome.kind === 'try-again') return;
    this.#setFailure(lane, outcome.kind === 'taken' ? undefined : outcome.error);
    const next = afterAttempt(delivery, outcome, this.#options.nowMs(), this.#options.random());
    if (next.finishedAtMs !== undefined) lane.queue = lane.queue.filter(({ id }) => id !== next.id);
    this.#replace(lane, next);
  }

  #replace(lane: Lane, delivery: Delivery): void {
    const at = lane.queue.findIndex(({ id }) => id === delivery.id);
    if (at !== -1) lane.queue[at] = delivery;
    this.#options.keep(delivery);
  }

  async #attempt(channel: AlertChannel, delivery: Delivery): Promise<PostOutcome> {
    const { nowMs, timeoutMs = WEBHOOK_TIMEOUT_MS, onAttempt } = this.#options;
    const message = formatMessage(delivery, channel, nowMs());
    const outcome = await postWebhook(channel.url, message, { timeoutMs, signal: this.#stop.signal });
    onAttempt(channel.name, outcome.kind);
    return outcome;
  }

  /** PagerDuty's alert of a data center is resolved when all of it is back. */
  #isNeeded(channel: AlertChannel, { event, incidents }: Delivery): boolean {
    if (channel.format !== 'pagerduty' || event !== 'recovered') return true;
    const dataCenter = incidents[0]?.dataCenter;
    for (const incident of this.#options.openIncidents())
      if (incident.dataCenter === dataCenter && accepts(channel, incident)) return false;
    return true;
  }

  #finish(delivery: Delivery, state: Delivery['state'], error: string | undefined): Delivery {
    const finished = { ...delivery, state, error, finishedAtMs: this.#options.nowMs() };
    this.#options.keep(finished);
    return finished;
  }

  #setFailure(lane: Lane, failure: string | undefined): void {
    if (lane.failure === failure) return;
    lane.failure = failure;
    this.#options.onProblems();
  }
}

function createLane(channel: AlertChannel): Lane {
  return { channel, queue: [], timer: undefined, sending: undefined, failure: undefined };
}
