import {
  addLatency,
  type LatencyQuantiles,
  latencyQuantiles,
  SKETCH_BUCKETS,
} from '../health/latency-sketch.ts';

/**
 * The latency sketches of many targets, in blocks of rows.
 *
 *     blocks   [ row 0 ... row 1023 ] [ row 1024 ... ]      one array each, so that growing copies nothing
 *     free     rows that were given back, taken again first
 */
export interface LatencyRows {
  /** An empty sketch; returns its number. */
  take(): number;
  give(row: number): void;
  add(row: number, durationMs: number): void;
  quantiles(row: number): LatencyQuantiles | undefined;
}

/** 128 KiB a block: a small configuration costs one. */
const ROWS_PER_BLOCK = 1024;

export function createLatencyRows(): LatencyRows {
  const blocks: Uint16Array[] = [];
  const free: number[] = [];
  let next = 0;
  const blockOf = (row: number): Uint16Array => {
    const at = Math.floor(row / ROWS_PER_BLOCK);
    const block = blocks[at] ?? new Uint16Array(ROWS_PER_BLOCK * SKETCH_BUCKETS);
    blocks[at] = block;
    return block;
  };
  const startOf = (row: number): number => (row % ROWS_PER_BLOCK) * SKETCH_BUCKETS;
  return {
    take() {
      const row = free.pop() ?? next++;
      blockOf(row).fill(0, startOf(row), startOf(row) + SKETCH_BUCKETS);
      return row;
    },
    give(row) {
      free.push(row);
    },
    add: (row, durationMs) => addLatency(blockOf(row), startOf(row), durationMs),
    quantiles: (row) => latencyQuantiles(blockOf(row), startOf(row)),
  };
}
