import { type CronFields, matchesDay, parseCron } from './cron-fields.ts';
import { DAY_MS, momentsOf, type WallMs, type ZoneDay, zoneClock } from './zone-clock.ts';

/** The moments at which something opens. Pure: all times are milliseconds since the epoch. */
export interface Openings {
  /** The first opening after a moment; undefined where there is none within `MAX_LOOK_AHEAD_DAYS`. */
  after(ms: number): number | undefined;
  /** The last opening at a moment or before it, but none sooner than `earliestMs`. */
  lastAt(ms: number, earliestMs: number): number | undefined;
}

/** The 29th of February comes again after eight years at most; what is rarer is a mistake. */
export const MAX_LOOK_AHEAD_DAYS = 366 * 9;

const MINUTE_MS = 60_000;

/**
 * The openings of a cron text in a time zone; undefined for a text that `parseCron` refuses.
 *
 * On days on which clocks change: a time that does not exist opens at the first moment after the gap; one that exists
 * twice opens once, the first time. What opens in every hour of the day goes by the hours that pass instead: not in
 * those that are missing, and in those that come twice both times.
 */
export function cronOpenings(cron: string, timeZone: string): Openings | undefined {
  const text = parseCron(cron);
  if (!text.ok) return undefined;
  const { fields } = text;
  const clock = zoneClock(timeZone);
  const midnightOf = (ms: number): WallMs => Math.floor(clock.wallOf(ms) / DAY_MS) * DAY_MS;
  const openingsOn = (midnight: WallMs): readonly number[] =>
    isMeant(fields, midnight) ? openingsOfDay(fields, midnight, clock.dayAt(midnight)) : NONE;
  return {
    after: (ms) => {
      // A time that does not exist may open on the day after its own, so the search begins a day before.
      const first = midnightOf(ms) - DAY_MS;
      for (let day = 0; day <= MAX_LOOK_AHEAD_DAYS; day++) {
        const found = openingsOn(first + day * DAY_MS).find((opening) => opening > ms);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    lastAt: (ms, earliestMs) => {
      const last = midnightOf(earliestMs) - DAY_MS;
      for (let midnight = midnightOf(ms); midnight >= last; midnight -= DAY_MS) {
        const found = openingsOn(midnight).findLast((opening) => opening <= ms);
        if (found !== undefined) return found >= earliestMs ? found : undefined;
      }
      return undefined;
    },
  };
}

const NONE: readonly number[] = [];

function isMeant(fields: CronFields, midnight: WallMs): boolean {
  const date = new Date(midnight);
  return matchesDay(fields, date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate());
}

/** In the order of time, each moment once. */
function openingsOfDay(fields: CronFields, midnight: WallMs, day: ZoneDay): readonly number[] {
  const { minutesOfDay, everyHour } = fields;
  if (day.changesAtMs === Number.POSITIVE_INFINITY) {
    const startMs = midnight - day.offsetBeforeMs;
    return minutesOfDay.map((minute) => startMs + minute * MINUTE_MS);
  }
  const openings = minutesOfDay.flatMap((minute) => {
    const moments = momentsOf(day, midnight + minute * MINUTE_MS);
    if (everyHour) return moments;
    const [first = day.changesAtMs] = moments;
    return [first];
  });
  return [...new Set(openings)].sort((one, other) => one - other);
}
