/**
 * How long probes took of late, in fixed memory: a histogram whose buckets widen by the same ratio.
 *
 *     bucket    0           1            2                                     63
 *           |-------|------------|----------------|-- ... --|-----------------------|
 *           0     0.1 ms      0.124 ms         0.153 ms                 44 s      above
 *     count     0           3            12                                     0        octet pairs in one row
 *
 * Rows of many sketches lie in one array, so that tens of thousands of them are a few allocations:
 *
 *     counts   [ row 0: 64 counts | row 1: 64 counts | ... ]
 *
 * When a row holds `MAX_SAMPLES` all its counts are halved: what is older than a few hundred probes fades away.
 */
export const SKETCH_BUCKETS = 64;

/** Upper bound of the first bucket in milliseconds; nothing that crosses a network is faster. */
const FIRST_BOUND_MS = 0.1;

/** Bucket to bucket; a quantile is at most 11 % off, and 63 steps reach 44 seconds. */
const RATIO = 1.233;

const LOG_RATIO = Math.log(RATIO);

/** A percentile of 256 samples has two beyond its 99th: fewer would be chance, more would be history. */
const MAX_SAMPLES = 256;

/** Percentiles in milliseconds. */
export interface LatencyQuantiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** Counts one duration in the sketch whose row begins at `row`. */
export function addLatency(counts: Uint16Array, row: number, durationMs: number): void {
  const at = row + bucketOf(durationMs);
  counts[at] = (counts[at] ?? 0) + 1;
  if (totalOf(counts, row) < MAX_SAMPLES) return;
  for (let index = row; index < row + SKETCH_BUCKETS; index += 1) counts[index] = (counts[index] ?? 0) >> 1;
}

/** The percentiles of a row; undefined where nothing was counted. */
export function latencyQuantiles(counts: Uint16Array, row: number): LatencyQuantiles | undefined {
  const total = totalOf(counts, row);
  if (total === 0) return undefined;
  return {
    p50: quantileOf(counts, row, total * 0.5),
    p90: quantileOf(counts, row, total * 0.9),
    p99: quantileOf(counts, row, total * 0.99),
  };
}

function quantileOf(counts: Uint16Array, row: number, rank: number): number {
  let seen = 0;
  for (let bucket = 0; bucket < SKETCH_BUCKETS; bucket += 1) {
    seen += counts[row + bucket] ?? 0;
    if (seen >= rank) return middleOf(bucket);
  }
  return middleOf(SKETCH_BUCKETS - 1);
}

function totalOf(counts: Uint16Array, row: number): number {
  let total = 0;
  for (let index = row; index < row + SKETCH_BUCKETS; index += 1) total += counts[index] ?? 0;
  return total;
}

function bucketOf(durationMs: number): number {
  // A duration that is no number is counted as none.
  if (!(durationMs > FIRST_BOUND_MS)) return 0;
  return Math.min(SKETCH_BUCKETS - 1, Math.ceil(Math.log(durationMs / FIRST_BOUND_MS) / LOG_RATIO));
}

/** The geometric middle of a bucket, to a hundredth of a millisecond. */
function middleOf(bucket: number): number {
  return Math.round(FIRST_BOUND_MS * RATIO ** (bucket - 0.5) * 100) / 100;
}
