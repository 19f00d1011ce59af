import type { Problem } from '../../config/problem.ts';
import type { VantageSeat } from '../consensus.ts';
import type { EndpointHealth, HealthEvent, Standing, VantageSight } from '../endpoint-health.ts';
import type { Observation } from '../observation.ts';
import type { StandingOverride } from '../overrides/override.ts';
import type { BoardEndpoint } from './board-endpoint.ts';

/** An octet to store into the verdict table. */
export interface VerdictChange {
  readonly slot: number;
  readonly octet: number;
}

/**
 * The one place where observations, consensus and overrides become the verdicts that answers go by.
 *
 *     observation --> tally of its key: newest of each vantage --> votes, without suspects --> consensus
 *                                                                                                 |
 *     octet in the <-- unknown rule, <-- verdict <-- guard rails <-- wanted <-- override <-- rule: one tally,
 *     verdict table    last known                    of the pool                             or several composed
 *
 * Every method that can change a verdict returns the octets to store, and only those that differ from what was
 * returned before. `nowMs` is milliseconds since the epoch, by the clock of the node.
 */
export interface HealthBoard {
  /**
   * Replaces the endpoints. One that stays keeps its verdict, also when its monitor changes; one whose address or
   * probe address changes is unknown again. Vacated slots are returned as unknown.
   */
  setEndpoints(endpoints: readonly BoardEndpoint[], nowMs: number): readonly VerdictChange[];
  /** Replaces the overrides; call `expire` after it to learn when the next one ends. */
  setOverrides(overrides: Iterable<StandingOverride>, nowMs: number): readonly VerdictChange[];
  /**
   * Replaces the vantages that should vote: all nodes, of which every source has its share. What others say is kept,
   * and has no vote.
   */
  setSeats(seats: readonly VantageSeat[], nowMs: number): readonly VerdictChange[];
  /**
   * Takes in one observation; ignored for keys that nothing here reads, and when its vantage has already said
   * something newer. One that was made on another node is `ageMs` milliseconds old when it arrives.
   */
  observe(observation: Observation, nowMs: number, ageMs?: number): readonly VerdictChange[];
  /**
   * Moves the leases of reports that still run, by milliseconds: this node stood still or its clock was set, and what
   * it did not hear says nothing. To be called before anything else after that.
   */
  moveLeases(byMs: number): void;
  /** Lets go of what has expired. To be called at `nextExpiryMs` at the latest, and once a second is well. */
  expire(nowMs: number): Expiry;
  /** All endpoints, in the order in which they were set. */
  health(): readonly EndpointHealth[];
  /** What answers with a pool's endpoints go by, without the telling of why. */
  standings(pool: string): readonly Standing[];
  /** The last verdict changes, newest first, at most `MAX_HEALTH_EVENTS`. */
  events(): readonly HealthEvent[];
  /** The vantages that should vote, and how much each of them sees. */
  vantages(): readonly VantageSight[];
  /** Suspect vantages, missing quorums and guard rails that hold something; until they are mended. */
  problems(): readonly Problem[];
  /** The newest that every vantage says of an endpoint, or of the parts of its composed check. */
  observationsOf(key: string): readonly Observation[];
  /** What an endpoint reported of its load; undefined without a report whose lease still runs. */
  loadOf(key: string): ReportedLoad | undefined;
}

/** What `expire` found. */
export interface Expiry {
  readonly changes: readonly VerdictChange[];
  /** Milliseconds since the epoch when the next override, vote or lease ends; undefined when none will. */
  readonly nextExpiryMs: number | undefined;
}

export interface ReportedLoad {
  readonly load: number | undefined;
  readonly capacity: number | undefined;
  /** Milliseconds since the epoch, by the clock of this node. */
  readonly reportedAtMs: number;
}
