import type { Observation } from '../health/observation.ts';
import type { DueJob } from './due-heap.ts';
import { createObservedEndpoint, type ObservedEndpoint } from './observed-endpoint.ts';
import { phaseOf, type Timetable } from './phase.ts';
import type { VantageTarget } from './vantage-targets.ts';
import type { Watch } from './watch.ts';

/**
 * One probe that is repeated, for all endpoints that ask for the same.
 *
 *     web/fra --.
 *     api/fra --+--> 192.0.2.1 port 80, http, GET /healthz, every 10 s --> each result counts for all three
 *     www/fra --'
 */
export interface ProbeJob extends DueJob {
  /** Alike for targets that are probed alike; see `JobIdentities`. */
  readonly identity: string;
  /** What to probe; the thresholds in it are those of one endpoint and mean nothing here. */
  readonly target: VantageTarget;
  readonly timetable: Timetable;
  /** Nearly always one: a list of one is a fraction of a set of one. */
  readonly endpoints: ObservedEndpoint[];
  /** Row of its latency sketch. */
  readonly latencyRow: number;
  /** The time of its next regular probe, without jitter. */
  beatMs: number;
  startedMs: number;
  state: 'resting' | 'waiting' | 'running' | 'gone';
  /** The next probe was due while this one had not ended. */
  overdue: boolean;
  /** The last one ended by its timeout, and so may this one. */
  slow: boolean;
  /** Probes back to back because the watched connection was lost, until a verdict is found. */
  burst: boolean;
  /** Stops the probe that runs. */
  stopping: AbortController | undefined;
  watch: Watch | undefined;
}

/** Names for what is probed and when; those of targets that can share their probes are equal. */
export class JobIdentities {
  /** All but the address, numbered: a target's name is then short, however long its settings are. */
  #numbers = new Map<string, number>();
  #next = 0;
  readonly #texts = new WeakMap<object, string>();

  /** The identities of targets, in their order; forgets what none of them has. */
  of(targets: readonly VantageTarget[]): readonly string[] {
    const numbers = new Map<string, number>();
    const identities = targets.map((target) => {
      const { kind, address, port, intervalMs, recheckMs, timeoutMs, jitter } = target;
      const text = `${kind} ${port ?? ''} ${intervalMs} ${recheckMs} ${timeoutMs} ${jitter} ${this.#textOf(target)}`;
      const number = this.#numbers.get(text) ?? numbers.get(text) ?? this.#next++;
      numbers.set(text, number);
      return `${number} ${address}`;
    });
    this.#numbers = numbers;
    return identities;
  }

  /** The job's place within the interval: the same on every start, and another for the next address. */
  phaseOf(target: VantageTarget): number {
    return phaseOf(`${target.address} ${target.port ?? ''} ${target.kind} ${this.#textOf(target)}`);
  }

  #textOf({ settings }: VantageTarget): string {
    const known = this.#texts.get(settings);
    if (known !== undefined) return known;
    const text = JSON.stringify(settings);
    this.#texts.set(settings, text);
    return text;
  }
}

/** A vantage's endpoints and the jobs that they share. */
export class JobTable {
  readonly #endpoints = new Map<string, { readonly endpoint: ObservedEndpoint; readonly job: ProbeJob }>();
  readonly #jobs = new Map<string, ProbeJob>();
  readonly #identities = new JobIdentities();

  get size(): number {
    return this.#endpoints.size;
  }

  /**
   * Replaces the endpoints. `create` makes a job for targets that no other is probed like; `drop` ends one that no
   * endpoint needs any more. An endpoint that keeps its address keeps what is known of it, whatever probes it.
   */
  replace(
    targets: readonly VantageTarget[],
    known: ReadonlyMap<string, Observation>,
    create: (identity: string, target: VantageTarget, phase: number) => ProbeJob,
    drop: (job: ProbeJob) => void,
  ): void {
    const identities = this.#identities.of(targets);
    const before = new Map(this.#endpoints);
    const emptied = new Set<ProbeJob>();
    const moving: { target: VantageTarget; identity: string; endpoint: ObservedEndpoint }[] = [];
    targets.forEach((target, index) => {
      const identity = identities[index] ?? '';
      const held = before.get(target.key);
      before.delete(target.key);
      if (held?.job.identity === identity) {
        held.endpoint.target = target;
        return;
      }
      const stays = held?.endpoint.target.address === target.address;
      const endpoint =
        held !== undefined && stays
          ? { ...held.endpoint, target }
          : createObservedEndpoint(target, held === undefined ? known.get(target.key) : undefined);
      // A target that has moved goes on counting, so that what is said of it now is the newest.
      if (held !== undefined) endpoint.sequence = held.endpoint.sequence;
      if (held !== undefined) this.#leave(held.job, held.endpoint, emptied);
      moving.push({ target, identity, endpoint });
    });
    for (const [key, { job, endpoint }] of before) {
      this.#leave(job, endpoint, emptied);
      this.#endpoints.delete(key);
    }
    for (const { target, identity, endpoint } of moving) {
      const job = this.#jobs.get(identity) ?? create(identity, target, this.#identities.phaseOf(target));
      this.#jobs.set(identity, job);
      job.endpoints.push(endpoint);
      emptied.delete(job);
      this.#endpoints.set(target.key, { endpoint, job });
    }
    for (const job of emptied) {
      this.#jobs.delete(job.identity);
      drop(job);
    }
  }

  #leave(job: ProbeJob, endpoint: ObservedEndpoint, emptied: Set<ProbeJob>): void {
    job.endpoints.splice(job.endpoints.indexOf(endpoint), 1);
    if (job.endpoints.length === 0) emptied.add(job);
  }
}
