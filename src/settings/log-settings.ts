import { didYouMean } from '../config/did-you-mean.ts';
import { type Parsed, refused } from '../config/problem.ts';
import type { Flag } from '../flags.ts';
import { type LogLevel, logLevels } from '../observe/log-level.ts';
import { type GivenSettings, oneText } from './given-settings.ts';

export const logLevelFlag: Flag = {
  name: 'log-level',
  value: 'LEVEL',
  variable: 'MERIDIAN_LOG_LEVEL',
  summary: `One of ${logLevels.join(', ')}. Default: info`,
};

export function parseLogLevel(given: GivenSettings): Parsed<LogLevel> {
  const chosen = oneText(logLevelFlag, given);
  if (!chosen.ok) return chosen;
  const level = logLevels.find((known) => known === (chosen.value ?? 'info'));
  if (level !== undefined) return { ok: true, value: level };
  const hint = didYouMean(chosen.value ?? '', logLevels) || ` Use one of ${logLevels.join(', ')}.`;
  return refused('bad-log-level', '--log-level', `"${chosen.value}" is not a log level.${hint}`);
}
