import type { Override } from '../config/resources/override.ts';
import { VERDICT_UNKNOWN } from '../snapshot/verdict-table.ts';
import {
  type BoardEndpoint,
  createEntry,
  type Entry,
  healthOf,
  octetOf,
  reasonOf,
  recallEntry,
  redefine,
  verdictOf,
  votesOf,
} from './board-entry.ts';
import { isFresh, joinVotes } from './consensus.ts';
import { damp, UNDAMPED } from './damp.ts';
import { type EndpointHealth, type HealthEvent, timeText } from './endpoint-health.ts';
import { createEventRing } from './event-ring.ts';
import { lastKnownUp } from './last-known.ts';
import { expiryMs, indexOverrides, type OverrideIndex, overrideFor } from './override.ts';
import type { ProbeResult } from './probe-result.ts';
import { probeTarget, type RememberedVerdict } from './remembered-verdict.ts';

export { type BoardEndpoint, boardEndpoints } from './board-entry.ts';
export type { EndpointHealth, HealthEvent } from './endpoint-health.ts';

/** Verdict changes that are remembered: a day of an endpoint that flaps twice a minute, in under a megabyte. */
export const MAX_HEALTH_EVENTS = 2880;

/** An octet to store into the verdict table. */
export interface VerdictChange {
  readonly slot: number;
  readonly octet: number;
}

/**
 * The one place where results, consensus and overrides become the verdicts that answers go by.
 *
 *     result --> damp --> vote of its vantage --.
 *                         votes of the others --+--> consensus --.
 *                                                   override ----+--> verdict --> octet in the verdict table
 *                                                   last known ---------------------^
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
  setOverrides(overrides: Iterable<Override>, nowMs: number): readonly VerdictChange[];
  /** Takes in one result; ignored for endpoints that are unknown here or that nothing checks. */
  observe(vantage: string, endpointKey: string, result: ProbeResult, nowMs: number): readonly VerdictChange[];
  /** Lets go of what has expired. To be called at `nextExpiryMs` at the latest, and once a second is well. */
  expire(nowMs: number): Expiry;
  /** All endpoints, in the order in which they were set. */
  health(): readonly EndpointHealth[];
  /** The last verdict changes, newest first, at most `MAX_HEALTH_EVENTS`. */
  events(): readonly HealthEvent[];
}

/** What `expire` found. */
export interface Expiry {
  readonly changes: readonly VerdictChange[];
  /** Milliseconds since the epoch when the next override or vote ends; undefined when none will. */
  readonly nextExpiryMs: number | undefined;
}

/**
 * An empty board. `remembered` has what was known when the node last ran: an endpoint that is set with the address it
 * had then takes its verdict from there, until its probes report.
 */
export function createBoard(remembered: Iterable<RememberedVerdict> = []): HealthBoard {
  return new Board(remembered);
}

/** Most results change nothing; they share one empty list. */
const NO_CHANGES: readonly VerdictChange[] = [];

class Board implements HealthBoard {
  /** The newest time that was passed in. */
  #nowMs = 0;
  #entries: ReadonlyMap<string, Entry> = new Map();
  #pools: ReadonlyMap<string, readonly Entry[]> = new Map();
  #overrides: readonly Override[] = [];
  #overrideIndex: OverrideIndex = new Map();
  /** Octets as the verdict table holds them, by slot. */
  #stored: Map<number, number> = new Map();
  readonly #events = createEventRing<HealthEvent>(MAX_HEALTH_EVENTS);
  /** Only for the first endpoints that are set: what comes later may be another of the same name. */
  #remembered: ReadonlyMap<string, RememberedVerdict>;

  constructor(remembered: Iterable<RememberedVerdict>) {
    this.#remembered = new Map(Array.from(remembered, (verdict) => [verdict.key, verdict]));
  }

  setEndpoints(endpoints: readonly BoardEndpoint[], nowMs: number): readonly VerdictChange[] {
    this.#nowMs = nowMs;
    const before = this.#entries;
    const entries = new Map<string, Entry>();
    for (const definition of endpoints) {
      const known = before.get(definition.key);
      const entry = known === undefined ? this.#newEntry(definition, nowMs) : redefine(known, definition);
      entry.override = overrideFor(definition, this.#overrideIndex, nowMs);
      this.#decide(entry, nowMs, known === undefined);
      entries.set(definition.key, entry);
    }
    this.#remembered = new Map();
    this.#entries = entries;
    this.#pools = Map.groupBy(entries.values(), (entry) => entry.definition.pool);
    const taken = new Set(endpoints.map((endpoint) => endpoint.slot));
    const vacated = [...this.#stored.keys()].filter((slot) => !taken.has(slot));
    const changes = vacated.flatMap((slot) => this.#store(slot, VERDICT_UNKNOWN));
    for (const slot of vacated) this.#stored.delete(slot);
    return [...changes, ...this.#settle(this.#pools.keys())];
  }

  setOverrides(overrides: Iterable<Override>, nowMs: number): readonly VerdictChange[] {
    this.#nowMs = nowMs;
    this.#overrides = [...overrides];
    this.#overrideIndex = indexOverrides(this.#overrides);
    return this.#settle(this.#applyOverrides(nowMs));
  }

  observe(
    vantage: string,
    endpointKey: string,
    result: ProbeResult,
    nowMs: number,
  ): readonly VerdictChange[] {
    this.#nowMs = nowMs;
    const entry = this.#entries.get(endpointKey);
    const thresholds = entry?.definition.thresholds;
    if (entry === undefined || thresholds === undefined) return NO_CHANGES;
    const before = entry.seen.get(vantage);
    const damped = damp(before?.damped ?? UNDAMPED, result, thresholds);
    const bears = before === undefined || damped !== before.damped;
    const votedAtMs = bears ? nowMs : before.votedAtMs;
    entry.seen.set(vantage, { damped, votedAtMs, result, resultAtMs: nowMs });
    entry.newest = vantage;
    entry.consensus = joinVotes(votesOf(entry, thresholds), entry.consensus.verdict, nowMs);
    return this.#decide(entry, nowMs, false) ? this.#settle([entry.definition.pool]) : NO_CHANGES;
  }

  expire(nowMs: number): Expiry {
    this.#nowMs = nowMs;
    const changed = this.#applyOverrides(nowMs);
    let nextExpiryMs = Number.POSITIVE_INFINITY;
    for (const override of this.#overrides) {
      const endsMs = expiryMs(override);
      if (endsMs > nowMs) nextExpiryMs = Math.min(nextExpiryMs, endsMs);
    }
    for (const entry of this.#entries.values()) {
      const { thresholds } = entry.definition;
      if (thresholds === undefined) continue;
      const votes = votesOf(entry, thresholds);
      entry.consensus = joinVotes(votes, entry.consensus.verdict, nowMs);
      if (this.#decide(entry, nowMs, false)) changed.add(entry.definition.pool);
      for (const vote of votes) {
        if (isFresh(vote, nowMs)) nextExpiryMs = Math.min(nextExpiryMs, vote.expiresAtMs);
      }
    }
    return {
      changes: this.#settle(changed),
      nextExpiryMs: Number.isFinite(nextExpiryMs) ? nextExpiryMs : undefined,
    };
  }

  health(): readonly EndpointHealth[] {
    return Array.from(this.#entries.values(), (entry) => healthOf(entry, this.#nowMs));
  }

  events(): readonly HealthEvent[] {
    return this.#events.list();
  }

  #newEntry(definition: BoardEndpoint, nowMs: number): Entry {
    const remembered = this.#remembered.get(definition.key);
    const holds = remembered !== undefined && remembered.target === probeTarget(definition);
    return holds && definition.thresholds !== undefined
      ? recallEntry(definition, remembered)
      : createEntry(definition, nowMs);
  }

  /** Chooses every endpoint's override anew; returns the pools whose verdicts changed by it. */
  #applyOverrides(nowMs: number): Set<string> {
    const changed = new Set<string>();
    for (const entry of this.#entries.values()) {
      const override = overrideFor(entry.definition, this.#overrideIndex, nowMs);
      if (override === entry.override) continue;
      entry.override = override;
      if (this.#decide(entry, nowMs, false)) changed.add(entry.definition.pool);
    }
    return changed;
  }

  /** Brings an entry's verdict up to date; returns whether it changed. A new entry's first verdict is no event. */
  #decide(entry: Entry, nowMs: number, isNew: boolean): boolean {
    const verdict = verdictOf(entry);
    if (!isNew && verdict === entry.verdict) return false;
    const from = entry.verdict;
    entry.verdict = verdict;
    if (isNew) return true;
    entry.sinceMs = nowMs;
    const { key, dataCenter } = entry.definition;
    this.#events.add({ at: timeText(nowMs), key, dataCenter, from, to: verdict, reason: reasonOf(entry) });
    return true;
  }

  /** Carries the verdicts of whole pools into octets: a member's change can move the last-known mark of the others. */
  #settle(pools: Iterable<string>): readonly VerdictChange[] {
    const changes: VerdictChange[] = [];
    for (const pool of pools) {
      const members = this.#pools.get(pool) ?? [];
      const marks = lastKnownUp(members);
      members.forEach((member, index) => {
        member.lastKnownUp = marks[index] ?? false;
        changes.push(...this.#store(member.definition.slot, octetOf(member)));
      });
    }
    return changes;
  }

  #store(slot: number, octet: number): readonly VerdictChange[] {
    if ((this.#stored.get(slot) ?? VERDICT_UNKNOWN) === octet) return NO_CHANGES;
    this.#stored.set(slot, octet);
    return [{ slot, octet }];
  }
}
