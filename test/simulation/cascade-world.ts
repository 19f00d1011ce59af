/**
 * Ten data centers around the world and the clients between them, second by second: each client asks when what it was
 * last answered has expired, goes where it was told, and loads that data center by its weight and its time of day.
 *
 *     clients --ask--> choose(), with verdict and spill tables --> cached answer --> load of a data center
 *        |                                   ^                                        |
 *        +--> demand ledger --> controller --+<------------ reports of load ----------+
 */

import {
  type ControlledPlace,
  initialSpillState,
  type SpillState,
  stepSpills,
} from '../../src/health/capacity/capacity-control.ts';
import { DEMAND_FADES_MS, DemandLedger } from '../../src/health/capacity/capacity-demand.ts';
import {
  initialLoadScale,
  type LoadScale,
  learnScale,
  scaleOf,
} from '../../src/health/capacity/capacity-scale.ts';
import { createSpillTable, putSpill } from '../../src/snapshot/spill-table.ts';
import { createVerdictTable, VERDICT_DOWN, VERDICT_UP } from '../../src/snapshot/verdict-table.ts';
import { choose, createChoice } from '../../src/steering/choose.ts';
import { encodePool } from '../../src/steering/pool-image.ts';
import { admitClient } from '../../src/steering/spill.ts';

export interface CascadeOptions {
  readonly seed: number;
  /** Of each data center, in units of its own clients' load at their peak. */
  readonly headroom: number;
  /** Of the day in Greenwich at the start, and how long it runs. */
  readonly startHour: number;
  readonly hours: number;
  /** When a data center is down, in seconds from the start, by its position from the largest. */
  readonly failures: readonly { readonly largest: number; readonly from: number; readonly to: number }[];
}

/** What the simulation saw at the end of a second. */
export interface CascadeSecond {
  readonly second: number;
  readonly loads: Float64Array;
  readonly spills: SpillState['spills'];
  /** Whether a client of each data center could be served by another that is up and filled below its capacity. */
  readonly couldMove: (place: number) => boolean;
}

export interface CascadeWorld {
  readonly names: readonly string[];
  readonly capacities: readonly number[];
  run(onSecond: (seen: CascadeSecond) => void): void;
}

const LONGITUDES = [-118, -96, -77, -46, 0, 9, 37, 73, 104, 140] as const;
/** Clients of each, in proportion: two are far larger than the rest. */
const SIZES = [10, 8, 26, 7, 9, 24, 6, 9, 8, 11] as const;
const CLIENTS = 3000;
const TTL_SECONDS = 30;
const TICK_SECONDS = 5;
const DETECTION_SECONDS = 3;
const REPORT_SECONDS = 10;
const RAMP_SECONDS = 120;
/** One query in so many is sampled. */
const SAMPLED = 2;
const DAY_SECONDS = 86_400;
/** Loads follow the time of day in steps of this length, each of a fraction of a percent. */
const DAY_STEP_SECONDS = 60;

interface Client {
  readonly prefix: Uint8Array;
  readonly longitude: number;
  readonly weight: number;
  /** Its weight at this time of day. */
  load: number;
  readonly order: Uint16Array;
  readonly names: readonly string[];
  /** Where it goes; -1 before its first answer. */
  at: number;
  expires: number;
}

/** Numbers from a seed, uniform over 0 to 1 (mulberry32's recurrence). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Load of a client by its local time: twice as high in the evening as before dawn. */
function dayFactor(second: number, longitude: number): number {
  const local = (second / DAY_SECONDS + longitude / 360) * 2 * Math.PI;
  return 1 - 0.35 * Math.cos(local - Math.PI / 6);
}

function around(one: number, other: number): number {
  const apart = Math.abs(one - other) % 360;
  return Math.min(apart, 360 - apart);
}

function clientsOf(random: () => number, names: readonly string[]): readonly Client[] {
  const total = SIZES.reduce((sum, size) => sum + size, 0);
  return Array.from({ length: CLIENTS }, (_, index): Client => {
    let ticket = random() * total;
    const home = SIZES.findIndex((size) => {
      ticket -= size;
      return ticket < 0;
    });
    const longitude = (LONGITUDES[home] ?? 0) + 10 * (random() + random() - 1);
    const order = LONGITUDES.map((_, place) => place).sort(
      (one, other) =>
        around(LONGITUDES[one] ?? 0, longitude) - around(LONGITUDES[other] ?? 0, longitude) || one - other,
    );
    return {
      prefix: Uint8Array.of(198, 18 + (index >>> 8), index & 255, 0),
      longitude,
      // Most are small and a few are ten times as large.
      weight: 0.3 * Math.exp(2 * (random() + random() - 0.7)),
      load: 0,
      order: Uint16Array.from(order),
      names: order.map((place) => names[place] ?? ''),
      at: -1,
      expires: random() * TTL_SECONDS,
    };
  });
}

export function createCascade(options: CascadeOptions): CascadeWorld {
  const random = seeded(options.seed);
  const names = LONGITUDES.map((_, place) => `dc-${place}`);
  const clients = clientsOf(random, names);
  const peaks = names.map((_, place) => peakOf(clients, place));
  const capacities = peaks.map((peak) => peak * options.headroom);
  const bySize = names.map((_, place) => place).sort((one, other) => (peaks[other] ?? 0) - (peaks[one] ?? 0));
  const isUp = (place: number, second: number): boolean => !isFailed(options, bySize.indexOf(place), second);

  const verdicts = createVerdictTable().fill(VERDICT_UP, 0, names.length);
  const spills = createSpillTable();
  const choice = createChoice(1, { nextUint32: () => Math.floor(random() * 2 ** 32) });
  const words = encodePool(
    names.map((_, place) => ({ slot: place, dataCenter: place, weight: 1, type: 1, rdata: place })),
  );
  const ledger = new DemandLedger(0);
  let state: SpillState = initialSpillState;
  let scale: LoadScale = initialLoadScale;
  let quietSince = 0;

  const ask = (client: Client, second: number): void => {
    admitClient(choice.spill, spills, client.prefix, 4);
    choose(choice, words, 0, 0, 1, verdicts, client.order, client.order.length, 1);
    client.at = choice.dataCenter;
    client.expires = second + TTL_SECONDS * (0.9 + 0.2 * random());
    if (random() * SAMPLED < 1) ledger.add('web', client.names, SAMPLED, second * 1000);
  };
  const control = (second: number): void => {
    const places = names.map((name, place): ControlledPlace => {
      const up = verdicts[place] === VERDICT_UP;
      return { name, capacity: capacities[place], rampSeconds: RAMP_SECONDS, state: up ? 'up' : 'down' };
    });
    const demand = ledger.rates(second * 1000).flatMap(({ order, rate }) => {
      const route = order.map((name) => names.indexOf(name)).filter((place) => places[place]?.state === 'up');
      const own = names[route[0] ?? -1] === order[0];
      return route.length === 0 ? [] : [{ route, own, rate: rate * scaleOf(scale, order[0] ?? '') }];
    });
    state = stepSpills(state, places, demand, second * 1000);
    for (const [place, name] of names.entries())
      putSpill(spills, place, state.spills.get(name) ?? { home: 0, guest: 0 });
  };
  const report = (second: number, loads: Float64Array): void => {
    // While clients are on the move, loads say nothing about the scale.
    if (second - quietSince < 240) return;
    const compared = names.flatMap((name, place) => {
      const spill = state.spills.get(name);
      return spill === undefined ? [] : [{ name, reported: loads[place] ?? 0, flow: spill.flow }];
    });
    scale = learnScale(scale, compared, second * 1000);
  };
  const run = (onSecond: (seen: CascadeSecond) => void): void => {
    for (let second = 0; second < options.hours * 3600; second++) {
      const changed = followHealth(verdicts, names.length, (place) =>
        isUp(place, second - DETECTION_SECONDS),
      );
      if (changed) quietSince = second;
      if (changed || second % TICK_SECONDS === 0) control(second);
      for (const client of clients) if (client.expires <= second) ask(client, second);
      if (second % DAY_STEP_SECONDS === 0) followDay(clients, options.startHour * 3600 + second);
      const loads = loadsOf(clients, names.length);
      for (const place of names.keys()) if (!isUp(place, second)) loads[place] = 0;
      if (second % REPORT_SECONDS === 0) report(second, loads);
      const hasRoom = (place: number): boolean =>
        verdicts[place] === VERDICT_UP && (loads[place] ?? 0) < (capacities[place] ?? 0);
      const couldMove = (place: number): boolean =>
        clients.some((client) => client.at === place && client.order.some(hasRoom));
      onSecond({ second, loads, spills: state.spills, couldMove });
    }
  };
  return { names, capacities, run };
}

/** Whether the data center of that rank by size is failing. */
function isFailed({ failures }: CascadeOptions, rank: number, second: number): boolean {
  return failures.some(({ largest, from, to }) => largest === rank && second >= from && second < to);
}

/** Writes verdicts, and tells whether any is another than before. */
function followHealth(verdicts: Uint8Array, count: number, isUp: (place: number) => boolean): boolean {
  let changed = false;
  for (let place = 0; place < count; place++) {
    const verdict = isUp(place) ? VERDICT_UP : VERDICT_DOWN;
    if (verdicts[place] !== verdict) changed = true;
    verdicts[place] = verdict;
  }
  return changed;
}

/** The ledger has seen enough by then, and the scale is learned. */
export const WARM_UP_SECONDS = (5 * DEMAND_FADES_MS) / 1000;

function peakOf(clients: readonly Client[], place: number): number {
  const own = clients.filter(({ order }) => order[0] === place);
  const loads = Array.from({ length: 24 }, (_, hour) =>
    own.reduce((sum, { weight, longitude }) => sum + weight * dayFactor(hour * 3600, longitude), 0),
  );
  return Math.max(...loads);
}

function followDay(clients: readonly Client[], second: number): void {
  for (const client of clients) client.load = client.weight * dayFactor(second, client.longitude);
}

function loadsOf(clients: readonly Client[], count: number): Float64Array {
  const loads = new Float64Array(count);
  for (const { at, load } of clients) if (at >= 0) loads[at] = (loads[at] ?? 0) + load;
  return loads;
}
