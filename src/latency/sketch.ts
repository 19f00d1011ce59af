import { MAX_MILLISECONDS, MIN_MILLISECONDS } from './limits.ts';

/**
 * Round-trip times of one group to one data center: counts by time slot and bucket, only where something was counted.
 *
 *     bucket        0    1    2    ...  108  ...  255        each 4.6 % wider than the one before
 *     slot 5832000                       3                   five minutes each
 *     slot 5832001            1          2
 *
 *     cells         [ slot | bucket | count ], ascending, one number each: slot * 2^20 + bucket * 2^12 + count
 *
 * Whole counts do not depend on the order of arrival, and ages count when a sketch is read: each slot's counts weigh
 * half of those an hour later.
 */
export type Sketch = number[];

export const SLOT_MS = 300_000;

/** The probes' sketch has 64 buckets and 11 % of error, too coarse to tell 20 from 23 milliseconds. */
const BUCKETS = 256;
const LOG_RATIO = Math.log(MAX_MILLISECONDS / MIN_MILLISECONDS) / (BUCKETS - 1);

const BUCKET_UNIT = 2 ** 12;
const SLOT_UNIT = 2 ** 20;
const MAX_COUNT = BUCKET_UNIT - 1;

/** Of one sketch: a dozen slots of a busy country; with so many samples older slots weigh nothing. */
export const MAX_SKETCH_CELLS = 512;

/** Slots that count: a day. */
export const WINDOW_SLOTS = 288;
const SLOTS_PER_HALF_LIFE = 12;
const WEIGHTS = Float64Array.from({ length: WINDOW_SLOTS }, (_, age) => 2 ** (-age / SLOTS_PER_HALF_LIFE));

/** What a sketch says. */
export interface SketchReading {
  /** Of the last day. */
  readonly samples: number;
  /** Samples, each counted by its age: half after an hour. */
  readonly weight: number;
  /** Different slots of five minutes with samples. */
  readonly slots: number;
  /** 0 where there is none. */
  readonly newestSlot: number;
  /** Median by weight; 0 where there is no sample. */
  readonly medianMs: number;
}

export function slotOf(atMs: number): number {
  return Math.floor(atMs / SLOT_MS);
}

/** Counts one sample. Returns how many cells the sketch has grown by; negative where old ones gave way. */
export function addSample(sketch: Sketch, slot: number, milliseconds: number): number {
  const cell = slot * SLOT_UNIT + bucketOf(milliseconds) * BUCKET_UNIT;
  const at = positionOf(sketch, cell);
  const found = sketch[at];
  if (found !== undefined && found < cell + BUCKET_UNIT) {
    if (found - cell < MAX_COUNT) sketch[at] = found + 1;
    return 0;
  }
  sketch.splice(at, 0, cell + 1);
  if (sketch.length <= MAX_SKETCH_CELLS) return 1;
  return 1 - forgetBefore(sketch, Math.floor((sketch[0] ?? 0) / SLOT_UNIT) + 1);
}

/** Samples of one slot. */
export function samplesOfSlot(sketch: Sketch, slot: number): number {
  let samples = 0;
  for (let at = positionOf(sketch, slot * SLOT_UNIT); at < sketch.length; at += 1) {
    const cell = sketch[at] as number;
    if (cell >= (slot + 1) * SLOT_UNIT) break;
    samples += cell % BUCKET_UNIT;
  }
  return samples;
}

/** Forgets what lies before a slot; returns how many cells that were. */
export function forgetBefore(sketch: Sketch, slot: number): number {
  const kept = positionOf(sketch, slot * SLOT_UNIT);
  sketch.splice(0, kept);
  return kept;
}

/** Scratch of `readSketch`, all zero between calls. */
const weightOf = new Float64Array(BUCKETS);

/** Reads the samples of the day before `nowSlot`; one that lies a little ahead counts as fresh. */
export function readSketch(sketch: Sketch, nowSlot: number): SketchReading {
  let samples = 0;
  let weight = 0;
  let slots = 0;
  let latest = 0;
  let low = BUCKETS;
  let high = -1;
  for (let at = positionOf(sketch, (nowSlot - WINDOW_SLOTS + 1) * SLOT_UNIT); at < sketch.length; at += 1) {
    const cell = sketch[at] as number;
    const slot = Math.floor(cell / SLOT_UNIT);
    const bucket = Math.floor((cell % SLOT_UNIT) / BUCKET_UNIT);
    const count = cell % BUCKET_UNIT;
    const weighs = count * (WEIGHTS[Math.max(0, nowSlot - slot)] ?? 0);
    if (slot !== latest) slots += 1;
    latest = slot;
    samples += count;
    weight += weighs;
    weightOf[bucket] = (weightOf[bucket] ?? 0) + weighs;
    if (bucket < low) low = bucket;
    if (bucket > high) high = bucket;
  }
  const medianMs = takeMedian(low, high, weight);
  return { samples, weight, slots, newestSlot: latest, medianMs };
}

/** The median of the scratch, which is zero again afterwards. */
function takeMedian(low: number, high: number, weight: number): number {
  let seen = 0;
  let median = -1;
  for (let bucket = low; bucket <= high; bucket += 1) {
    seen += weightOf[bucket] ?? 0;
    if (median < 0 && seen >= weight / 2) median = bucket;
    weightOf[bucket] = 0;
  }
  return high < 0 ? 0 : middleOf(median < 0 ? high : median);
}

/** Where a cell is or belongs: the first that is not less. */
function positionOf(sketch: Sketch, cell: number): number {
  let low = 0;
  let high = sketch.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    // A cell with its count is less than the next bucket's without one.
    if ((sketch[middle] as number) < cell) low = middle + 1;
    else high = middle;
  }
  return low;
}

function bucketOf(milliseconds: number): number {
  const bucket = Math.floor(Math.log(milliseconds / MIN_MILLISECONDS) / LOG_RATIO);
  return Math.min(BUCKETS - 1, Math.max(0, bucket));
}

/** The geometric middle of a bucket, to a tenth of a millisecond and at least that. */
function middleOf(bucket: number): number {
  const middle = MIN_MILLISECONDS * Math.exp((bucket + 0.5) * LOG_RATIO);
  return Math.max(1, Math.round(middle * 10)) / 10;
}
