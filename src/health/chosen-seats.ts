import { MAJORITY } from '../config/resources/quorum.ts';
import { isCutOff, type VantageSeat } from './consensus.ts';
import { hashText, mixHash } from './text-hash.ts';

/** The seats that vote on a source, `most` or fewer; for the same key and seats the same on every node. */
export type SeatChoice = (key: string, most: number) => readonly VantageSeat[];

/** A seat with what does not depend on the key. */
interface Candidate {
  readonly seat: VantageSeat;
  readonly hash: number;
  readonly away: boolean;
}

interface Ranked extends Candidate {
  readonly score: number;
  /** Among those of its region; 0 is the best. */
  rank: number;
}

/**
 * Chooses vantages by rendezvous hashing, spread over regions: every node has a score for every key, and the first
 * round takes the best of each region, the next one the second best, until there are enough.
 *
 *     key web/fra    eu: a 92, b 40, c 17      us: d 75, e 60      asia: f 31
 *     round 1        a 92   d 75   f 31        round 2   e 60   b 40        five of six: a d f e b
 *
 * A node that leaves is replaced by the next in the order, and nobody else's seats move.
 *
 * A node that is away is passed over, so that the next probes in its place, but only on a side that is in touch with
 * more than half of all nodes: there is at most one such side. Any other must not fill the seats of those that it
 * cannot hear with its own, or it would become its own majority.
 */
export function createSeatChoice(seats: readonly VantageSeat[]): SeatChoice {
  const replaces = !isCutOff(MAJORITY, seats);
  const candidates = seats.map((seat) => ({
    seat,
    hash: hashText(seat.name),
    away: replaces && seat.away === true,
  }));
  return (key, most) => (seats.length <= most ? seats : choose(candidates, hashText(key), most));
}

function choose(candidates: readonly Candidate[], keyHash: number, most: number): readonly VantageSeat[] {
  const ranked = candidates.map((candidate): Ranked => {
    const score = mixHash(candidate.hash, keyHash);
    return { ...candidate, score, rank: 0 };
  });
  ranked.sort(byScore);
  const taken = new Map<string, number>();
  for (const one of ranked) {
    one.rank = taken.get(one.seat.region) ?? 0;
    taken.set(one.seat.region, one.rank + 1);
  }
  ranked.sort((one, other) => Number(one.away) - Number(other.away) || one.rank - other.rank);
  return ranked.slice(0, most).map(({ seat }) => seat);
}

/** Those that are away come last, so that they take no rank from the others. */
function byScore(one: Ranked, other: Ranked): number {
  if (one.away !== other.away) return one.away ? 1 : -1;
  if (one.score !== other.score) return other.score - one.score;
  return one.seat.name < other.seat.name ? -1 : 1;
}
