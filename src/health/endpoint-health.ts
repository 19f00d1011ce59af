import type { OverrideState } from '../config/resources/override.ts';
import type { UnknownRule } from '../config/resources/pool.ts';
import type { Consensus } from './consensus.ts';
import type { Rail } from './guard-rails.ts';
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
  /** On what `probed` rests; see `Consensus`. */
  readonly basis: Consensus['basis'];
  /** True when no vantage has reported lately or they do not agree, so that `probed` is the last that held. */
  readonly stale: boolean;
  /** When the verdict was known, while it is from an earlier run of this node and no probe has confirmed it yet. */
  readonly rememberedFrom: string | undefined;
  /** What the pool says of endpoints without a verdict. */
  readonly unknown: UnknownRule;
  /** The guard rail of the pool that keeps it in service; undefined for most. */
  readonly held: HeldByRail | undefined;
  /** Answered when all of the pool are down and the steered name says `last-known`. */
  readonly lastKnownUp: boolean;
  /** The newest probe result over all vantages; undefined before the first. */
  readonly lastResult: LastResult | undefined;
  /** Successes in a row at the vantage of `lastResult`. */
  readonly consecutiveSuccesses: number;
  /** Failures in a row at the vantage of `lastResult`. */
  readonly consecutiveFailures: number;
  /** One entry for each vantage that has reported, by name; empty for a composed check, whose parts have their own. */
  readonly vantages: readonly VantageHealth[];
  /** What a composed check is made of; empty for any other. */
  readonly parts: readonly PartHealth[];
  /** The override in force. */
  readonly override: OverrideInForce | undefined;
  /** How far it is out of use; undefined unless an override drains it or holds it down. */
  readonly drain: DrainState | undefined;
}

/** The part of an endpoint's health that answers go by. */
export type Standing = Pick<EndpointHealth, 'key' | 'pool' | 'dataCenter' | 'verdict' | 'unknown'>;

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
  /** False for one that is suspect, or that was not chosen to probe this endpoint. */
  readonly votes: boolean;
}

/** Why an endpoint stays in service. */
export interface HeldByRail {
  readonly rail: Rail;
  /** What it would be. */
  readonly instead: Verdict;
  /** One sentence. */
  readonly reason: string;
}

/** One check that a composed one reads. */
export interface PartHealth {
  /** `pool/endpoint`, or `pool/endpoint@monitor`. */
  readonly key: string;
  readonly monitor: string;
  readonly verdict: ProbedVerdict;
  readonly basis: Consensus['basis'];
}

/** One vantage, and how much it sees. */
export interface VantageSight {
  readonly vantage: string;
  readonly region: string;
  /** Endpoints and parts of composed checks that it says are up, and down. */
  readonly up: number;
  readonly down: number;
  /** Left out of every consensus, because it and not the endpoints seems to have failed. */
  readonly suspect: boolean;
  /** This node is not in touch with it. */
  readonly away: boolean;
}

export interface OverrideInForce {
  readonly kind: 'override' | 'maintenance-window';
  /** Of the override, or the window's name. */
  readonly id: string;
  readonly state: OverrideState;
  /** Who wrote it; undefined where that is not known. */
  readonly author: string | undefined;
  readonly reason: string;
  /** When it ends by itself. */
  readonly expiresAt: string | undefined;
}

/** What has become of an endpoint that an override takes out of service. */
export interface DrainState {
  /** When it was last answered; undefined while it still is. */
  readonly leftAt: string | undefined;
  /**
   * When the last resolver that honours TTLs has let go of it, as this node answers: from then on nobody is sent to it.
   * Undefined where that cannot be promised.
   */
  readonly safeToRebootAt: string | undefined;
  /** One sentence: when, or why not. */
  readonly note: string;
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
