import { type Parsed, refused } from '../config/problem.ts';
import type { Flag } from '../flags.ts';
import { type GivenSettings, oneText } from './given-settings.ts';

export const measurementClientFlag: Flag = {
  name: 'measurement-client-header',
  value: 'HEADER',
  variable: 'MERIDIAN_MEASUREMENT_CLIENT_HEADER',
  summary:
    'Header by which a proxy before the API says who sent it a batch of latency measurements, such as X-Real-IP; of several addresses the last counts. Default: the peer itself is who sent it.',
};

/** In lower case; undefined when no header is believed. */
export function parseMeasurementClientHeader(given: GivenSettings): Parsed<string | undefined> {
  const chosen = oneText(measurementClientFlag, given);
  if (!chosen.ok || chosen.value === undefined) return chosen;
  // RFC 9110 section 5.6.2: a token, here without the characters that no header in use has.
  if (/^[A-Za-z0-9-]{1,64}$/.test(chosen.value)) return { ok: true, value: chosen.value.toLowerCase() };
  const path = `--${measurementClientFlag.name}`;
  return refused(
    'bad-header',
    path,
    `${path}: "${chosen.value}" is not the name of a header, such as X-Real-IP.`,
  );
}
