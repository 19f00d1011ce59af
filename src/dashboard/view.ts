import type { EndpointHealth } from '../health/endpoint-health.ts';
import type { EstimatedQueries } from '../observe/traffic/traffic-report.ts';

/** A data center's verdict as the page tells it: its endpoints' verdicts joined. */
export type JoinedVerdict = EndpointHealth['verdict'] | 'partly';

/** A data center with what the map needs of it. */
export interface DataCenterView {
  readonly name: string;
  readonly description: string | undefined;
  readonly latitude: number;
  readonly longitude: number;
  readonly verdict: JoinedVerdict;
}

/** One word for several endpoints: their verdict when they agree, `partly` when some are up, else the worst. */
export function joinVerdicts(verdicts: readonly EndpointHealth['verdict'][]): JoinedVerdict {
  const [first, ...rest] = verdicts;
  if (first === undefined) return 'unknown';
  if (rest.every((verdict) => verdict === first)) return first;
  if (verdicts.includes('up')) return 'partly';
  return verdicts.includes('down') ? 'down' : 'unknown';
}

/** How long ago, in the largest fitting unit: `4 s`, `12 min`, `3 h`, `2 d`. */
export function formatAge(fromMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - fromMs) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** Time from a start, as timelines tell it: `+0.000 s`, `+12.3 s`, `+95 s`. */
export function formatOffset(startMs: number, atMs: number): string {
  const seconds = (atMs - startMs) / 1000;
  const digits = Math.abs(seconds) < 10 ? 3 : Math.abs(seconds) < 60 ? 1 : 0;
  return `${seconds < 0 ? '' : '+'}${seconds.toFixed(digits)} s`;
}

/** `1,200 ± 80`; with a plus where more may be missing than the error says. */
export function formatEstimate(estimate: EstimatedQueries): string {
  const { queries, missingAtMost, samplingError } = estimate;
  const plus = missingAtMost > samplingError ? '+' : '';
  const error = samplingError > 0 ? ` ± ${samplingError.toLocaleString('en')}` : '';
  return `${queries.toLocaleString('en')}${plus}${error}`;
}
