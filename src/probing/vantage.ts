import type { ProbeResult } from '../health/probe-result.ts';
import type { ProbeClock } from './clock.ts';
import { createDueHeap, type DueJob } from './due-heap.ts';
import { createFifo } from './fifo.ts';
import { firstDueMs, jitteredMs, nextBeatMs, phaseOf, type RandomFraction, type Timetable } from './phase.ts';
import type { AnyProbeKind } from './probes/index.ts';
import type { VantageTarget } from './vantage-targets.ts';

export { type VantageTarget, vantageTargets } from './vantage-targets.ts';

/** Probes that run at once: each holds a socket, and 3,000 per second that end within half a second need 1,500. */
export const MAX_CONCURRENT_PROBES = 2000;

/** The timer wakes at most this often, so that thousands of targets cost hundreds of wake-ups. */
const MIN_WAKE_GAP_MS = 5;

export interface VantageOptions {
  readonly clock: ProbeClock;
  /** Draws the jitter; `Math.random` outside tests. */
  readonly random: RandomFraction;
  readonly probeKinds: readonly AnyProbeKind[];
  /** Called once for every finished probe, never for one whose target has changed or gone meanwhile. */
  readonly onResult: (key: string, result: ProbeResult) => void;
  /** Probes that run at once; the others wait in the order in which they were due. */
  readonly maxConcurrent?: number;
}

/**
 * Probes its targets, each on its own beat.
 *
 *     setTargets --> due heap --(one timer)--> waiting queue --(bound)--> running --> onResult
 *                       ^                                                    |
 *                       `---- next beat, set as soon as this one is due -----'
 *
 * A probe that still waits or runs when its next is due is not doubled: the next follows when it has ended.
 */
export interface Vantage {
  /**
   * Replaces the targets. One whose definition stays the same is not disturbed; a changed one starts anew; one that
   * is gone stops at once, also in the middle of a probe.
   */
  setTargets(targets: readonly VantageTarget[]): void;
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

interface Job extends DueJob {
  readonly target: VantageTarget;
  readonly timetable: Timetable;
  beatMs: number;
  state: 'resting' | 'waiting' | 'running' | 'gone';
  /** The next probe was due while this one had not ended. */
  overdue: boolean;
  readonly stopping: AbortController;
}

class PhasedVantage implements Vantage {
  readonly #options: VantageOptions;
  readonly #kinds: ReadonlyMap<string, AnyProbeKind>;
  readonly #maxConcurrent: number;
  readonly #jobs = new Map<string, Job>();
  readonly #due = createDueHeap<Job>();
  readonly #waiting = createFifo<Job>();
  readonly #running = new Set<Promise<void>>();
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #cancelTimer: () => void = () => undefined;
  #stopped = false;

  constructor(options: VantageOptions) {
    this.#options = options;
    this.#kinds = new Map(options.probeKinds.map((kind) => [kind.kind, kind]));
    this.#maxConcurrent = options.maxConcurrent ?? MAX_CONCURRENT_PROBES;
  }

  setTargets(targets: readonly VantageTarget[]): void {
    if (this.#stopped) return;
    const wanted = new Map(targets.map((target) => [target.key, target]));
    for (const job of this.#jobs.values()) {
      const target = wanted.get(job.target.key);
      if (target !== undefined && isSameTarget(target, job.target)) wanted.delete(target.key);
      else this.#drop(job);
    }
    const nowMs = this.#options.clock.nowMs();
    for (const target of wanted.values()) this.#add(target, nowMs);
    this.#arm(nowMs);
  }

  get load(): VantageLoad {
    return { targets: this.#jobs.size, running: this.#running.size, waiting: this.#waiting.size };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    for (const job of this.#jobs.values()) this.#drop(job);
    await Promise.all(this.#running);
  }

  #add(target: VantageTarget, nowMs: number): void {
    const { intervalMs, jitter } = target;
    const timetable = { intervalMs, jitter, phase: phaseOf(target.key) };
    const beatMs = firstDueMs(timetable, nowMs);
    const job: Job = {
      target,
      timetable,
      beatMs,
      dueMs: beatMs,
      place: -1,
      state: 'resting',
      overdue: false,
      stopping: new AbortController(),
    };
    this.#jobs.set(target.key, job);
    this.#due.set(job, beatMs);
  }

  #drop(job: Job): void {
    job.state = 'gone';
    this.#jobs.delete(job.target.key);
    this.#due.remove(job);
    job.stopping.abort();
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
      job.beatMs = nextBeatMs(job.timetable, job.beatMs, nowMs);
      this.#due.set(job, jitteredMs(job.timetable, job.beatMs, this.#options.random));
      this.#launch(job);
    }
    this.#arm(nowMs);
  }

  #launch(job: Job): void {
    if (job.state === 'running') job.overdue = true;
    if (job.state !== 'resting') return;
    job.state = 'waiting';
    this.#waiting.add(job);
    this.#startWaiting();
  }

  #startWaiting(): void {
    while (this.#running.size < this.#maxConcurrent) {
      const job = this.#waiting.take();
      if (job === undefined) return;
      // A dropped job may still stand in the queue.
      if (job.state === 'waiting') this.#start(job);
    }
  }

  #start(job: Job): void {
    job.state = 'running';
    const running = this.#probe(job).then((result) => {
      this.#running.delete(running);
      this.#finish(job, result);
    });
    this.#running.add(running);
  }

  /** The outermost loop of a probe: a mistake in one kind becomes a result that takes no endpoint down. */
  async #probe(job: Job): Promise<ProbeResult> {
    const { kind, address, port, timeoutMs, settings } = job.target;
    try {
      const probeKind = this.#kinds.get(kind);
      if (probeKind === undefined) return internalError(`There is no probe kind ${kind}`);
      return await probeKind.run({ address, port, timeoutMs }, settings, job.stopping.signal);
    } catch (error) {
      return internalError(`The probe kind ${kind} failed: ${String(error)}`);
    }
  }

  #finish(job: Job, result: ProbeResult): void {
    if (job.state === 'running') {
      job.state = 'resting';
      this.#options.onResult(job.target.key, result);
      if (job.overdue) {
        job.overdue = false;
        this.#launch(job);
      }
    }
    this.#startWaiting();
  }
}

function internalError(detail: string): ProbeResult {
  return { ok: false, reason: 'internal-error', detail, durationMs: 0, evidence: {} };
}

function isSameTarget(one: VantageTarget, other: VantageTarget): boolean {
  return (
    one.kind === other.kind &&
    one.address === other.address &&
    one.port === other.port &&
    one.intervalMs === other.intervalMs &&
    one.timeoutMs === other.timeoutMs &&
    one.jitter === other.jitter &&
    (one.settings === other.settings || JSON.stringify(one.settings) === JSON.stringify(other.settings))
  );
}
