import type { VantageSeat } from './consensus.ts';

/** How much one vantage sees: of the endpoints that it probes and on which it has a fresh verdict. */
export interface Sight {
  /** Endpoints that it says are up. */
  readonly up: number;
  /** Endpoints that it says are down. */
  readonly down: number;
  /** Those of `down` that more of the others who probe them say are up than down. */
  readonly contradicted: number;
}

/** Of fewer endpoints than this nobody can tell a blind vantage from a true outage. */
export const LEAST_FOR_SUSPICION = 3;

/**
 * Vantages that are left out of every consensus because they, and not the endpoints, seem to have failed: those that
 * say down of more than half of what they probe, most of it against others who probe the same, while at least as many
 * others see more than half of their own up.
 * A link that is cut takes everything from one vantage, an outage takes an endpoint from all. Where each vantage has
 * only a share, an outage may be most of one's share: nobody contradicts it then.
 *
 *     a   up up up up      sees
 *     b   up up down up    sees
 *     c   d  d  d  d       blind: suspect, and a and b go on as the only two
 *
 * More than half of the vantages that see the world down are no suspects but right: it is down. A single vantage has
 * nobody to be compared with, and is believed, so that a true outage reaches the choice for when all are down.
 */
export function suspectVantages(
  sights: ReadonlyMap<string, Sight>,
  seats: readonly Pick<VantageSeat, 'name'>[],
): ReadonlySet<string> {
  const blind = new Set<string>();
  let seeing = 0;
  for (const { name } of seats) {
    const sight = sights.get(name);
    if (sight === undefined || sight.up + sight.down === 0) continue;
    seeing += 1;
    const seesMostDown = sight.up + sight.down >= LEAST_FOR_SUSPICION && sight.down > sight.up;
    if (seesMostDown && sight.contradicted * 2 > sight.down) blind.add(name);
  }
  return blind.size * 2 <= seeing ? blind : NOBODY;
}

const NOBODY: ReadonlySet<string> = new Set();
