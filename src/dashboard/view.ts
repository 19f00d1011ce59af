import type { EndpointHealth } from '../health/endpoint-health.ts';
import type { EstimatedQueries } from '../observe/traffic/traffic-report.ts';
import type { MemberView } from './live-cluster.ts';

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

/** What is wrong with a node of the cluster, in sentences. */
export interface MemberTrouble {
  readonly severity: 'none' | 'some' | 'severe';
  readonly sentences: readonly string[];
}

/** Within a minute of a write, or of a heal, missing something is how it has to be. */
const BEHIND_FOR_LONG_MS = 60_000;
/** As the node's own problems have them; see `cluster/identity/` and `cluster/members/`. */
const CERTIFICATE_ENDS_SOON_MS = 30 * 86_400_000;
const CLOCK_DIFFERS_SECONDS = 5;

export function troubleOf(member: MemberView, nowMs: number): MemberTrouble {
  if (member.state !== 'up') return absenceOf(member);
  const { serving, withdrawal, reason, behind, certificateExpiresAt, clockAheadSeconds = 0 } = member;
  const why = reason === undefined ? '' : `: ${reason}`;
  const notServing =
    withdrawal === 'taken'
      ? [`Has withdrawn from service${why}.`]
      : serving === false
        ? [`Does not serve${why}.`]
        : [];
  const endsMs =
    certificateExpiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(certificateExpiresAt);
  const isBehind = behind.since !== undefined && nowMs - Date.parse(behind.since) > BEHIND_FOR_LONG_MS;
  const sentences = [
    ...notServing,
    ...(withdrawal === 'wanted' ? [`Wants to withdraw, and too few others serve${why}.`] : []),
    ...(isBehind
      ? [`Has differed from this node for ${formatAge(Date.parse(behind.since ?? ''), nowMs)}.`]
      : []),
    ...(endsMs - nowMs < CERTIFICATE_ENDS_SOON_MS ? ['Its certificate ends soon and was not renewed.'] : []),
    ...(Math.abs(clockAheadSeconds) > CLOCK_DIFFERS_SECONDS ? ['Its clock, or ours, is wrong.'] : []),
  ];
  if (sentences.length === 0) return { severity: 'none', sentences };
  return { severity: notServing.length > 0 ? 'severe' : 'some', sentences };
}

/** A partition and a dead node look alike from here, and the sentence must not claim to know which it is. */
function absenceOf({ state, downReason }: MemberView): MemberTrouble {
  if (state === 'never-seen')
    return { severity: 'some', sentences: ['Not reached since this node started.'] };
  const why = downReason === undefined ? '' : `: ${downReason}`;
  return { severity: 'severe', sentences: [`Cannot be reached from here${why}.`] };
}
