/** The first probes of all new targets are spread over this long, or over the interval if that is shorter. */
export const FIRST_PROBE_SPREAD_MS = 1000;

/** A uniform draw from 0 up to, but not including, 1. */
export type RandomFraction = () => number;

/** When a target's probes are due, in milliseconds of the monotonic clock. */
export interface Timetable {
  readonly intervalMs: number;
  /** Share of the interval, 0 to 0.5, by which a probe may come late at random. */
  readonly jitter: number;
  /** The target's place within the interval, 0 up to 1; see `phaseOf`. */
  readonly phase: number;
}

/**
 * A stable place within the interval, 0 up to 1, from a target's key: FNV-1a with a final mix, so that keys that
 * differ in one digit lie far apart.
 */
export function phaseOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000;
}

/** First probes a second when many targets are new at once: more would starve those that follow of sockets. */
const FIRST_PROBES_PER_SECOND = 4000;

/** Over how long the first probes of so many new targets are spread. */
export function firstSpreadMs(newTargets: number): number {
  return Math.max(FIRST_PROBE_SPREAD_MS, (newTargets / FIRST_PROBES_PER_SECOND) * 1000);
}

/**
 * The first probe of a new target: soon, but not all targets at once. Where spreading them takes as long as half the
 * interval, each waits for its own beat instead: first probes on top of regular ones would be the rush that is avoided.
 */
export function firstDueMs(timetable: Timetable, nowMs: number, spreadMs: number): number {
  const { intervalMs, phase } = timetable;
  if (spreadMs <= FIRST_PROBE_SPREAD_MS || spreadMs < intervalMs / 2)
    return nowMs + phase * Math.min(intervalMs, spreadMs);
  return nextBeatMs(timetable, nowMs - intervalMs / 2, nowMs);
}

/**
 * The target's own beat after a probe that was due at `beatMs`, without jitter.
 *
 *     clock    0          interval      2 interval     3 interval
 *     beats    |----phase-->x-------------->x-------------->x
 *     first probe     ^ now, then the first beat that is half an interval away or more
 *
 * Beats hang on the clock and not on the last probe, so that jitter, slow probes and long pauses never add up, and
 * targets that are spread evenly stay so. A beat that has passed by `nowMs` is skipped, not made up for.
 */
export function nextBeatMs(timetable: Timetable, beatMs: number, nowMs: number): number {
  const { intervalMs, phase } = timetable;
  const earliestMs = Math.max(beatMs + intervalMs / 2, nowMs);
  const offsetMs = phase * intervalMs;
  return Math.ceil((earliestMs - offsetMs) / intervalMs) * intervalMs + offsetMs;
}

/** Moves a beat by the jitter. */
export function jitteredMs(timetable: Timetable, beatMs: number, random: RandomFraction): number {
  return beatMs + random() * timetable.jitter * timetable.intervalMs;
}
