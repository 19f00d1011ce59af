import type { Flow } from './capacity.ts';
import { MAX_STEP_MS } from './capacity-control.ts';

/**
 * Load units that a query a second of each data center's own clients brings, learned from reports of load: a large
 * resolver asks as often as a small one and has many more clients behind it.
 *
 * One number for all is taken from the first reports; after that each data center's own drifts until what is
 * predicted agrees with what it reports, in proportion to how much of its load is of its own clients.
 */
export interface LoadScale {
  readonly atMs: number;
  /** Load units for each query a second; undefined before the first report: queries are the unit then. */
  readonly overall: number | undefined;
  readonly byPlace: ReadonlyMap<string, number>;
}

export const initialLoadScale: LoadScale = {
  atMs: Number.NEGATIVE_INFINITY,
  overall: undefined,
  byPlace: new Map(),
};

/** Much longer than answers are kept by resolvers: a load that follows a change with delay is not taken for another scale. */
const LEARNS_MS = 300_000;

/** No resolver is off by more, and a broken report must not turn the plan over. */
const MAX_SCALE_FACTOR = 20;

/** What a data center says of itself, and what was predicted for it under the scale so far. */
export interface ComparedLoad {
  readonly name: string;
  readonly reported: number;
  readonly flow: Flow;
}

/** The scale of one place's own clients. */
export function scaleOf(scale: LoadScale, name: string): number {
  return scale.byPlace.get(name) ?? scale.overall ?? 1;
}

/** Learns from reports; to be called with what was predicted in quiet times only, not while clients are on the move. */
export function learnScale(scale: LoadScale, compared: readonly ComparedLoad[], nowMs: number): LoadScale {
  const useful = compared.filter(({ reported, flow }) => reported > 0 && flow.load > 0);
  if (useful.length === 0) return { ...scale, atMs: nowMs };
  const { overall } = scale;
  if (overall === undefined) {
    const reported = useful.reduce((sum, one) => sum + one.reported, 0);
    const predicted = useful.reduce((sum, { flow }) => sum + flow.load, 0);
    return { atMs: nowMs, overall: reported / predicted, byPlace: new Map() };
  }
  const elapsedMs = Math.min(Math.max(0, nowMs - scale.atMs), MAX_STEP_MS);
  const byPlace = new Map(scale.byPlace);
  for (const { name, reported, flow } of useful) {
    const share = (elapsedMs / LEARNS_MS) * (flow.ownLoad / flow.load);
    const learned = scaleOf(scale, name) * (reported / flow.load) ** share;
    const least = overall / MAX_SCALE_FACTOR;
    byPlace.set(name, Math.min(Math.max(learned, least), overall * MAX_SCALE_FACTOR));
  }
  return { atMs: nowMs, overall, byPlace };
}
