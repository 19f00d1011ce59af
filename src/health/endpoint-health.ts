import type { OverrideState } from '../config/resources/override.ts';
import type { ProbeReason } from './probe-result.ts';
import type { ProbedVerdict, Verdict } from './verdict.ts';

/** Everything this node believes about one endpoint, and why. It is JSON as it stands; times are RFC 3339, UTC. */
export interface EndpointHealth {
  /** `pool/endpoint`, see `endpointKey`. */
  readonly key: string;
  readonly pool: string;
  readonly endpoint: string;
  readonly dataCenter: string;
  /** The address or canonical name that is answered. */
  readonly address: string;
  /** Where probes go, when not to `address`. */
  readonly probeAddress: string | undefined;
  /** Name of the monitor; undefined for an endpoint that nothing checks and that therefore counts as up. */
  readonly monitor: string | undefined;
  /** What answers go by. */
  readonly verdict: Verdict;
  /** When the endpoint took this verdict. */
  readonly since: string;
  /** One sentence: why it has this verdict, as of the newest result. */
  readonly reason: string;
  /** What the probes of all vantages say together, whatever an override says; `up` without a monitor. */
  readonly probed: ProbedVerdict;
  /** True when no vantage has reported lately or they do not agree, so that `probed` is the last that held. */
  readonly stale: boolean;
  /** Answered when all of the pool are down and the steered name says `last-known`. */
  readonly lastKnownUp: boolean;
  /** The newest probe result over all vantages; undefined before the first. */
  readonly lastResult: LastResult | undefined;
  /** Successes in a row at the vantage of `lastResult`. */
  readonly consecutiveSuccesses: number;
  /** Failures in a row at the vantage of `lastResult`. */
  readonly consecutiveFailures: number;
  /** One entry for each vantage that has reported, by name. */
  readonly vantages: readonly VantageHealth[];
  /** The override in force. */
  readonly override: OverrideInForce | undefined;
}

/** A probe result with its place and time. */
export interface LastResult {
  readonly vantage: string;
  readonly at: string;
  readonly ok: boolean;
  readonly reason: ProbeReason;
  readonly detail: string;
  readonly durationMs: number;
  readonly evidence: Readonly<Record<string, string | number | boolean>>;
}

/** How one vantage sees the endpoint. */
export interface VantageHealth {
  readonly vantage: string;
  readonly verdict: ProbedVerdict;
  /** When it last reported. */
  readonly at: string;
  /** False once its verdict has expired; it then has no vote. */
  readonly fresh: boolean;
}

export interface OverrideInForce {
  readonly id: string;
  readonly state: OverrideState;
  readonly reason: string;
  readonly expiresAt: string | undefined;
}

/** One change of an endpoint's verdict. */
export interface HealthEvent {
  /** RFC 3339, UTC. */
  readonly at: string;
  /** `pool/endpoint`. */
  readonly key: string;
  readonly dataCenter: string;
  readonly from: Verdict;
  readonly to: Verdict;
  /** One sentence. */
  readonly reason: string;
}

/** RFC 3339, UTC, of milliseconds since the epoch. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
