import { isInDoubt } from '../health/damp.ts';
import type { Observation } from '../health/observation.ts';
import type { ProbeResult } from '../health/probe-result.ts';
import type { ProbeClock } from './clock.ts';
import { createDueHeap } from './due-heap.ts';
import { createFifo } from './fifo.ts';
import { createLatencyRows } from './latency-rows.ts';
import { observeResult } from './observed-endpoint.ts';
import { firstDueMs, firstSpreadMs, jitteredMs, nextBeatMs, type RandomFraction } from './phase.ts';
import { JobTable, type ProbeJob } from './probe-job.ts';
import type { AnyProbeKind } from './probes/index.ts';
import type { VantageTarget } from './vantage-targets.ts';
import { createWatch, MAX_WATCHES } from './watch.ts';

/** Probes that run at once, each with a socket: 3,000 a second of which a third end by a timeout of three seconds. */
export const MAX_CONCURRENT_PROBES = 4000;

/** Share of them for targets whose last probe timed out, so that a dead data center does not delay the others. */
const SLOW_SHARE = 0.75;

/** The timer wakes at most this often, so that thousands of targets cost hundreds of wake-ups. */
const MIN_WAKE_GAP_MS = 5;

/** From one probe of a burst to the next: long enough that a server that is being restarted in place is met again. */
export const BURST_GAP_MS = 50;

export interface VantageOptions {
  /** Node id of who probes. */
  readonly name: string;
  readonly clock: ProbeClock;
  /** Draws the jitter; `Math.random` outside tests. */
  readonly random: RandomFraction;
  readonly probeKinds: readonly AnyProbeKind[];
  /**
   * Called for every endpoint that a finished probe counts for, never for one whose probe has changed or gone
   * meanwhile.
   */
  readonly onObservation: (observation: Observation) => void;
  /** Probes that run at once; the others wait in the order in which they were due. */
  readonly maxConcurrent?: number;
}

/**
 * Probes its targets, each on its own beat, and damps what comes out.
 *
 *     setTargets --> due heap --(one timer)--> waiting queues --(bound)--> running --> damp --> onObservation
 *                       ^                                                    |
 *                       |---- next beat, set as soon as this one is due -----|
 *                       `---- sooner, while the verdict is in doubt ---------'
 *
 * A probe that still waits or runs when its next is due is not doubled: the next follows when it has ended.
 */
export interface Vantage {
  /**
   * Replaces the targets. One that is probed as before is not disturbed; one that is gone stops at once, also in the
   * middle of a probe. A new one goes on from what `known` says of it.
   */
  setTargets(targets: readonly VantageTarget[], known?: Iterable<Observation>): void;
  readonly load: VantageLoad;
  /** Stops every probe; resolves when none runs any more. */
  stop(): Promise<void>;
}

export interface VantageLoad {
  readonly targets: number;
  /** Probes that run now. */
  readonly running: number;
  /** Probes that are due and wait for others to end. */
  readonly waiting: number;
}

/** A vantage without targets. */
export function createVantage(options: VantageOptions): Vantage {
  return new PhasedVantage(options);
}

class PhasedVantage implements Vantage {
  readonly #options: VantageOptions;
  readonly #kinds: ReadonlyMap<string, AnyProbeKind>;
  readonly #maxConcurrent: number;
  readonly #table = new JobTable();
  readonly #due = createDueHeap<ProbeJob>();
  readonly #waiting = createFifo<ProbeJob>();
  readonly #waitingSlow = createFifo<ProbeJob>();
  readonly #latency = createLatencyRows();
  readonly #running = new Set<Promise<void>>();
  #slowRunning = 0;
  #watches = 0;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #cancelTimer: () => void = () => undefined;
  #stopped = false;

  constructor(options: VantageOptions) {
    this.#options = options;
    this.#kinds = new Map(options.probeKinds.map((kind) => [kind.kind, kind]));
    this.#maxConcurrent = options.maxConcurrent ?? MAX_CONCURRENT_PROBES;
  }

  setTargets(targets: readonly VantageTarget[], known: Iterable<Observation> = []): void {
    if (this.#stopped) return;
    const nowMs = this.#options.clock.nowMs();
    const created: ProbeJob[] = [];
    this.#table.replace(
      targets,
      new Map(Array.from(known, (observation) => [observation.key, observation])),
      (identity, target, phase) => {
        const job = this.#create(identity, target, phase, nowMs);
        created.push(job);
        return job;
      },
      (job) => this.#drop(job),
    );
    const spreadMs = firstSpreadMs(created.length);
    for (const job of created) {
      job.beatMs = firstDueMs(job.timetable, nowMs, spreadMs);
      this.#due.set(job, job.beatMs);
    }
    this.#arm(nowMs);
  }

  get load(): VantageLoad {
    const waiting = this.#waiting.size + this.#waitingSlow.size;
    return { targets: this.#table.size, running: this.#running.size, waiting };
  }

  async stop(): Promise<void> {
    this.#cancelTimer();
    this.setTargets([]);
    this.#stopped = true;
    this.#cancelTimer();
    await Promise.all(this.#running);
  }

  #create(identity: string, target: VantageTarget, phase: number, nowMs: number): ProbeJob {
    const { intervalMs, jitter } = target;
    const job: ProbeJob = {
      identity,
      target,
      timetable: { intervalMs, jitter, phase },
      endpoints: [],
      latencyRow: this.#latency.take(),
      beatMs: nowMs,
      dueMs: nowMs,
      place: -1,
      startedMs: 0,
      state: 'resting',
      overdue: false,
      slow: false,
      burst: false,
      stopping: undefined,
      watch: undefined,
    };
    this.#watch(job);
    return job;
  }

  #watch(job: ProbeJob): void {
    const { kind, address, port, settings, timeoutMs } = job.target;
    const watched = this.#kinds.get(kind)?.watchedPort?.(port, settings);
    if (watched === undefined || this.#watches >= MAX_WATCHES) return;
    this.#watches += 1;
    job.watch = createWatch({
      clock: this.#options.clock,
      address,
      port: watched,
      connectTimeoutMs: timeoutMs,
      onLost: () => this.#burst(job),
    });
  }

  #drop(job: ProbeJob): void {
    job.state = 'gone';
    this.#due.remove(job);
    this.#latency.give(job.latencyRow);
    if (job.watch !== undefined) this.#watches -= 1;
    job.watch?.close();
    job.stopping?.abort();
  }

  /** The watched connection was lost: probes back to back, until one succeeds or the endpoint is down. */
  #burst(job: ProbeJob): void {
    if (job.state === 'gone') return;
    job.burst = true;
    this.#launch(job);
  }

  /** Sees to it that the timer wakes for the job that is due first. */
  #arm(nowMs: number): void {
    const first = this.#due.first();
    if (first === undefined || first.dueMs >= this.#wakeAtMs) return;
    this.#cancelTimer();
    const delayMs = Math.max(MIN_WAKE_GAP_MS, first.dueMs - nowMs);
    this.#wakeAtMs = nowMs + delayMs;
    this.#cancelTimer = this.#options.clock.setTimer(delayMs, () => this.#wake());
  }

  #wake(): void {
    this.#wakeAtMs = Number.POSITIVE_INFINITY;
    if (this.#stopped) return;
    const nowMs = this.#options.clock.nowMs();
    for (;;) {
      const job = this.#due.first();
      if (job === undefined || job.dueMs > nowMs) break;
      if (job.beatMs <= nowMs) job.beatMs = nextBeatMs(job.timetable, job.beatMs, nowMs);
      this.#due.set(job, jitteredMs(job.timetable, job.beatMs, this.#options.random));
      this.#launch(job);
    }
    this.#arm(nowMs);
  }

  #launch(job: ProbeJob): void {
    if (job.state === 'running') job.overdue = true;
    if (job.state !== 'resting') return;
    job.state = 'waiting';
    (job.slow ? this.#waitingSlow : this.#waiting).add(job);
    this.#startWaiting();
  }

  #startWaiting(): void {
    while (this.#running.size < this.#maxConcurrent) {
      const job = this.#waiting.take() ?? this.#takeSlow();
      if (job === undefined) return;
      // A dropped job may still stand in the queue.
      if (job.state === 'waiting') this.#start(job);
    }
  }

  #takeSlow(): ProbeJob | undefined {
    return this.#slowRunning < this.#maxConcurrent * SLOW_SHARE ? this.#waitingSlow.take() : undefined;
  }

  #start(job: ProbeJob): void {
    job.state = 'running';
    job.startedMs = this.#options.clock.nowMs();
    const stopping = new AbortController();
    job.stopping = stopping;
    const slow = job.slow ? 1 : 0;
    this.#slowRunning += slow;
    const running = this.#probe(job, stopping.signal).then((result) => {
      this.#running.delete(running);
      this.#slowRunning -= slow;
      this.#finish(job, result);
    });
    this.#running.add(running);
  }

  /** The outermost loop of a probe: a mistake in one kind becomes a result that takes no endpoint down. */
  async #probe(job: ProbeJob, stopped: AbortSignal): Promise<ProbeResult> {
    const { kind, address, port, timeoutMs, settings } = job.target;
    try {
      const probeKind = this.#kinds.get(kind);
      if (probeKind === undefined) return internalError(`There is no probe kind ${kind}`);
      return await probeKind.run({ address, port, timeoutMs }, settings, stopped);
    } catch (error) {
      return internalError(`The probe kind ${kind} failed: ${String(error)}`);
    }
  }

  #finish(job: ProbeJob, result: ProbeResult): void {
    if (job.state === 'running') {
      job.state = 'resting';
      job.stopping = undefined;
      job.slow = result.reason === 'timeout';
      this.#tell(job, result);
      this.#hasten(job);
      if (job.overdue) {
        job.overdue = false;
        this.#launch(job);
      }
    }
    this.#startWaiting();
  }

  #tell(job: ProbeJob, probed: ProbeResult): void {
    const { name, clock, onObservation } = this.#options;
    const { watch } = job;
    if (probed.ok) this.#latency.add(job.latencyRow, probed.durationMs);
    const latency = this.#latency.quantiles(job.latencyRow);
    const result =
      watch === undefined ? probed : { ...probed, evidence: { ...probed.evidence, watch: watch.told } };
    const epochMs = clock.epochMs();
    let mayFall = false;
    for (const endpoint of job.endpoints) {
      onObservation(observeResult(endpoint, name, result, latency, epochMs));
      mayFall ||= endpoint.damped.verdict !== 'down';
    }
    // A node that cannot probe finds out nothing, and least of all by trying twenty times a second.
    if (probed.ok || !mayFall || probed.reason === 'internal-error') job.burst = false;
    if (probed.ok) watch?.alive();
    else if (!mayFall) watch?.failed();
  }

  /** Brings the next probe forward while the verdict is in doubt. */
  #hasten(job: ProbeJob): void {
    const { clock } = this.#options;
    const nowMs = clock.nowMs();
    const gapMs = job.burst ? BURST_GAP_MS : this.#isInDoubt(job) ? job.target.recheckMs : undefined;
    const soonMs = gapMs === undefined ? Number.POSITIVE_INFINITY : Math.max(nowMs, job.startedMs + gapMs);
    if (soonMs >= job.dueMs) return;
    this.#due.set(job, soonMs);
    this.#arm(nowMs);
  }

  #isInDoubt({ endpoints }: ProbeJob): boolean {
    const epochMs = this.#options.clock.epochMs();
    for (const { damped } of endpoints) if (isInDoubt(damped, epochMs)) return true;
    return false;
  }
}

function internalError(detail: string): ProbeResult {
  return { ok: false, reason: 'internal-error', detail, durationMs: 0, evidence: {} };
}
