import type { LatencyQuantiles } from './latency-sketch.ts';
import type { ProbeResult } from './probe-result.ts';
import type { ProbedVerdict } from './verdict.ts';

/**
 * What one vantage says of one endpoint after a probe: its damped verdict, and what led to it.
 *
 * It is all that the board knows of probing, so that one from another node is taken in as one from this node is.
 * Times are milliseconds since the epoch by the clock of the vantage; a receiver turns them into ages on arrival.
 */
export interface Observation {
  /** Node id of who probed. */
  readonly vantage: string;
  /** `pool/endpoint`. */
  readonly key: string;
  /** Counts up for each vantage and key, also over restarts: the newest wins, whatever order they come in. */
  readonly sequence: number;
  readonly verdict: ProbedVerdict;
  /** When the vantage took this verdict. */
  readonly sinceMs: number;
  /** Successes in a row up to the newest result; 0 after a failure. */
  readonly successes: number;
  /** Failures in a row up to the newest result; 0 after a success. */
  readonly failures: number;
  /** When the present run of failures began, or the last that took the endpoint down; undefined when there is none. */
  readonly firstFailureAtMs: number | undefined;
  /** While it flaps: the endpoint rises again no earlier. */
  readonly heldDownUntilMs: number | undefined;
  /** Of the latest successful probes; undefined before the first. */
  readonly latency: LatencyQuantiles | undefined;
  /** The newest result, with its evidence. */
  readonly result: ProbeResult;
  readonly observedAtMs: number;
  /** What an endpoint reported of itself; only for monitors of kind `push`. */
  readonly report?: PushedReport | undefined;
}

/** What a report says beside up or down. */
export interface PushedReport {
  /** How long it counts. */
  readonly leaseMs: number;
  /** How much the endpoint has to do, in the units of its capacity. */
  readonly load: number | undefined;
  /** How much it can do. */
  readonly capacity: number | undefined;
}
