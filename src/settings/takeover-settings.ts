import { type Parsed, refused } from '../config/problem.ts';
import type { Flag } from '../flags.ts';
import { type GivenSettings, isGiven, oneText } from './given-settings.ts';

/** Room for a zone of a million RRsets and a geo table to be compiled twice over. */
const DEFAULT_TIMEOUT_SECONDS = 120;
/** A day: longer than anybody waits. */
const MAX_TIMEOUT_SECONDS = 86_400;

const takeoverFlag: Flag = {
  name: 'takeover',
  value: undefined,
  variable: undefined,
  summary:
    'Take over from the node that has the data directory: it goes on until this one is ready, then leaves. Without such a node, start alone.',
};

const timeoutFlag: Flag = {
  name: 'takeover-timeout',
  value: 'SECONDS',
  variable: 'MERIDIAN_TAKEOVER_TIMEOUT',
  summary: `How long a new process may take to get ready before the old one goes on, 1 to ${MAX_TIMEOUT_SECONDS}. Default: ${DEFAULT_TIMEOUT_SECONDS}`,
};

export const takeoverFlags: readonly Flag[] = [takeoverFlag, timeoutFlag];

export function parseStart(given: GivenSettings): 'alone' | 'takeover' {
  return isGiven(takeoverFlag, given) ? 'takeover' : 'alone';
}

/** In milliseconds. */
export function parseTakeoverTimeout(given: GivenSettings): Parsed<number> {
  const chosen = oneText(timeoutFlag, given);
  if (!chosen.ok) return chosen;
  const text = chosen.value ?? String(DEFAULT_TIMEOUT_SECONDS);
  const seconds = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (seconds >= 1 && seconds <= MAX_TIMEOUT_SECONDS) return { ok: true, value: seconds * 1000 };
  const message = `--takeover-timeout: "${text}" is not a whole number of seconds from 1 to ${MAX_TIMEOUT_SECONDS}.`;
  return refused('bad-timeout', '--takeover-timeout', message);
}
