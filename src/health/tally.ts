import type { Quorum } from '../config/resources/quorum.ts';
import {
  type Consensus,
  isFresh,
  joinVotes,
  NO_CONSENSUS,
  type VantageSeat,
  type Vote,
} from './consensus.ts';
import type { Thresholds } from './damp.ts';
import type { Observation } from './observation.ts';
import { leaseEndMs, leaseVerdict, newestReport } from './push-leases.ts';
import type { Sight } from './suspect-vantages.ts';
import type { ProbedVerdict } from './verdict.ts';

/** Something that is observed, and how observations of it become one verdict. */
export interface CheckSource {
  /** `pool/endpoint`, or `pool/endpoint@monitor` for a part of a composed check. */
  readonly key: string;
  /** Name of the monitor. */
  readonly monitor: string;
  /** What is observed: what was seen of another target is worth nothing. */
  readonly target: string;
  readonly counting:
    | { readonly kind: 'probed'; readonly thresholds: Thresholds; readonly quorum: Quorum }
    | { readonly kind: 'pushed'; readonly leaseMs: number };
}

/** The newest that one vantage has said of one source. */
export interface Seen {
  readonly observation: Observation;
  /** When a result last bore on the verdict, by the clock of this node. */
  readonly votedAtMs: number;
  /** When the observation arrived, by the clock of this node. */
  readonly arrivedAtMs: number;
}

/**
 * All that was said of one source, and what it comes to; the board alone changes it.
 *
 *     seen       vantage a -> up, 3 s ago        counted   a, b
 *                vantage b -> down, 1 s ago
 *                vantage c -> down, 99 s ago     expired
 *     consensus  divided: as before
 */
export interface Tally {
  source: CheckSource;
  readonly seen: Map<string, Seen>;
  /** Votes that the sight of their vantage has in it now. */
  readonly counted: Map<string, ProbedVerdict>;
  /** The vantage that reported last. */
  newest: string | undefined;
  consensus: Consensus;
  definedAtMs: number;
  /** When the next vote or lease ends; Infinity when none will. */
  nextExpiryMs: number;
}

/** Nothing is known of the source yet. */
export function createTally(source: CheckSource, nowMs: number): Tally {
  return {
    source,
    seen: new Map(),
    counted: new Map(),
    newest: undefined,
    consensus: NO_CONSENSUS,
    definedAtMs: nowMs,
    nextExpiryMs: Number.POSITIVE_INFINITY,
  };
}

/** Takes in an observation, unless its vantage has said something newer; returns whether it did. */
export function takeIn(tally: Tally, observation: Observation, nowMs: number): boolean {
  const { vantage, result } = observation;
  const before = tally.seen.get(vantage);
  if (before !== undefined && observation.sequence <= before.observation.sequence) return false;
  // A failure of the vantage's own says nothing about the endpoint, so it does not renew the vote.
  const bears = before === undefined || result.reason !== 'internal-error';
  tally.seen.set(vantage, {
    observation,
    votedAtMs: bears ? nowMs : before.votedAtMs,
    arrivedAtMs: nowMs,
  });
  tally.newest = vantage;
  return true;
}

/** Counts the votes, or looks at the newest report, and says when that will have to be done again. */
export function recount(tally: Tally, electors: readonly VantageSeat[], nowMs: number): void {
  const { source, seen, consensus } = tally;
  const { counting } = source;
  if (counting.kind === 'pushed') {
    const newest = newestReport(seen.values());
    const endMs = leaseEndMs(newest, tally.definedAtMs, counting.leaseMs);
    tally.consensus = leaseVerdict(newest, tally.definedAtMs, counting.leaseMs, consensus.verdict, nowMs);
    tally.nextExpiryMs = endMs > nowMs ? endMs : Number.POSITIVE_INFINITY;
    return;
  }
  const votes = votesOf(seen, counting.thresholds);
  tally.consensus = joinVotes(votes, { quorum: counting.quorum, seats: electors }, consensus.verdict, nowMs);
  tally.nextExpiryMs = Number.POSITIVE_INFINITY;
  for (const vote of votes)
    if (isFresh(vote, nowMs)) tally.nextExpiryMs = Math.min(tally.nextExpiryMs, vote.expiresAtMs);
}

function votesOf(seen: Tally['seen'], { expiryMs }: Thresholds): readonly Vote[] {
  return Array.from(seen, ([vantage, { observation, votedAtMs }]) => ({
    vantage,
    verdict: observation.verdict,
    expiresAtMs: votedAtMs + expiryMs,
  }));
}

/** Whether what a vantage has said still counts. */
export function isCounted({ source: { counting } }: Tally, seen: Seen, nowMs: number): boolean {
  if (counting.kind === 'probed') return nowMs < seen.votedAtMs + counting.thresholds.expiryMs;
  return nowMs < leaseEndMs(seen, 0, counting.leaseMs);
}

/** Whether an endpoint that reports of itself has been silent for longer than its lease. */
export function leaseHasEnded({ source: { counting }, nextExpiryMs }: Tally): boolean {
  return counting.kind === 'pushed' && nextExpiryMs === Number.POSITIVE_INFINITY;
}

/** How much every vantage sees, kept up to date vote by vote. Reports are left out: nobody probes for them. */
export class SightBook {
  readonly #sights = new Map<string, { up: number; down: number }>();

  get sights(): ReadonlyMap<string, Sight> {
    return this.#sights;
  }

  /** Brings the counts of one tally's votes up to date; returns whether any changed. */
  update(tally: Tally, nowMs: number): boolean {
    if (tally.source.counting.kind === 'pushed') return this.drop(tally);
    let changed = false;
    for (const [vantage, seen] of tally.seen) {
      const now = isCounted(tally, seen, nowMs) ? seen.observation.verdict : 'unknown';
      const before = tally.counted.get(vantage) ?? 'unknown';
      if (now === before) continue;
      changed = true;
      tally.counted.set(vantage, now);
      this.#add(vantage, before, -1);
      this.#add(vantage, now, 1);
    }
    return changed;
  }

  /** Takes one tally's votes out; returns whether there were any. */
  drop(tally: Tally): boolean {
    for (const [vantage, verdict] of tally.counted) this.#add(vantage, verdict, -1);
    const had = tally.counted.size > 0;
    tally.counted.clear();
    return had;
  }

  #add(vantage: string, verdict: ProbedVerdict, count: number): void {
    if (verdict === 'unknown') return;
    const sight = this.#sights.get(vantage) ?? { up: 0, down: 0 };
    sight[verdict] += count;
    this.#sights.set(vantage, sight);
  }
}
