import type { Monitor } from '../config/resources/monitor.ts';
import type { ProbeResult } from './probe-result.ts';
import type { ProbedVerdict } from './verdict.ts';

/** When results become a verdict, and for how long that verdict counts. */
export interface Thresholds {
  /** Consecutive successes that turn a down endpoint up; 1 or more. */
  readonly rise: number;
  /** Consecutive failures that turn an up or unknown endpoint down; 1 or more. */
  readonly fall: number;
  /** Milliseconds after its last result at which a vantage's verdict counts as absent. */
  readonly expiryMs: number;
}

/**
 * One vantage's memory of one endpoint.
 *
 *                first success           `fall` failures in a row
 *     unknown ------------------> up ------------------------------> down
 *        |                        ^                                   |  ^
 *        |                        `---- `rise` successes in a row ----'  |
 *        `------------------- `fall` failures in a row ------------------'
 */
export interface Damped {
  readonly verdict: ProbedVerdict;
  /** Successes in a row up to the last result; 0 after a failure. */
  readonly successes: number;
  /** Failures in a row up to the last result; 0 after a success. */
  readonly failures: number;
}

/** Nothing is known before the first result. */
export const UNDAMPED: Damped = { verdict: 'unknown', successes: 0, failures: 0 };

/** Two missed probes are bad luck, three are silence. */
const EXPIRY_INTERVALS = 3;

/**
 * Joins one result to what went before.
 *
 * The first success alone makes an unknown endpoint up: whoever waits for an answer at start is better served by an
 * endpoint that has just replied than by a guess, and `rise` guards against flapping, of which there is none yet.
 * Failures always need `fall` in a row, so that one lost packet at start takes nothing down.
 * A failure of our own (`internal-error`, such as no free file descriptor) says nothing about the endpoint.
 */
export function damp(state: Damped, result: ProbeResult, thresholds: Thresholds): Damped {
  if (result.reason === 'internal-error') return state;
  if (result.ok) {
    const successes = state.successes + 1;
    const rises = state.verdict === 'unknown' || successes >= thresholds.rise;
    return { verdict: rises ? 'up' : state.verdict, successes, failures: 0 };
  }
  const failures = state.failures + 1;
  const falls = failures >= thresholds.fall;
  return { verdict: falls ? 'down' : state.verdict, successes: 0, failures };
}

/** A monitor's thresholds. */
export function thresholdsOf(
  monitor: Pick<Monitor, 'rise' | 'fall' | 'intervalSeconds' | 'timeoutSeconds'>,
): Thresholds {
  return {
    rise: monitor.rise,
    fall: monitor.fall,
    expiryMs: (EXPIRY_INTERVALS * monitor.intervalSeconds + monitor.timeoutSeconds) * 1000,
  };
}
