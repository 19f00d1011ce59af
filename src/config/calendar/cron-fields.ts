import { validateDetailed } from 'node-cron';

/**
 * The five fields of a cron text as sets of whole numbers, and the days that depend on the month.
 *
 *     minute 0-59   hour 0-23   day of month 1-31, L, L-3, 15W, LW   month 1-12   day of week 0-6, 0L, 6#2
 *
 * A day has to match both of its fields, other than in crontab(5), where one of them is enough.
 */
export interface CronFields {
  /** Minutes of the day, ascending. */
  readonly minutesOfDay: readonly number[];
  /** Whether it opens in every hour of the day: such a window goes by the hours that pass, not by their names. */
  readonly everyHour: boolean;
  readonly daysOfMonth: readonly DayOfMonth[];
  readonly months: ReadonlySet<number>;
  readonly daysOfWeek: readonly DayOfWeek[];
}

type DayOfMonth =
  | { readonly kind: 'day'; readonly day: number }
  /** Counted back from the last day of the month, which is 0. */
  | { readonly kind: 'from-last'; readonly days: number }
  /** The Monday to Friday that is nearest to the day, within the month; 'last' is the month's last day. */
  | { readonly kind: 'working-day'; readonly day: number | 'last' };

type DayOfWeek =
  | { readonly kind: 'every'; readonly day: number }
  | { readonly kind: 'last'; readonly day: number }
  | { readonly kind: 'nth'; readonly day: number; readonly nth: number };

/** What is wrong with a cron text, each as the rest of a sentence that begins with it. */
export type CronText =
  | { readonly ok: true; readonly fields: CronFields }
  | { readonly ok: false; readonly faults: readonly string[] };

/** Longest cron text; four lists of every second number are as long. */
export const MAX_CRON_LENGTH = 200;

/** No field has numbers of three digits, and node-cron writes a range out before it looks at its ends. */
const TOO_LARGE = /\d{3}/;

const FIELD_COUNT = 5;
const DAYS_OF_WEEK = 7;
const MINUTES_PER_HOUR = 60;
const HOURS_PER_DAY = 24;

/** Reads a cron text. node-cron says what is valid; times are computed here, because it skips hours on DST days. */
export function parseCron(text: string): CronText {
  if (text.length > MAX_CRON_LENGTH)
    return { ok: false, faults: [`must have at most ${MAX_CRON_LENGTH} characters`] };
  const words = text.trim().split(/\s+/);
  // node-cron takes seconds and nicknames as well; a window opens on a minute, and is easier read by its fields.
  if (words.length !== FIELD_COUNT || text.trim().startsWith('@')) {
    const fault = `must have five fields (minute, hour, day of month, month, day of week), and has ${words.length}`;
    return { ok: false, faults: [fault] };
  }
  const large = words.findIndex((word) => TOO_LARGE.test(word));
  if (large >= 0) return { ok: false, faults: [invalidThere(FIELD_ORDER[large] ?? '', words[large] ?? '')] };
  const { valid, fields, errors } = validateDetailed(words.join(' '));
  if (!valid || fields === undefined) return { ok: false, faults: errors.map(faultOf) };
  const hours = [...new Set(fields.hour)];
  const minutes = [...new Set(fields.minute)];
  return {
    ok: true,
    fields: {
      minutesOfDay: hours
        .flatMap((hour) => minutes.map((minute) => hour * MINUTES_PER_HOUR + minute))
        .sort((one, other) => one - other),
      everyHour: hours.length === HOURS_PER_DAY,
      daysOfMonth: fields.dayOfMonth.map(dayOfMonth),
      months: new Set(fields.month),
      daysOfWeek: fields.dayOfWeek.map(dayOfWeek),
    },
  };
}

/** Whether a day of the calendar is one of those meant; `month` counts from 1. */
export function matchesDay(fields: CronFields, year: number, month: number, day: number): boolean {
  if (!fields.months.has(month)) return false;
  const lastDay = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const weekDay = weekDayOf(year, month, day);
  return (
    fields.daysOfMonth.some((one) => matchesDayOfMonth(one, year, month, day, lastDay)) &&
    fields.daysOfWeek.some((one) => matchesDayOfWeek(one, day, weekDay, lastDay))
  );
}

const FIELD_ORDER: readonly string[] = ['minute', 'hour', 'day of month', 'month', 'day of week'];

const FIELD_NAMES: Readonly<Record<string, string>> = {
  minute: 'minute',
  hour: 'hour',
  dayOfMonth: 'day of month',
  month: 'month',
  dayOfWeek: 'day of week',
};

function faultOf({ field, value, message }: { field: string; value?: string; message: string }): string {
  if (message.includes('illegal')) return 'has characters that no field may have';
  const name = FIELD_NAMES[field];
  if (name === undefined || value === undefined) return `is not valid: ${message}`;
  if (message.includes('impossible'))
    return `has ${value} for the day of month, which none of its months has`;
  return invalidThere(name, value);
}

function invalidThere(name: string, value: string): string {
  return `has "${value}" for the ${name}, which is not valid there`;
}

function dayOfMonth(token: number | string): DayOfMonth {
  if (typeof token === 'number') return { kind: 'day', day: token };
  if (token.endsWith('W'))
    return { kind: 'working-day', day: token === 'LW' ? 'last' : Number(token.slice(0, -1)) };
  return { kind: 'from-last', days: token === 'L' ? 0 : Number(token.slice('L-'.length)) };
}

function dayOfWeek(token: number | string): DayOfWeek {
  if (typeof token === 'number') return { kind: 'every', day: token % DAYS_OF_WEEK };
  const day = Number(token[0]) % DAYS_OF_WEEK;
  return token.includes('#') ? { kind: 'nth', day, nth: Number(token[2]) } : { kind: 'last', day };
}

function matchesDayOfMonth(
  wanted: DayOfMonth,
  year: number,
  month: number,
  day: number,
  lastDay: number,
): boolean {
  switch (wanted.kind) {
    case 'day':
      return day === wanted.day;
    case 'from-last':
      return day === lastDay - wanted.days;
    case 'working-day':
      return day === workingDay(year, month, wanted.day === 'last' ? lastDay : wanted.day, lastDay);
  }
}

/** Undefined where the month has no such day. */
function workingDay(year: number, month: number, day: number, lastDay: number): number | undefined {
  if (day > lastDay) return undefined;
  const weekDay = weekDayOf(year, month, day);
  if (weekDay === 6) return day === 1 ? day + 2 : day - 1;
  if (weekDay === 0) return day === lastDay ? day - 2 : day + 1;
  return day;
}

function matchesDayOfWeek(wanted: DayOfWeek, day: number, weekDay: number, lastDay: number): boolean {
  if (wanted.day !== weekDay) return false;
  switch (wanted.kind) {
    case 'every':
      return true;
    case 'last':
      return day + DAYS_OF_WEEK > lastDay;
    case 'nth':
      return Math.ceil(day / DAYS_OF_WEEK) === wanted.nth;
  }
}

function weekDayOf(year: number, month: number, day: number): number {
  return new Date(Date.UTC(year, month - 1, day)).getUTCDay();
}
