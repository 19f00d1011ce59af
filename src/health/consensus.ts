import type { Quorum } from '../config/resources/quorum.ts';
import type { ProbedVerdict } from './verdict.ts';

/** A node that probes, as consensus counts it. */
export interface VantageSeat {
  readonly name: string;
  /** Where it stands; empty where the node was not told. */
  readonly region: string;
  /** Of a node with which this one is not in touch; see `isCutOff` and `createSeatChoice`. */
  readonly away?: true | undefined;
}

/** One vantage's verdict on an endpoint. */
export interface Vote {
  readonly vantage: string;
  readonly verdict: ProbedVerdict;
  /** Milliseconds since the epoch by the clock of whoever counts; from then on the verdict counts as absent. */
  readonly expiresAtMs: number;
}

/** What all vantages say together. */
export interface Consensus {
  readonly verdict: ProbedVerdict;
  /**
   * `quorum`: enough vantages were heard, and the rule decides.
   * `divided`: enough were heard, but they are split evenly; the verdict is the one that held before.
   * `no-quorum`: too few fresh votes to decide anything; the verdict is the one that held before.
   * `silent`: no vantage has a fresh verdict; the verdict is the one that held before.
   */
  readonly basis: 'quorum' | 'divided' | 'no-quorum' | 'silent';
}

/** Who may vote, and by which rule. */
export interface Electorate {
  readonly quorum: Quorum;
  /** Every trusted vantage that should vote, heard or not; a single node has itself alone. */
  readonly seats: readonly VantageSeat[];
  /** All nodes, where others probe other endpoints; without it, the seats. */
  readonly everyone?: readonly VantageSeat[];
}

/** Before any vote: unknown. */
export const NO_CONSENSUS: Consensus = { verdict: 'unknown', basis: 'silent' };

/** A vantage in a region that the rule does not name. */
const DEFAULT_WEIGHT = 1;

/**
 * Joins the votes of all vantages: a pure function of the newest vote of each, whatever the order in which they came.
 * With a single vantage its verdict is the consensus.
 *
 *     seats             expected to vote    |####|####|####|####|####|   5
 *     fresh, decided: heard                 |down|down| up |    |    |   3, more than half: quorum
 *     verdict                               down, by 2 of 3
 *
 * On a node that is cut off nothing is decided, whoever has a seat: see `isCutOff`.
 *
 * A vantage that is undecided, silent or without a seat has no vote. Where the heard are too few, or split evenly, the
 * verdict that held before stays: a node that was cut off must not move traffic because of its own blindness.
 *
 * - `majority`: heard are more than half of the seats, and more than half of the heard agree.
 * - `weighted`: the same, each seat counted with the weight of its region.
 * - `at-least`: so many vantages must be heard, and as many must say down for the endpoint to be down; otherwise one
 *   that says up is enough.
 */
export function joinVotes(
  votes: Iterable<Vote>,
  electorate: Electorate,
  before: ProbedVerdict,
  nowMs: number,
): Consensus {
  const { quorum, seats, everyone = seats } = electorate;
  let up = 0;
  let down = 0;
  for (const vote of votes) {
    if (vote.verdict === 'unknown' || !isFresh(vote, nowMs)) continue;
    const seat = seats.find(({ name }) => name === vote.vantage);
    if (seat === undefined) continue;
    if (vote.verdict === 'up') up += weightOf(quorum, seat);
    else down += weightOf(quorum, seat);
  }
  const heard = up + down;
  if (heard === 0) return { verdict: before, basis: 'silent' };
  if (heard < leastHeard(quorum, seats) || isCutOff(quorum, everyone))
    return { verdict: before, basis: 'no-quorum' };
  if (quorum.kind === 'at-least') {
    if (down >= quorum.vantages) return { verdict: 'down', basis: 'quorum' };
    return up > 0 ? { verdict: 'up', basis: 'quorum' } : { verdict: before, basis: 'no-quorum' };
  }
  if (up === down) return { verdict: before, basis: 'divided' };
  return { verdict: up > down ? 'up' : 'down', basis: 'quorum' };
}

/** Whether a vote still counts. */
export function isFresh(vote: Pick<Vote, 'expiresAtMs'>, nowMs: number): boolean {
  return nowMs < vote.expiresAtMs;
}

/**
 * Whether a node is in touch with half of all nodes or fewer, itself counted: others may be more, see more and decide
 * otherwise, so it keeps what held before. Half is too few, since the other half may think the same of itself.
 * An operator who wants `at-least` so many vantages to decide has said how many are enough.
 */
export function isCutOff(quorum: Quorum, everyone: readonly VantageSeat[]): boolean {
  if (quorum.kind === 'at-least' || !everyone.some(({ away }) => away)) return false;
  const inTouch = everyone.filter(({ away }) => !away);
  return totalWeight(quorum, inTouch) < leastHeard(quorum, everyone);
}

/** The smallest weight of heard votes that decides anything. */
function leastHeard(quorum: Quorum, seats: readonly VantageSeat[]): number {
  if (quorum.kind === 'at-least') return quorum.vantages;
  const all = totalWeight(quorum, seats);
  // Weights are whole numbers: the least that is more than half.
  return Math.floor(all / 2) + 1;
}

function totalWeight(quorum: Quorum, seats: readonly VantageSeat[]): number {
  let total = 0;
  for (const seat of seats) total += weightOf(quorum, seat);
  return total;
}

function weightOf(quorum: Quorum, { region }: VantageSeat): number {
  return quorum.kind === 'weighted' ? (quorum.regions[region] ?? DEFAULT_WEIGHT) : 1;
}
