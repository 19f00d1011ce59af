import { type Damped, damp, UNDAMPED } from '../health/damp.ts';
import type { LatencyQuantiles } from '../health/latency-sketch.ts';
import type { Observation } from '../health/observation.ts';
import type { ProbeResult } from '../health/probe-result.ts';
import type { VantageTarget } from './vantage-targets.ts';

/** An endpoint as a vantage remembers it. */
export interface ObservedEndpoint {
  target: VantageTarget;
  damped: Damped;
  /** Of its last observation; 0 before the first. */
  sequence: number;
}

/** An endpoint of which nothing is known but what was last said of it, if anything. */
export function createObservedEndpoint(
  target: VantageTarget,
  known: Observation | undefined,
): ObservedEndpoint {
  if (known === undefined) return { target, damped: UNDAMPED, sequence: 0 };
  const { verdict, sinceMs, successes, failures, firstFailureAtMs, heldDownUntilMs, sequence } = known;
  // Past changes are not in an observation; one hold-down is, when it is still in force.
  const flaps = { changedAtMs: [], holds: heldDownUntilMs === undefined ? 0 : 1 };
  const damped = { verdict, sinceMs, successes, failures, firstFailureAtMs, heldDownUntilMs, flaps };
  return { target, damped, sequence };
}

/** Joins a result to what is known of the endpoint, and says what has come out. */
export function observeResult(
  endpoint: ObservedEndpoint,
  vantage: string,
  result: ProbeResult,
  latency: LatencyQuantiles | undefined,
  epochMs: number,
): Observation {
  const damped = damp(endpoint.damped, result, endpoint.target.thresholds, epochMs);
  endpoint.damped = damped;
  // The first of a run begins at the time, so that it comes after all that an earlier run has said.
  endpoint.sequence = endpoint.sequence === 0 ? Math.floor(epochMs) : endpoint.sequence + 1;
  return {
    vantage,
    key: endpoint.target.key,
    sequence: endpoint.sequence,
    verdict: damped.verdict,
    sinceMs: damped.sinceMs,
    successes: damped.successes,
    failures: damped.failures,
    firstFailureAtMs: damped.firstFailureAtMs,
    heldDownUntilMs: damped.heldDownUntilMs,
    latency,
    result,
    observedAtMs: epochMs,
  };
}
