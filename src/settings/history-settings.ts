import { type Parsed, type Problem, parsed, refused } from '../config/problem.ts';
import type { Flag } from '../flags.ts';
import { type GivenSettings, oneText } from './given-settings.ts';

/** How much of the history of incidents and alerts stays. */
export interface HistorySettings {
  readonly days: number;
  readonly mebibytes: number;
}

/** A quarter of a year, for whoever looks back once a quarter. */
const DEFAULT_DAYS = 90;
const MAX_DAYS = 3650;
/** Some 30,000 incidents with the evidence of three vantages. */
const DEFAULT_MEBIBYTES = 64;
const MAX_MEBIBYTES = 65_536;

/** In the place of settings that are not valid. */
export const NO_HISTORY: HistorySettings = { days: 1, mebibytes: 1 };

const daysFlag: Flag = {
  name: 'history-days',
  value: 'N',
  variable: 'MERIDIAN_HISTORY_DAYS',
  summary: `Keep incidents and alerts that ended in the last N days. Default: ${DEFAULT_DAYS}`,
};

const sizeFlag: Flag = {
  name: 'history-mib',
  value: 'N',
  variable: 'MERIDIAN_HISTORY_MIB',
  summary: `Keep at most N MiB of incidents and alerts; the oldest go first. Default: ${DEFAULT_MEBIBYTES}`,
};

export const historyFlags: readonly Flag[] = [daysFlag, sizeFlag];

/** All problems come at once. */
export function parseHistorySettings(given: GivenSettings): Parsed<HistorySettings> {
  const days = parseCount(daysFlag, given, DEFAULT_DAYS, MAX_DAYS);
  const mebibytes = parseCount(sizeFlag, given, DEFAULT_MEBIBYTES, MAX_MEBIBYTES);
  if (days.ok && mebibytes.ok) return parsed({ days: days.value, mebibytes: mebibytes.value });
  const problems: Problem[] = [days, mebibytes].flatMap((part) => (part.ok ? [] : part.problems));
  return { ok: false, problems };
}

function parseCount(flag: Flag, given: GivenSettings, otherwise: number, most: number): Parsed<number> {
  const chosen = oneText(flag, given);
  if (!chosen.ok) return chosen;
  if (chosen.value === undefined) return parsed(otherwise);
  const count = /^\d{1,6}$/.test(chosen.value) ? Number(chosen.value) : 0;
  if (count >= 1 && count <= most) return parsed(count);
  const path = `--${flag.name}`;
  return refused('bad-history', path, `${path}: "${chosen.value}" is not a whole number from 1 to ${most}.`);
}
