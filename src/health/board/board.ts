import type { Problem } from '../../config/problem.ts';
import { VERDICT_UNKNOWN } from '../../snapshot/verdict-table.ts';
import { createSeatChoice, type SeatChoice } from '../chosen-seats.ts';
import type { Consensus, VantageSeat } from '../consensus.ts';
import {
  type EndpointHealth,
  type HealthEvent,
  type Standing,
  timeText,
  type VantageSight,
} from '../endpoint-health.ts';
import { createEventRing } from '../event-ring.ts';
import { heldByRails, type Rail } from '../guard-rails.ts';
import { lastKnownUp } from '../last-known.ts';
import type { Observation } from '../observation.ts';
import {
  expiryMs,
  indexOverrides,
  NO_OVERRIDES,
  type OverrideIndex,
  overrideFor,
  type StandingOverride,
} from '../overrides/override.ts';
import { newestReport } from '../push-leases.ts';
import { probeTarget, type RememberedVerdict } from '../remembered-verdict.ts';
import { suspectVantages } from '../suspect-vantages.ts';
import type { Verdict } from '../verdict.ts';
import type { BoardEndpoint } from './board-endpoint.ts';
import {
  createEntry,
  type Entry,
  octetOf,
  probe,
  railed,
  recallEntry,
  redefine,
  want,
} from './board-entry.ts';
import { boardProblems } from './board-problems.ts';
import type { Expiry, HealthBoard, ReportedLoad, VerdictChange } from './health-board.ts';
import {
  type CheckSource,
  createTally,
  moveLease,
  recount,
  SightBook,
  type Tally,
  takeIn,
  type Voters,
} from './tally.ts';
import { healthOf, reasonOf, type Telling } from './tell-entry.ts';

export type { EndpointHealth } from '../endpoint-health.ts';
export { type BoardEndpoint, boardEndpoints } from './board-endpoint.ts';
export type { HealthBoard, VerdictChange } from './health-board.ts';

/** Verdict changes that are remembered: a day of an endpoint that flaps twice a minute, in under a megabyte. */
export const MAX_HEALTH_EVENTS = 2880;

/**
 * An empty board. `remembered` has what was known when the node last ran: an endpoint that is set with the address it
 * had then takes its verdict from there, until its probes report. `seats` are the vantages that should vote.
 */
export function createBoard(
  remembered: Iterable<RememberedVerdict>,
  seats: readonly VantageSeat[],
): HealthBoard {
  return new Board(remembered, seats);
}

/** Most results change nothing; they share one empty list. */
const NO_CHANGES: readonly VerdictChange[] = [];

const NONE_HELD: ReadonlyMap<string, Rail> = new Map();

class Board implements HealthBoard {
  /** The newest time that was passed in. */
  #nowMs = 0;
  #entries: ReadonlyMap<string, Entry> = new Map();
  #pools: ReadonlyMap<string, readonly Entry[]> = new Map();
  #tallies: ReadonlyMap<string, Tally> = new Map();
  /** The entries whose rules read a tally, by its key. */
  #readers: ReadonlyMap<string, readonly Entry[]> = new Map();
  #overrides: readonly StandingOverride[] = [];
  #overrideIndex: OverrideIndex = NO_OVERRIDES;
  #seats: readonly VantageSeat[];
  #choice: SeatChoice;
  #suspects: ReadonlySet<string> = new Set();
  readonly #sight = new SightBook();
  /** Octets as the verdict table holds them, by slot. */
  #stored: Map<number, number> = new Map();
  readonly #events = createEventRing<HealthEvent>(MAX_HEALTH_EVENTS);
  /** Only for the first endpoints that are set: what comes later may be another of the same name. */
  #remembered: ReadonlyMap<string, RememberedVerdict>;
  readonly #consensusOf = (key: string): Consensus | undefined => this.#tallies.get(key)?.consensus;

  constructor(remembered: Iterable<RememberedVerdict>, seats: readonly VantageSeat[]) {
    this.#remembered = new Map(Array.from(remembered, (verdict) => [verdict.key, verdict]));
    this.#seats = seats;
    this.#choice = createSeatChoice(seats);
  }

  setEndpoints(endpoints: readonly BoardEndpoint[], nowMs: number): readonly VerdictChange[] {
    this.#nowMs = nowMs;
    this.#setTallies(endpoints, nowMs);
    this.#overrideIndex = indexOverrides(this.#overrides, endpoints);
    const before = this.#entries;
    const entries = new Map<string, Entry>();
    const readers = new Map<string, Entry[]>();
    for (const definition of endpoints) {
      const known = before.get(definition.key);
      const entry = known === undefined ? this.#newEntry(definition, nowMs) : redefine(known, definition);
      entry.override = overrideFor(definition, this.#overrideIndex, nowMs);
      probe(entry, this.#consensusOf);
      want(entry, nowMs);
      entries.set(definition.key, entry);
      for (const { key } of definition.check?.sources ?? []) {
        const others = readers.get(key);
        if (others === undefined) readers.set(key, [entry]);
        else others.push(entry);
      }
    }
    this.#remembered = new Map();
    this.#entries = entries;
    this.#readers = readers;
    this.#pools = Map.groupBy(entries.values(), (entry) => entry.definition.pool);
    const taken = new Set(endpoints.map((endpoint) => endpoint.slot));
    const vacated = [...this.#stored.keys()].filter((slot) => !taken.has(slot));
    const changes = vacated.flatMap((slot) => this.#store(slot, VERDICT_UNKNOWN));
    for (const slot of vacated) this.#stored.delete(slot);
    return [...changes, ...this.#settle(this.#pools.keys(), nowMs)];
  }

  setOverrides(overrides: Iterable<StandingOverride>, nowMs: number): readonly VerdictChange[] {
    this.#nowMs = nowMs;
    this.#overrides = [...overrides];
    const subjects = Array.from(this.#entries.values(), ({ definition }) => definition);
    this.#overrideIndex = indexOverrides(this.#overrides, subjects);
    return this.#settle(this.#applyOverrides(nowMs), nowMs);
  }

  setSeats(seats: readonly VantageSeat[], nowMs: number): readonly VerdictChange[] {
    this.#nowMs = nowMs;
    this.#seats = seats;
    this.#choice = createSeatChoice(seats);
    for (const tally of this.#tallies.values()) tally.seats = this.#chosen(tally.source);
    return this.#settle(this.#recountAll(nowMs), nowMs);
  }

  observe(observation: Observation, nowMs: number, ageMs = 0): readonly VerdictChange[] {
    this.#nowMs = nowMs;
    const tally = this.#tallies.get(observation.key);
    if (tally === undefined || takeIn(tally, observation, nowMs, ageMs) !== 'moved') return NO_CHANGES;
    if (this.#sight.update(tally, nowMs) && this.#haveSuspectsChanged())
      return this.#settle(this.#recountAll(nowMs), nowMs);
    const changed = new Set<string>();
    this.#recount(tally, nowMs, changed);
    return changed.size === 0 ? NO_CHANGES : this.#settle(changed, nowMs);
  }

  moveLeases(byMs: number): void {
    for (const tally of this.#tallies.values()) moveLease(tally, byMs);
  }

  expire(nowMs: number): Expiry {
    this.#nowMs = nowMs;
    const changed = this.#applyOverrides(nowMs);
    const ended = [...this.#tallies.values()].filter((tally) => tally.nextExpiryMs <= nowMs);
    for (const tally of ended) this.#sight.update(tally, nowMs);
    if (ended.length > 0 && this.#haveSuspectsChanged()) {
      for (const pool of this.#recountAll(nowMs)) changed.add(pool);
    } else {
      for (const tally of ended) this.#recount(tally, nowMs, changed);
    }
    const changes = this.#settle(changed, nowMs);
    let nextExpiryMs = Number.POSITIVE_INFINITY;
    for (const override of this.#overrides) {
      const endsMs = expiryMs(override);
      if (endsMs > nowMs) nextExpiryMs = Math.min(nextExpiryMs, endsMs);
    }
    for (const tally of this.#tallies.values()) nextExpiryMs = Math.min(nextExpiryMs, tally.nextExpiryMs);
    return { changes, nextExpiryMs: Number.isFinite(nextExpiryMs) ? nextExpiryMs : undefined };
  }

  health(): readonly EndpointHealth[] {
    const telling = this.#telling();
    return Array.from(this.#entries.values(), (entry) => healthOf(entry, telling));
  }

  standings(pool: string): readonly Standing[] {
    return (this.#pools.get(pool) ?? []).map(({ definition: { key, dataCenter, poolRules }, verdict }) => {
      return { key, pool, dataCenter, verdict, unknown: poolRules.unknown };
    });
  }

  events(): readonly HealthEvent[] {
    return this.#events.list();
  }

  vantages(): readonly VantageSight[] {
    return this.#seats.map(({ name, region, away }) => {
      const { up = 0, down = 0 } = this.#sight.sights.get(name) ?? {};
      return { vantage: name, region, up, down, suspect: this.#suspects.has(name), away: away === true };
    });
  }

  problems(): readonly Problem[] {
    return boardProblems(this.#entries.values(), this.vantages(), this.#telling());
  }

  observationsOf(key: string): readonly Observation[] {
    const sources = this.#entries.get(key)?.definition.check?.sources ?? [];
    const seen = sources.flatMap((source) => [...(this.#tallies.get(source.key)?.seen.values() ?? [])]);
    return seen.map(({ observation }) => observation);
  }

  loadOf(key: string): ReportedLoad | undefined {
    const tally = this.#tallies.get(key);
    if (tally === undefined || tally.nextExpiryMs <= this.#nowMs) return undefined;
    const newest = newestReport(tally.seen.values());
    const report = newest?.observation.report;
    if (newest === undefined || report === undefined || tally.nextExpiryMs === Number.POSITIVE_INFINITY)
      return undefined;
    return { load: report.load, capacity: report.capacity, reportedAtMs: newest.madeAtMs };
  }

  #telling(): Telling {
    return {
      tallyOf: (key) => this.#tallies.get(key),
      votes: (tally, vantage) => this.#votersOf(tally).seats.some(({ name }) => name === vantage),
      nowMs: this.#nowMs,
    };
  }

  #newEntry(definition: BoardEndpoint, nowMs: number): Entry {
    const remembered = this.#remembered.get(definition.key);
    const holds = remembered !== undefined && remembered.target === probeTarget(definition);
    return holds && definition.check !== undefined
      ? recallEntry(definition, remembered)
      : createEntry(definition, nowMs);
  }

  /** A tally whose target stays keeps what was said, whatever else changes. */
  #setTallies(endpoints: readonly BoardEndpoint[], nowMs: number): void {
    const before = this.#tallies;
    const tallies = new Map<string, Tally>();
    for (const { check } of endpoints)
      for (const source of check?.sources ?? []) {
        if (tallies.has(source.key)) continue;
        const known = before.get(source.key);
        const stays = known !== undefined && known.source.target === source.target;
        const tally = stays ? known : createTally(source, nowMs);
        tally.source = source;
        tally.seats = this.#chosen(source);
        tallies.set(source.key, tally);
      }
    for (const [key, tally] of before) if (tallies.get(key) !== tally) this.#sight.drop(tally);
    this.#tallies = tallies;
    for (const tally of tallies.values()) this.#sight.update(tally, nowMs);
    this.#haveSuspectsChanged();
    for (const tally of tallies.values()) recount(tally, this.#votersOf(tally), nowMs);
  }

  /** Chooses every endpoint's override anew; returns the pools whose verdicts changed by it. */
  #applyOverrides(nowMs: number): Set<string> {
    const changed = new Set<string>();
    for (const entry of this.#entries.values()) {
      const override = overrideFor(entry.definition, this.#overrideIndex, nowMs);
      if (override === entry.override) continue;
      const breaks = override?.breakGlass === true || entry.override?.breakGlass === true;
      entry.override = override;
      if (want(entry, nowMs) || breaks) changed.add(entry.definition.pool);
    }
    return changed;
  }

  /** Looks for suspects again; returns whether they are others than before. */
  #haveSuspectsChanged(): boolean {
    const suspects = suspectVantages(this.#sight.sights, this.#seats);
    const same =
      suspects.size === this.#suspects.size && [...suspects].every((name) => this.#suspects.has(name));
    if (!same) this.#suspects = suspects;
    return !same;
  }

  /** The seats that vote on a source; of what endpoints report, any node may hear. */
  #chosen({ key, counting }: CheckSource): readonly VantageSeat[] {
    return counting.kind === 'probed' ? this.#choice(key, counting.vantages) : this.#seats;
  }

  #votersOf({ seats }: Tally): Voters {
    const isTrusted = ({ name }: VantageSeat): boolean => !this.#suspects.has(name);
    return { seats: this.#suspects.size === 0 ? seats : seats.filter(isTrusted), everyone: this.#seats };
  }

  /**
   * Counts everything anew, under other electors; returns the pools whose verdicts changed by it. What has ended
   * meanwhile ends here: afterwards nothing tells any more that it did.
   */
  #recountAll(nowMs: number): Set<string> {
    for (const tally of this.#tallies.values()) this.#sight.update(tally, nowMs);
    this.#haveSuspectsChanged();
    const changed = new Set<string>();
    for (const tally of this.#tallies.values()) this.#recount(tally, nowMs, changed);
    return changed;
  }

  /** Brings a tally and the entries that read it up to date; adds their pools to `changed` where verdicts change. */
  #recount(tally: Tally, nowMs: number, changed: Set<string>): void {
    recount(tally, this.#votersOf(tally), nowMs);
    for (const entry of this.#readers.get(tally.source.key) ?? []) {
      probe(entry, this.#consensusOf);
      if (want(entry, nowMs)) changed.add(entry.definition.pool);
    }
  }

  /**
   * Carries what is wanted of whole pools into verdicts and octets: a member's change can move the last-known mark of
   * the others, and what the guard rails hold.
   */
  #settle(pools: Iterable<string>, nowMs: number): readonly VerdictChange[] {
    const changes: VerdictChange[] = [];
    for (const pool of pools) {
      const members = this.#pools.get(pool) ?? [];
      const marks = lastKnownUp(members);
      const rails = members[0]?.definition.poolRules.guardRails;
      const held = rails === undefined ? NONE_HELD : heldByRails(members.map(railed), rails);
      members.forEach((member, index) => {
        const mark = marks[index] ?? false;
        const rail = held === NONE_HELD ? undefined : held.get(member.definition.key);
        const verdict = rail === undefined ? member.wanted : 'up';
        // Of a large pool that fails at once, each change would otherwise cost as much as all of them.
        if (isSettled(member, mark, rail, verdict)) return;
        member.lastKnownUp = mark;
        member.held = rail;
        this.#turn(member, verdict, nowMs);
        member.storedAs = member.definition;
        changes.push(...this.#store(member.definition.slot, octetOf(member)));
      });
    }
    return changes;
  }

  /** Gives an entry its verdict; a new entry's first one is no event. */
  #turn(entry: Entry, verdict: Verdict, nowMs: number): void {
    const from = entry.verdict;
    entry.verdict = verdict;
    const { isNew } = entry;
    entry.isNew = false;
    if (isNew || verdict === from) return;
    entry.sinceMs = nowMs;
    const { key, dataCenter } = entry.definition;
    const reason = reasonOf(entry, this.#telling());
    this.#events.add({ at: timeText(nowMs), key, dataCenter, from, to: verdict, reason });
  }

  #store(slot: number, octet: number): readonly VerdictChange[] {
    if ((this.#stored.get(slot) ?? VERDICT_UNKNOWN) === octet) return NO_CHANGES;
    this.#stored.set(slot, octet);
    return [{ slot, octet }];
  }
}

/** Whether it is already all that it has come to, and stored so. */
function isSettled(
  { definition, storedAs, lastKnownUp: marked, held, verdict: known }: Entry,
  mark: Entry['lastKnownUp'],
  rail: Rail | undefined,
  verdict: Verdict,
): boolean {
  return storedAs === definition && marked === mark && held === rail && known === verdict;
}
