import type { ProbeResult } from '../probe-result.ts';
import type { ProbedVerdict, Verdict } from '../verdict.ts';

/** How much an incident matters; from least to most. */
export const severities = ['info', 'warning', 'critical'] as const;

export type Severity = (typeof severities)[number];

/**
 * An endpoint, or a data center as a whole, out of service: from the change that took it out to the one that brought
 * it back. Times are milliseconds since the epoch; those of a vantage are by its own clock.
 *
 *     first failed probe .. vantages' verdicts .. consensus .. live on each node .. last stale answer gone .. recovery
 */
export interface Incident {
  /** Unique on a node, and sorted by time: `1767225600000.web.fra-v4`, or `1767225600000.fra` of a data center. */
  readonly id: string;
  readonly kind: 'endpoint' | 'data-center';
  /** The highest it had: `critical` for a data center lost to failures, `info` for what an operator has drained. */
  readonly severity: Severity;
  /** `closed` when it is up again; `removed` when it has left the configuration. */
  readonly state: 'open' | 'closed' | 'removed';
  readonly dataCenter: string;
  /** The pool of the endpoint, or the pools that the data center serves. */
  readonly pools: readonly string[];
  /** Undefined for a data center. */
  readonly endpoint: string | undefined;
  /** The verdict it has or, once closed, last had while it was out of service. */
  readonly verdict: Verdict;
  /** One sentence. */
  readonly reason: string;
  readonly openedAtMs: number;
  readonly closedAtMs: number | undefined;
  /** Undefined where no failed probe led to it. */
  readonly firstFailureAtMs: number | undefined;
  /** When the vantages' verdicts, or an override, became the verdict that answers go by. */
  readonly decidedAtMs: number;
  /** When queries were answered by it, by node. */
  readonly live: readonly LiveNode[];
  /**
   * For how long resolvers might keep the last answers with it: the largest TTL of the steered names that answer with
   * it, or what was left of a larger one from shortly before.
   */
  readonly ttlSeconds: number;
  /** When the last resolver that honours TTLs has let go of it: the last `live`, and the TTL. */
  readonly staleGoneAtMs: number;
  /** What each vantage said and saw; empty for a data center, whose members have it. */
  readonly vantages: readonly VantageEvidence[];
  /** Later changes of its verdict while it was open, oldest first. */
  readonly changes: readonly IncidentChange[];
  /** Of an endpoint: the incident of its data center that it belongs to. */
  readonly partOf: string | undefined;
  /** Of a data center: the incidents of its endpoints, at most `MAX_MEMBERS`. */
  readonly members: readonly string[];
  /** Of a data center: how many endpoints it has. */
  readonly memberCount: number;
}

export interface LiveNode {
  readonly node: string;
  readonly atMs: number;
}

export interface VantageEvidence {
  readonly vantage: string;
  readonly verdict: ProbedVerdict;
  /** When the vantage took this verdict. */
  readonly sinceMs: number;
  readonly firstFailureAtMs: number | undefined;
  /** Failures in a row. */
  readonly failures: number;
  readonly observedAtMs: number;
  /** The probe it went by: status, error, timing, certificate. */
  readonly result: ProbeResult;
}

interface IncidentChange {
  readonly atMs: number;
  readonly from: Verdict;
  readonly to: Verdict;
  readonly reason: string;
}

/** One line of an incident's timeline. */
export interface TimelineStep {
  readonly atMs: number;
  readonly step:
    | 'first-failure'
    | 'vantage'
    | 'decided'
    | 'live'
    | 'changed'
    | 'stale-gone'
    | 'recovered'
    | 'removed';
  /** Of `first-failure` and `vantage`. */
  readonly vantage: string | undefined;
  /** Of `live`. */
  readonly node: string | undefined;
  /** One sentence. */
  readonly text: string;
}

/** Seconds from the first failed probe to the first answers without it; undefined where no failed probe led to it. */
export function failoverSeconds({ firstFailureAtMs, live }: Incident): number | undefined {
  const first = live[0];
  if (firstFailureAtMs === undefined || first === undefined) return undefined;
  // The vantage's clock may be ahead of ours.
  return Math.max(0, first.atMs - firstFailureAtMs) / 1000;
}

/** What happened, in the order of time. */
export function timelineOf(incident: Incident): readonly TimelineStep[] {
  const { vantages, live, changes, closedAtMs, ttlSeconds, staleGoneAtMs } = incident;
  const steps: TimelineStep[] = [];
  const add = (
    atMs: number,
    step: TimelineStep['step'],
    text: string,
    at: Partial<TimelineStep> = {},
  ): void => {
    steps.push({ vantage: undefined, node: undefined, ...at, atMs, step, text });
  };
  const first = firstToFail(vantages);
  if (incident.firstFailureAtMs !== undefined) {
    const text =
      first === undefined ? 'The first probe failed.' : `The first probe failed, at ${first.vantage}.`;
    add(incident.firstFailureAtMs, 'first-failure', text, { vantage: first?.vantage });
  }
  for (const { vantage, verdict, sinceMs, result } of vantages)
    add(sinceMs, 'vantage', `${vantage} says ${verdict}: ${result.detail}`, { vantage });
  add(incident.decidedAtMs, 'decided', incident.reason);
  for (const { node, atMs } of live) add(atMs, 'live', `${node} answers by it.`, { node });
  for (const { atMs, from, to, reason } of changes) add(atMs, 'changed', `From ${from} to ${to}: ${reason}`);
  if (live.length > 0) add(staleGoneAtMs, 'stale-gone', staleText(incident, ttlSeconds));
  if (closedAtMs !== undefined && incident.state === 'removed')
    add(closedAtMs, 'removed', 'It left the configuration.');
  if (closedAtMs !== undefined && incident.state === 'closed')
    add(closedAtMs, 'recovered', 'It is up again.');
  // Steps of the same moment stay in the order in which one leads to the next.
  return steps.sort((one, other) => one.atMs - other.atMs);
}

function firstToFail(vantages: readonly VantageEvidence[]): VantageEvidence | undefined {
  const failed = vantages.filter(({ verdict, firstFailureAtMs }) => verdict === 'down' && firstFailureAtMs);
  return failed.sort((one, other) => (one.firstFailureAtMs ?? 0) - (other.firstFailureAtMs ?? 0))[0];
}

function staleText({ closedAtMs, staleGoneAtMs, verdict }: Incident, ttlSeconds: number): string {
  if (closedAtMs !== undefined && closedAtMs < staleGoneAtMs)
    return `Its last answers would have ended by their TTL of ${ttlSeconds} s; it was back before.`;
  const ends = `The last answers with it end by their TTL of ${ttlSeconds} s`;
  return verdict === 'drained' ? `${ends}: it is safe to reboot, unless all else is down.` : `${ends}.`;
}
