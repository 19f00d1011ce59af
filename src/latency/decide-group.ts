import { type GroupKind, groupKind } from '../steering/measured.ts';
import type { GroupSketches } from './ledger.ts';
import { readSketch, type SketchReading, slotOf } from './sketch.ts';

/** How much must be known of a data center. */
interface Bar {
  /** To begin with it: samples of the last day; fewer are chance. */
  readonly samples: number;
  /** Their weight by age. */
  readonly weight: number;
  /** To go on with it. */
  readonly keptSamples: number;
  readonly keptWeight: number;
}

/** Of round trips of one prefix; twenty samples weigh one after four hours. */
const prefixBar: Bar = { samples: 20, weight: 5, keptSamples: 10, keptWeight: 1 };

/** One prefix gives a wider group one sample in a slot, at most a weight of 18: no three decide for their country. */
const wideBar: Bar = { samples: 100, weight: 60, keptSamples: 50, keptWeight: 15 };

export const bars: Readonly<Record<GroupKind, Bar>> = { prefix: prefixBar, asn: wideBar, country: wideBar };

/** Warm-up: samples of one slot of five minutes may be of one moment. */
export const MIN_SLOTS = 2;

/** Differences between data centers that change by less are noise. */
export const CHANGE_MS = 5;
export const CHANGE_SHARE = 0.1;

/** Figures hold for so long, so that answers do not change faster than resolvers forget them. */
export const HOLD_MS = 600_000;

/** The figures of one group that steer. */
export interface GroupFigures {
  /** By data center: median round-trip times of a prefix, median detours of an AS or a country. */
  readonly milliseconds: ReadonlyMap<string, number>;
  /** Since when, in milliseconds since 1970. */
  readonly sinceMs: number;
}

/** Why a data center's samples count, or do not. */
export type Standing = 'measured' | 'too-few-samples' | 'warming-up' | 'not-fresh';

export interface MeasuredDataCenter {
  readonly dataCenter: string;
  readonly reading: SketchReading;
  readonly standing: Standing;
}

/** What a group's figures come to. */
export type GroupOutcome =
  | { readonly kind: 'distance'; readonly why: 'nothing-counts' | 'nothing-to-compare' }
  | {
      readonly kind: 'measured';
      readonly figures: GroupFigures;
      readonly why: 'new' | 'steady' | 'held' | 'changed' | 'lost-one' | 'gained-one';
    };

export interface GroupDecision {
  /** By name. */
  readonly dataCenters: readonly MeasuredDataCenter[];
  /** Of all data centers that count. */
  readonly weight: number;
  readonly outcome: GroupOutcome;
}

/** Decides over one group; `before` are the figures that steer now. */
export function decideGroup(
  group: string,
  sketches: GroupSketches,
  before: GroupFigures | undefined,
  nowMs: number,
): GroupDecision {
  const bar = bars[groupKind(group)];
  const nowSlot = slotOf(nowMs);
  const dataCenters = Array.from(sketches, ([dataCenter, sketch]): MeasuredDataCenter => {
    const reading = readSketch(sketch, nowSlot);
    const counted = before?.milliseconds.has(dataCenter) === true;
    return {
      dataCenter,
      reading,
      standing: counted ? keptStanding(reading, bar) : newStanding(reading, bar),
    };
  }).sort((one, other) => (one.dataCenter < other.dataCenter ? -1 : 1));
  const counting = dataCenters.filter(({ standing }) => standing === 'measured');
  const weight = counting.reduce((sum, { reading }) => sum + reading.weight, 0);
  return { dataCenters, weight, outcome: outcomeOf(counting, before, nowMs) };
}

function newStanding({ samples, weight, slots }: SketchReading, bar: Bar): Standing {
  if (samples < bar.samples) return 'too-few-samples';
  if (slots < MIN_SLOTS) return 'warming-up';
  return weight < bar.weight ? 'not-fresh' : 'measured';
}

function keptStanding({ samples, weight }: SketchReading, bar: Bar): Standing {
  if (samples < bar.keptSamples) return 'too-few-samples';
  return weight < bar.keptWeight ? 'not-fresh' : 'measured';
}

function outcomeOf(
  counting: readonly MeasuredDataCenter[],
  before: GroupFigures | undefined,
  nowMs: number,
): GroupOutcome {
  if (counting.length === 0) return { kind: 'distance', why: 'nothing-counts' };
  if (counting.length === 1) return { kind: 'distance', why: 'nothing-to-compare' };
  const now = new Map(counting.map(({ dataCenter, reading }) => [dataCenter, reading.medianMs]));
  const renewed: GroupFigures = { milliseconds: now, sinceMs: nowMs };
  if (before === undefined) return { kind: 'measured', figures: renewed, why: 'new' };
  // What is no longer known must not steer, however short a time ago it began to.
  if ([...before.milliseconds.keys()].some((dataCenter) => !now.has(dataCenter)))
    return { kind: 'measured', figures: renewed, why: 'lost-one' };
  const gained = now.size > before.milliseconds.size;
  if (!gained && isSteady(before.milliseconds, now))
    return { kind: 'measured', figures: before, why: 'steady' };
  if (nowMs < before.sinceMs + HOLD_MS) return { kind: 'measured', figures: before, why: 'held' };
  return { kind: 'measured', figures: renewed, why: gained ? 'gained-one' : 'changed' };
}

/** Whether no two data centers have come closer or gone apart by 5 ms and a tenth of the slower one. */
function isSteady(before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): boolean {
  const rows = Array.from(now, ([dataCenter, ms]) => ({ ms, rise: ms - (before.get(dataCenter) ?? ms) }));
  return rows.every((one, at) =>
    rows
      .slice(at + 1)
      .every(
        (other) =>
          Math.abs(one.rise - other.rise) < Math.max(CHANGE_MS, CHANGE_SHARE * Math.max(one.ms, other.ms)),
      ),
  );
}
