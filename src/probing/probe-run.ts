import { performance } from 'node:perf_hooks';
import { reasonOf } from '../config/problem.ts';
import type { ProbeReason, ProbeResult } from '../health/probe-result.ts';
import type { ProbeTarget } from './probe.ts';
import { codeOf, reasonOfError } from './socket-error.ts';

/** Longest text kept as evidence or told in a detail: enough to recognise an error page, too short to fill memory. */
export const MAX_EVIDENCE_LENGTH = 200;

/** A timer that comes later than this was kept by our own event loop, which has not looked at any socket either. */
const MAX_TIMER_LATENESS_MS = 100;

/** Something that holds a socket. */
export interface Destroyable {
  destroy(): unknown;
}

/**
 * One run of a probe, from its start to its one verdict.
 *
 *     start -> stage 'connecting' -> stage ... -> pass | fail
 *                 |                    |           |
 *                 timeout, stop signal, any error -'--> timer off, listener off, held sockets destroyed
 *
 * Only the first verdict counts; whatever comes later finds the sockets gone.
 */
export interface ProbeRun {
  /** What the run is waiting for, as it is told when time runs out: `waiting for the response`. */
  stage: string;
  /** Written by the probe kind as it goes; bounded text only, see `excerpt`. */
  readonly evidence: Record<string, string | number | boolean>;
  /** `192.0.2.1:80` or `[2001:db8::1]:80`; the address alone where there is no port. */
  readonly place: string;
  readonly decided: boolean;
  /** Milliseconds since the start, rounded to a tenth. */
  elapsedMs(): number;
  /** Takes care that it is destroyed when the run ends; at once when it has ended. */
  hold(resource: Destroyable): void;
  /** `what` begins a sentence that the place and the time complete: `HTTP 200`. */
  pass(what: string): void;
  fail(reason: ProbeReason, what: string): void;
  /** Fails with what an error says. */
  failWith(error: unknown): void;
}

/**
 * Runs a probe within the target's timeout; time in which this node itself stood still is given back, up to as much
 * again. Never rejects: an error thrown by `start` is an `internal-error`.
 * When `stopped` aborts, the run ends at once; whoever aborts has no use for the result.
 */
export function runProbe(
  target: ProbeTarget,
  stopped: AbortSignal,
  start: (run: ProbeRun) => void,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const run = new Run(target, stopped, resolve);
    try {
      if (!run.decided) start(run);
    } catch (error) {
      run.failWith(error);
    }
  });
}

/** The first octets of something received, as printable ASCII. */
export function excerpt(octets: Uint8Array): string {
  const text = Buffer.from(octets.subarray(0, MAX_EVIDENCE_LENGTH)).toString('latin1');
  return text.replace(/[^\x20-\x7e]/g, '.');
}

/** An address and a port, as in a URL; or the address alone. */
export function formatPlace(address: string, port: number | undefined): string {
  if (port === undefined) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

class Run implements ProbeRun {
  stage = 'connecting';
  readonly evidence: Record<string, string | number | boolean> = {};
  readonly place: string;
  readonly #startedAt = performance.now();
  readonly #stopped: AbortSignal;
  readonly #resolve: (result: ProbeResult) => void;
  #timer: NodeJS.Timeout;
  readonly #onStop = (): void => this.fail('internal-error', 'The probe was stopped');
  #held: Destroyable[] = [];
  #decided = false;

  constructor(target: ProbeTarget, stopped: AbortSignal, resolve: (result: ProbeResult) => void) {
    this.place = formatPlace(target.address, target.port);
    this.#stopped = stopped;
    this.#resolve = resolve;
    this.#timer = setTimeout(() => this.#timeUp(target.timeoutMs), target.timeoutMs);
    stopped.addEventListener('abort', this.#onStop);
    if (stopped.aborted) this.#onStop();
  }

  get decided(): boolean {
    return this.#decided;
  }

  elapsedMs(): number {
    return Math.round((performance.now() - this.#startedAt) * 10) / 10;
  }

  hold(resource: Destroyable): void {
    if (this.#decided) resource.destroy();
    else this.#held.push(resource);
  }

  pass(what: string): void {
    this.#decide(true, 'ok', what);
  }

  fail(reason: ProbeReason, what: string): void {
    this.#decide(false, reason, what);
  }

  failWith(error: unknown): void {
    const code = codeOf(error);
    const message = reasonOf(error);
    this.fail(reasonOfError(error), `${this.#stageText()} failed (${code === '' ? message : code})`);
  }

  #timeUp(timeoutMs: number): void {
    const lateMs = this.elapsedMs() - timeoutMs;
    if (lateMs <= MAX_TIMER_LATENESS_MS) this.#failByTime();
    else this.#timer = setTimeout(() => this.#failByTime(), Math.min(lateMs, timeoutMs));
  }

  #failByTime(): void {
    this.fail('timeout', `Timeout while ${this.stage}`);
  }

  #stageText(): string {
    return this.stage.charAt(0).toUpperCase() + this.stage.slice(1);
  }

  #decide(ok: boolean, reason: ProbeReason, what: string): void {
    if (this.#decided) return;
    this.#decided = true;
    clearTimeout(this.#timer);
    this.#stopped.removeEventListener('abort', this.#onStop);
    for (const resource of this.#held) resource.destroy();
    this.#held = [];
    const durationMs = this.elapsedMs();
    const detail = `${what.slice(0, MAX_EVIDENCE_LENGTH)} at ${this.place} after ${Math.round(durationMs)} ms`;
    this.#resolve({ ok, reason, detail, durationMs, evidence: this.evidence });
  }
}
