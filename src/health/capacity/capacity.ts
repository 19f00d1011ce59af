/**
 * Which share of its clients each data center passes on, so that none is given more than it can take while another
 * that its clients may use has room.
 *
 *     clients whose order is  A B C         a client walks its order; each place keeps it or passes it on
 *
 *     own of A  --> [ A: home 0.3 ] --0.3--> [ B: guest 0.5 ] --0.15--> [ C: guest 0 ]
 *                     keeps 0.7                keeps 0.15                 keeps 0.15
 *
 * Own clients are those whose order begins with a place; whoever comes because an earlier place is dead, ramping or
 * full is a guest. Guests are passed on first. So the home spill follows from the own clients alone, and the guest
 * spills are the least ones with which every place is full at most: each depends on what the others pass on, and
 * passing more on anywhere never lowers another's, so that iteration from below finds them.
 */

/** A data center in the plan, by its position. Rates and capacities are in load units. */
export interface Place {
  /** More than 0; infinite where none is declared. */
  readonly capacity: number;
  /** Share of its own clients that it passes on: 0 to 1. */
  readonly home: number;
  /** It passes on at least this share of its guests: 0 to 1. */
  readonly guestFloor: number;
}

/** Clients with one order of data centers. */
export interface Demand {
  /** Positions of the places that can answer them, best first, all distinct. */
  readonly route: readonly number[];
  /** Whether the route begins with the first of their order, so that they are its own; else it was dead for them. */
  readonly own: boolean;
  /** Load units: 0 or more. */
  readonly rate: number;
}

/** What a plan comes to at one place, in load units. */
export interface Flow {
  readonly load: number;
  /** Part of the load that is of its own clients. */
  readonly ownLoad: number;
  /** Part of the load that nobody on its route had room for, so that it came back to the first. */
  readonly returned: number;
}

/** Each round carries spills at least one place further; rounds past this change less than the noise of any estimate. */
const MAX_ROUNDS = 64;

/** A hundredth of a percent: finer than the 16 bits of the spill table tell by little. */
const SETTLED = 1e-4;

/** Where all are overloaded, a little more than alike: were each to be filled exactly, every tremble would move clients. */
const OVERLOAD_SLACK = 1.03;

/** A flow below this part of a load unit is nobody. */
const NOBODY = 1e-9;

/** Rates of the clients whose own place each is. */
export function ownRates(count: number, demand: readonly Demand[]): Float64Array {
  const rates = new Float64Array(count);
  for (const { route, own, rate } of demand) {
    const first = route[0];
    if (own && first !== undefined) rates[first] = at(rates, first) + rate;
  }
  return rates;
}

/**
 * By how much each capacity has to be exceeded for demand to be met, at least 1: where the clients of places that share
 * clients ask for more than all of these can take, it is the same for each, so that all are overloaded alike.
 */
export function overloads(capacities: readonly number[], demand: readonly Demand[]): Float64Array {
  const joined = joinPlaces(capacities.length, demand);
  const asked = new Float64Array(capacities.length);
  const given = new Float64Array(capacities.length);
  capacities.forEach((capacity, place) => {
    const root = rootOf(joined, place);
    given[root] = at(given, root) + capacity;
  });
  for (const { route, rate } of demand) {
    const first = route[0];
    if (first === undefined) continue;
    const root = rootOf(joined, first);
    asked[root] = at(asked, root) + rate;
  }
  return Float64Array.from(capacities, (_, place) => {
    const root = rootOf(joined, place);
    const most = at(given, root);
    const overload = most === 0 ? 0 : at(asked, root) / most;
    return overload <= 1 ? 1 : overload * OVERLOAD_SLACK;
  });
}

/** The share of its own clients that a place has no room for. */
export function homeSpill(ownRate: number, capacity: number): number {
  return ownRate <= capacity ? 0 : 1 - capacity / ownRate;
}

/** The least guest spills, no less than their floors, with which no place is given more than its capacity. */
export function guestSpills(places: readonly Place[], demand: readonly Demand[]): Float64Array {
  const own = ownRates(places.length, demand);
  let spills = Float64Array.from(places, ({ guestFloor }) => guestFloor);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const arrivals = guestArrivals(places, spills, demand);
    const next = Float64Array.from(places, ({ capacity, home, guestFloor }, place) => {
      const room = Math.max(0, capacity - at(own, place) * (1 - home));
      const came = at(arrivals, place);
      return Math.max(guestFloor, came <= room || came < NOBODY ? 0 : 1 - room / came);
    });
    const moved = next.some((spill, place) => Math.abs(spill - at(spills, place)) > SETTLED);
    spills = next;
    if (!moved) break;
  }
  return spills;
}

/** What each place is given under these spills; whoever finds no room goes to the first of the route. */
export function flowsOf(
  places: readonly Place[],
  guests: Float64Array,
  demand: readonly Demand[],
): readonly Flow[] {
  const load = new Float64Array(places.length);
  const ownLoad = new Float64Array(places.length);
  const returned = new Float64Array(places.length);
  for (const { route, own, rate } of demand) {
    let left = rate;
    for (const [position, place] of route.entries()) {
      const isOwn = own && position === 0;
      const kept = left * (1 - (isOwn ? homeOf(places, place) : at(guests, place)));
      load[place] = at(load, place) + kept;
      if (isOwn) ownLoad[place] = at(ownLoad, place) + kept;
      left -= kept;
    }
    const first = route[0];
    if (first === undefined) continue;
    load[first] = at(load, first) + left;
    returned[first] = at(returned, first) + left;
    if (own) ownLoad[first] = at(ownLoad, first) + left;
  }
  return places.map((_, place) => ({
    load: at(load, place),
    ownLoad: at(ownLoad, place),
    returned: at(returned, place),
  }));
}

function guestArrivals(
  places: readonly Place[],
  spills: Float64Array,
  demand: readonly Demand[],
): Float64Array {
  const arrivals = new Float64Array(places.length);
  for (const { route, own, rate } of demand) {
    let left = rate;
    for (const [position, place] of route.entries()) {
      if (own && position === 0) left *= homeOf(places, place);
      else {
        arrivals[place] = at(arrivals, place) + left;
        left *= at(spills, place);
      }
      if (left < NOBODY) break;
    }
  }
  return arrivals;
}

/** Places that share clients, as a forest: each has its parent, a root itself. */
function joinPlaces(count: number, demand: readonly Demand[]): Int32Array {
  const parents = Int32Array.from({ length: count }, (_, place) => place);
  for (const { route, rate } of demand) {
    const first = route[0];
    if (first === undefined || rate === 0) continue;
    for (const place of route) parents[rootOf(parents, place)] = rootOf(parents, first);
  }
  return parents;
}

function rootOf(parents: Int32Array, place: number): number {
  let root = place;
  while ((parents[root] ?? root) !== root) root = parents[root] ?? root;
  return root;
}

function homeOf(places: readonly Place[], place: number): number {
  return places[place]?.home ?? 0;
}

function at(numbers: Float64Array, place: number): number {
  return numbers[place] ?? 0;
}
