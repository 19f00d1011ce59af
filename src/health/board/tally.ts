import type { Quorum } from '../../config/resources/quorum.ts';
import {
  type Consensus,
  type Electorate,
  isFresh,
  joinVotes,
  NO_CONSENSUS,
  type VantageSeat,
  type Vote,
} from '../consensus.ts';
import type { Thresholds } from '../damp.ts';
import type { Observation } from '../observation.ts';
import { leaseEndMs, leaseVerdict, newestReport } from '../push-leases.ts';
import type { Sight } from '../suspect-vantages.ts';
import type { ProbedVerdict } from '../verdict.ts';

/** Something that is observed, and how observations of it become one verdict. */
export interface CheckSource {
  /** `pool/endpoint`, or `pool/endpoint@monitor` for a part of a composed check. */
  readonly key: string;
  /** Name of the monitor. */
  readonly monitor: string;
  /** What is observed: what was seen of another target is worth nothing. */
  readonly target: string;
  readonly counting:
    | {
        readonly kind: 'probed';
        readonly thresholds: Thresholds;
        readonly quorum: Quorum;
        /** At most so many vantages probe it and have a vote. */
        readonly vantages: number;
      }
    | { readonly kind: 'pushed'; readonly leaseMs: number };
}

/** The newest that one vantage has said of one source; changed in place, since it is once for every probe. */
export interface Seen {
  observation: Observation;
  /** When a result last bore on the verdict, by the clock of this node. */
  votedAtMs: number;
  /** When the observation was made, by the clock of this node: its arrival, less the age that it had then. */
  madeAtMs: number;
  /** The vote that the sight of its vantage has in it now; unknown for none. */
  counted: ProbedVerdict;
  /** Whether that vote is down, and more of the others say up than down. */
  contradicted: boolean;
}

/**
 * All that was said of one source, and what it comes to; the board alone changes it.
 *
 *     seen       vantage a -> up, 3 s ago        counted
 *                vantage b -> down, 1 s ago      counted
 *                vantage c -> down, 99 s ago     expired
 *     consensus  divided: as before
 */
export interface Tally {
  source: CheckSource;
  /** The vantages that were chosen to probe it, suspect or not. */
  seats: readonly VantageSeat[];
  readonly seen: Map<string, Seen>;
  /** The vantage whose observation is the newest. */
  newest: string | undefined;
  consensus: Consensus;
  definedAtMs: number;
  /** When the next vote or lease ends, or sooner where votes were renewed since; Infinity when none will. */
  nextExpiryMs: number;
}

/** Nothing is known of the source yet. */
export function createTally(source: CheckSource, nowMs: number): Tally {
  return {
    source,
    seats: [],
    seen: new Map(),
    newest: undefined,
    consensus: NO_CONSENSUS,
    definedAtMs: nowMs,
    nextExpiryMs: Number.POSITIVE_INFINITY,
  };
}

/**
 * What an observation did to a tally. `old`: its vantage has said something newer. `steady`: it says what it said
 * before, so that the votes are the same. `moved`: they have to be counted again.
 */
type Taken = 'old' | 'steady' | 'moved';

/** Takes in an observation of `ageMs` milliseconds ago. */
export function takeIn(tally: Tally, observation: Observation, nowMs: number, ageMs: number): Taken {
  const { vantage, result, verdict } = observation;
  const before = tally.seen.get(vantage);
  if (before !== undefined && observation.sequence <= before.observation.sequence) return 'old';
  const madeAtMs = nowMs - ageMs;
  // As long as no vote has ended since they were counted, only a vote of another kind changes anything.
  const isSteady =
    before?.observation.verdict === verdict &&
    before.counted === verdict &&
    before.votedAtMs <= madeAtMs &&
    nowMs < tally.nextExpiryMs &&
    tally.source.counting.kind === 'probed';
  if (before === undefined) {
    tally.seen.set(vantage, {
      observation,
      votedAtMs: madeAtMs,
      madeAtMs,
      counted: 'unknown',
      contradicted: false,
    });
  } else {
    before.observation = observation;
    before.madeAtMs = madeAtMs;
    // A failure of the vantage's own says nothing about the endpoint, so it does not renew the vote.
    if (result.reason !== 'internal-error') before.votedAtMs = madeAtMs;
  }
  if (tally.newest !== vantage) {
    const newest = tally.newest === undefined ? undefined : tally.seen.get(tally.newest);
    if (newest === undefined || newest.madeAtMs <= madeAtMs) tally.newest = vantage;
  }
  return isSteady ? 'steady' : 'moved';
}

/** Who votes on a source: the seats that were chosen for it, without suspects, and all nodes. */
export type Voters = Pick<Electorate, 'seats' | 'everyone'>;

/** Counts the votes, or looks at the newest report, and says when that will have to be done again. */
export function recount(tally: Tally, voters: Voters, nowMs: number): void {
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
  tally.consensus = joinVotes(votes, { quorum: counting.quorum, ...voters }, consensus.verdict, nowMs);
  tally.nextExpiryMs = Number.POSITIVE_INFINITY;
  for (const vote of votes)
    if (isFresh(vote, nowMs)) tally.nextExpiryMs = Math.min(tally.nextExpiryMs, vote.expiresAtMs);
}

/**
 * Moves a lease that still runs by so many milliseconds, which passed by this node's clock while nobody could report to
 * it; less than none where the clock was set back. One that has ended has ended.
 */
export function moveLease(tally: Tally, byMs: number): void {
  if (tally.source.counting.kind !== 'pushed' || tally.nextExpiryMs === Number.POSITIVE_INFINITY) return;
  for (const seen of tally.seen.values()) seen.madeAtMs += byMs;
  tally.definedAtMs += byMs;
  tally.nextExpiryMs += byMs;
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
  readonly #sights = new Map<string, { up: number; down: number; contradicted: number }>();

  get sights(): ReadonlyMap<string, Sight> {
    return this.#sights;
  }

  /** Brings the counts of one tally's votes up to date; returns whether any changed. */
  update(tally: Tally, nowMs: number): boolean {
    if (tally.source.counting.kind === 'pushed') return this.drop(tally);
    const voteOf = (seen: Seen): ProbedVerdict =>
      isCounted(tally, seen, nowMs) ? seen.observation.verdict : 'unknown';
    let lead = 0;
    for (const seen of tally.seen.values()) lead += LEAD[voteOf(seen)];
    let changed = false;
    for (const [vantage, seen] of tally.seen) {
      const vote = voteOf(seen);
      // Its own vote is not one of the others.
      const contradicted = vote === 'down' && lead - LEAD.down > 0;
      if (vote === seen.counted && contradicted === seen.contradicted) continue;
      changed = true;
      this.#count(vantage, seen, -1);
      seen.counted = vote;
      seen.contradicted = contradicted;
      this.#count(vantage, seen, 1);
    }
    return changed;
  }

  /** Takes one tally's votes out; returns whether there were any. */
  drop(tally: Tally): boolean {
    let had = false;
    for (const [vantage, seen] of tally.seen) {
      had ||= seen.counted !== 'unknown';
      this.#count(vantage, seen, -1);
      seen.counted = 'unknown';
      seen.contradicted = false;
    }
    return had;
  }

  #count(vantage: string, { counted, contradicted }: Seen, by: number): void {
    if (counted === 'unknown') return;
    const sight = this.#sights.get(vantage) ?? { up: 0, down: 0, contradicted: 0 };
    sight[counted] += by;
    if (contradicted) sight.contradicted += by;
    this.#sights.set(vantage, sight);
  }
}

/** What a vote adds to the lead of up over down. */
const LEAD = { up: 1, down: -1, unknown: 0 } as const;
