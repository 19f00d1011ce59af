import type { GroupSketches } from './ledger.ts';
import { readSketch, type SketchReading, slotOf } from './sketch.ts';

/** To begin with a data center: fewer samples are chance. */
export const MIN_SAMPLES = 20;
/** Warm-up: five samples' weight of fresh ones, over more than one slot of five minutes. */
export const MIN_WEIGHT = 5;
export const MIN_SLOTS = 2;

/** To go on with one: half as many, and one sample's weight, which twenty have after four hours. */
export const KEPT_SAMPLES = 10;
export const KEPT_WEIGHT = 1;

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
  sketches: GroupSketches,
  before: GroupFigures | undefined,
  nowMs: number,
): GroupDecision {
  const nowSlot = slotOf(nowMs);
  const dataCenters = Array.from(sketches, ([dataCenter, sketch]): MeasuredDataCenter => {
    const reading = readSketch(sketch, nowSlot);
    const counted = before?.milliseconds.has(dataCenter) === true;
    return { dataCenter, reading, standing: counted ? keptStanding(reading) : newStanding(reading) };
  }).sort((one, other) => (one.dataCenter < other.dataCenter ? -1 : 1));
  const counting = dataCenters.filter(({ standing }) => standing === 'measured');
  const weight = counting.reduce((sum, { reading }) => sum + reading.weight, 0);
  return { dataCenters, weight, outcome: outcomeOf(counting, before, nowMs) };
}

function newStanding({ samples, weight, slots }: SketchReading): Standing {
  if (samples < MIN_SAMPLES) return 'too-few-samples';
  if (slots < MIN_SLOTS) return 'warming-up';
  return weight < MIN_WEIGHT ? 'not-fresh' : 'measured';
}

function keptStanding({ samples, weight }: SketchReading): Standing {
  if (samples < KEPT_SAMPLES) return 'too-few-samples';
  return weight < KEPT_WEIGHT ? 'not-fresh' : 'measured';
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
