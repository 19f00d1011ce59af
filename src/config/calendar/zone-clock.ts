/**
 * Milliseconds as the clocks of a time zone show them, written as if they were UTC: 02:30 in Berlin is the number that
 * 02:30 UTC of that day has. Only ever compared with others of its kind.
 */
export type WallMs = number;

const HOUR_MS = 3_600_000;

/** From one midnight to the next. */
export const DAY_MS = 24 * HOUR_MS;

/** Zones differ from UTC by less than this, so that a change within a day lies within this of its midnights. */
const MARGIN_MS = DAY_MS;

/** Transitions are at whole seconds. */
const SECOND_MS = 1000;

/** More names than there are zones, for those that are written in several ways. */
const MAX_CLOCKS = 1000;

/** Days and moments that a clock remembers: windows that are looked at together ask for the same few. */
const MAX_REMEMBERED = 256;

/** The clocks of one time zone. Pure: the rules come with the runtime. */
export interface ZoneClock {
  /** What clocks show at a moment. */
  wallOf(ms: number): WallMs;
  /** The day that begins at a midnight of the wall; a whole number of `DAY_MS`. */
  dayAt(midnight: WallMs): ZoneDay;
}

/**
 * A day and the one change of clocks that may lie in it or close to it.
 *
 *     spring  01:59 | 03:00   the wall shows no 02:30          autumn  02:59 | 02:00   it shows 02:30 twice
 *                   changesAtMs                                              changesAtMs
 */
export interface ZoneDay {
  readonly offsetBeforeMs: number;
  readonly offsetAfterMs: number;
  /** The first moment of the new offset; Infinity where nothing changes. */
  readonly changesAtMs: number;
}

const clocks = new Map<string, ZoneClock>();

/** The clocks of a zone; throws for a name that `isTimeZone` does not know. */
export function zoneClock(timeZone: string): ZoneClock {
  const known = clocks.get(timeZone);
  if (known !== undefined) return known;
  const clock = createClock(timeZone);
  if (clocks.size >= MAX_CLOCKS) clocks.clear();
  clocks.set(timeZone, clock);
  return clock;
}

/** Whether the runtime knows the name as a zone of the IANA database. Plain offsets are none: they know no DST. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** Every moment at which clocks show a time of a day: none, one or two, earliest first. */
export function momentsOf({ offsetBeforeMs, offsetAfterMs, changesAtMs }: ZoneDay, wall: WallMs): number[] {
  const moments: number[] = [];
  const before = wall - offsetBeforeMs;
  const after = wall - offsetAfterMs;
  if (before < changesAtMs) moments.push(before);
  if (after >= changesAtMs) moments.push(after);
  return moments;
}

function createClock(timeZone: string): ZoneClock {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const offsetAt = remembering((ms: number): number => {
    const whole = Math.floor(ms / SECOND_MS) * SECOND_MS;
    const parts = new Map(format.formatToParts(whole).map(({ type, value }) => [type, Number(value)]));
    const field = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
    const date = Date.UTC(field('year'), field('month') - 1, field('day'));
    return date + field('hour') * HOUR_MS + field('minute') * 60_000 + field('second') * SECOND_MS - whole;
  });
  return {
    wallOf: (ms) => ms + offsetAt(ms),
    dayAt: remembering((midnight) => {
      const from = midnight - MARGIN_MS;
      const to = midnight + DAY_MS + MARGIN_MS;
      const offsetBeforeMs = offsetAt(from);
      const offsetAfterMs = offsetAt(to);
      if (offsetBeforeMs === offsetAfterMs)
        return { offsetBeforeMs, offsetAfterMs, changesAtMs: Number.POSITIVE_INFINITY };
      return { offsetBeforeMs, offsetAfterMs, changesAtMs: changeBetween(offsetAt, from, to) };
    }),
  };
}

/** The same function, which asks the slow rules of the runtime once for what it was asked lately. */
function remembering<T>(find: (ms: number) => T): (ms: number) => T {
  const known = new Map<number, T>();
  return (ms) => {
    const found = known.get(ms) ?? find(ms);
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.set(ms, found);
    return found;
  };
}

/** By halves: the moment from which on the offset is no longer that of `from`. */
function changeBetween(offsetAt: (ms: number) => number, from: number, to: number): number {
  const old = offsetAt(from);
  let before = Math.floor(from / SECOND_MS);
  let after = Math.ceil(to / SECOND_MS);
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetAt(middle * SECOND_MS) === old) before = middle;
    else after = middle;
  }
  return after * SECOND_MS;
}
