import { type Demand, type Flow, flowsOf, guestSpills, homeSpill, overloads, ownRates } from './capacity.ts';

/**
 * Moves spills toward what the plan asks for, no faster than clients may be moved.
 *
 *     home    rises and falls by a bound a minute: these clients are content where they are
 *     guest   rises at once: these clients are on their way anyway, and this is what keeps a failure from cascading
 *
 *     down --> up    slow start: home and guest at least [ramp], which falls from 1 to 0 over `rampSeconds`
 */

/** Largest share of a data center's own clients that begins to move away within a minute. */
export const MAX_MOVED_PER_MINUTE = 0.2;

/** Clients return more slowly than they leave, so that a load at the edge does not go back and forth. */
const MAX_RETURNED_PER_MINUTE = MAX_MOVED_PER_MINUTE / 2;

/** Smaller corrections than this are within the noise of every estimate; they would only move clients to and fro. */
const HOME_DEAD_BAND = 0.01;
/** Guests are moved anyway, but not each time that an estimate trembles. */
const GUEST_DEAD_BAND = 0.03;

/** Places are filled so far, and no further: rates are estimates, and clients are not all of one weight. */
export const PLANNED_FILL = 0.95;

/** A controller that slept for long has not earned a larger step by it. */
export const MAX_STEP_MS = 10_000;

/** Where more than this share of all demand finds no room, guest spills that are too high come down at once. */
const MAX_RETURNED_SHARE = 0.01;

/** `unknown`: nothing says that it is down, so that being up is no recovery. */
export type PlaceState = 'up' | 'down' | 'unknown';

/** A data center as it is now. */
export interface ControlledPlace {
  readonly name: string;
  /** Load units, more than 0; undefined where none is declared: it then takes whatever comes. */
  readonly capacity: number | undefined;
  /** Length of its slow start; 0 for none. */
  readonly rampSeconds: number;
  readonly state: PlaceState;
}

/** What the controller remembers of a data center. Shares are 0 to 1. */
export interface Spill {
  /** Share of its own clients that it passes on, and of its guests, as they are to be stored. */
  readonly home: number;
  readonly guest: number;
  /** Where they move to. */
  readonly homeTarget: number;
  readonly guestTarget: number;
  /** Both are at least this while it starts slowly, and while it is down, so that it does when it returns. */
  readonly ramp: number;
  /** The bounded part of `home`, without the ramp. */
  readonly moved: number;
  readonly state: PlaceState;
  /** Since when it is up after it was down, in the caller's milliseconds; undefined when no slow start is under way. */
  readonly recoveredAtMs: number | undefined;
  /** What it is given by these spills, and what would come to it if nobody passed anyone on, in load units. */
  readonly flow: Flow;
  readonly ownRate: number;
}

export interface SpillState {
  readonly atMs: number;
  readonly spills: ReadonlyMap<string, Spill>;
}

export const initialSpillState: SpillState = { atMs: Number.NEGATIVE_INFINITY, spills: new Map() };

/** The state of a node that goes on with the shares of its last run. */
export function recallSpills(
  kept: ReadonlyMap<string, { readonly home: number; readonly guest: number }>,
  nowMs: number,
): SpillState {
  const flow = { load: 0, ownLoad: 0, returned: 0 };
  const rest = { ramp: 0, state: 'up' as const, recoveredAtMs: undefined, flow, ownRate: 0 };
  const spills = Array.from(kept, ([name, { home, guest }]): [string, Spill] => [
    name,
    { home, guest, homeTarget: home, guestTarget: guest, moved: home, ...rest },
  ]);
  return { atMs: nowMs, spills: new Map(spills) };
}

/**
 * One step of the controller. `demand` names places by their position in `places`; routes hold only those that can
 * answer. `nowMs` never goes back.
 */
export function stepSpills(
  state: SpillState,
  places: readonly ControlledPlace[],
  demand: readonly Demand[],
  nowMs: number,
): SpillState {
  const elapsedMs = Math.min(Math.max(0, nowMs - state.atMs), MAX_STEP_MS);
  const own = ownRates(places.length, demand);
  const before = places.map(({ name }) => state.spills.get(name));
  const ramps = places.map((place, index) => rampOf(place, before[index], nowMs));
  const capacities = planned(places, ramps, demand);
  const homeTargets = places.map((_, index) => homeSpill(own[index] ?? 0, capacities[index] ?? 0));
  const moved = places.map(({ state: now }, index) => {
    const target = homeTargets[index] ?? 0;
    const then = before[index];
    // Nobody is moved where nobody is: a place that was not up takes its target at once.
    const isEmpty = now !== 'up' || (then !== undefined && then.state !== 'up');
    return isEmpty ? target : approach(then?.moved ?? 0, target, elapsedMs);
  });
  const fixed = places.map((_, index) => ({
    capacity: capacities[index] ?? 0,
    home: Math.max(moved[index] ?? 0, ramps[index]?.ramp ?? 0),
    ramp: ramps[index]?.ramp ?? 0,
  }));
  const wanted = guestSpills(
    fixed.map(({ capacity, home, ramp }) => ({ capacity, home, guestFloor: ramp })),
    demand,
  );
  const chosen = lowerGuests(fixed, before, wanted, demand, elapsedMs);
  const spills = new Map<string, Spill>();
  for (const [index, place] of places.entries()) {
    spills.set(place.name, {
      home: fixed[index]?.home ?? 0,
      guest: chosen.guests[index] ?? 0,
      homeTarget: homeTargets[index] ?? 0,
      guestTarget: wanted[index] ?? 0,
      moved: moved[index] ?? 0,
      state: place.state,
      ramp: ramps[index]?.ramp ?? 0,
      recoveredAtMs: ramps[index]?.recoveredAtMs,
      flow: chosen.flows[index] ?? { load: 0, ownLoad: 0, returned: 0 },
      ownRate: own[index] ?? 0,
    });
  }
  return { atMs: nowMs, spills };
}

interface FixedHome {
  readonly capacity: number;
  readonly home: number;
  readonly ramp: number;
}

/**
 * Guest spills that fall no faster than they may; the others make up for what is passed on too much meanwhile. Where
 * that leaves clients without a place, there is no time to lose, and all take what is wanted of them.
 */
function lowerGuests(
  fixed: readonly FixedHome[],
  before: readonly (Spill | undefined)[],
  wanted: Float64Array,
  demand: readonly Demand[],
  elapsedMs: number,
): { readonly guests: Float64Array; readonly flows: readonly Flow[] } {
  const places = fixed.map(({ capacity, home, ramp }, index) => ({
    capacity,
    home,
    guestFloor: Math.max(ramp, fallingFloor(before[index], wanted[index] ?? 0, elapsedMs)),
  }));
  const guests = guestSpills(places, demand);
  const flows = flowsOf(places, guests, demand);
  const total = demand.reduce((sum, { rate }) => sum + rate, 0);
  const returned = flows.reduce((sum, flow) => sum + flow.returned, 0);
  if (returned <= MAX_RETURNED_SHARE * total) return { guests, flows };
  return { guests: wanted, flows: flowsOf(places, wanted, demand) };
}

/** What a guest spill may fall to: no further than the bound, and not at all within the dead band. */
function fallingFloor(before: Spill | undefined, wanted: number, elapsedMs: number): number {
  // While it was down or starting, its spill was the ramp's.
  if (before === undefined || before.state !== 'up' || before.guest <= before.ramp) return 0;
  if (wanted > 0 && before.guest - wanted <= GUEST_DEAD_BAND) return before.guest;
  return before.guest - stepOf(MAX_MOVED_PER_MINUTE, elapsedMs);
}

/** One bounded step from a home spill to its target. */
function approach(from: number, target: number, elapsedMs: number): number {
  if (target > 0 && Math.abs(target - from) <= HOME_DEAD_BAND) return from;
  return target > from
    ? Math.min(target, from + stepOf(MAX_MOVED_PER_MINUTE, elapsedMs))
    : Math.max(target, from - stepOf(MAX_RETURNED_PER_MINUTE, elapsedMs));
}

function stepOf(perMinute: number, elapsedMs: number): number {
  return (perMinute * elapsedMs) / 60_000;
}

/** How far the slow start of a place is. */
function rampOf(
  { state, rampSeconds }: ControlledPlace,
  before: Spill | undefined,
  nowMs: number,
): { readonly ramp: number; readonly recoveredAtMs: number | undefined } {
  const none = { ramp: 0, recoveredAtMs: undefined };
  if (rampSeconds === 0) return none;
  if (state === 'down') return { ramp: 1, recoveredAtMs: undefined };
  if (state === 'unknown') return { ramp: before?.ramp ?? 0, recoveredAtMs: undefined };
  const started = before !== undefined && before.state !== 'up' && before.ramp > 0;
  const recoveredAtMs = started ? nowMs : before?.recoveredAtMs;
  if (recoveredAtMs === undefined) return none;
  const ramp = 1 - (nowMs - recoveredAtMs) / (rampSeconds * 1000);
  return ramp <= 0 ? none : { ramp, recoveredAtMs };
}

/**
 * Capacities to plan with, scaled up where all are overloaded; a place that is not up has none. One that starts counts
 * there only as far as it is ready, else the others would rely on it before it takes anybody.
 */
function planned(
  places: readonly ControlledPlace[],
  ramps: readonly { readonly ramp: number }[],
  demand: readonly Demand[],
): Float64Array {
  const filled = places.map(({ capacity, state }) =>
    state === 'up' ? PLANNED_FILL * (capacity ?? Number.POSITIVE_INFINITY) : 0,
  );
  const ready = filled.map((capacity, index) => {
    const share = 1 - (ramps[index]?.ramp ?? 0);
    return share === 0 ? 0 : capacity * share;
  });
  const factors = overloads(ready, demand);
  return Float64Array.from(filled, (capacity, index) => capacity * (factors[index] ?? 1));
}
