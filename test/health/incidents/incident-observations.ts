import type { VerdictEvent } from '../../../src/health/incidents/timeline.ts';
import type { Observation } from '../../../src/health/observation.ts';

export const T0 = Date.parse('2026-01-01T00:00:00Z');

/** What a vantage says of an endpoint that does not answer; times in milliseconds after `T0`. */
export function failing(vantage: string, key: string, firstFailureMs: number, sinceMs: number): Observation {
  return {
    vantage,
    key,
    sequence: 1,
    verdict: 'down',
    sinceMs: T0 + sinceMs,
    successes: 0,
    failures: 2,
    firstFailureAtMs: T0 + firstFailureMs,
    heldDownUntilMs: undefined,
    latency: undefined,
    result: {
      ok: false,
      reason: 'unexpected-status',
      detail: `HTTP 503, seen from ${vantage}`,
      durationMs: 12,
      evidence: { status: 503 },
    },
    observedAtMs: T0 + sinceMs,
  };
}

/** What a vantage says of an endpoint that answers. */
export function answering(vantage: string, key: string): Observation {
  const result = {
    ok: true,
    reason: 'ok',
    detail: 'HTTP 200',
    durationMs: 9,
    evidence: { status: 200 },
  } as const;
  return {
    ...failing(vantage, key, 0, 0),
    verdict: 'up',
    failures: 0,
    successes: 3,
    firstFailureAtMs: undefined,
    result,
  };
}

/** A change of a verdict, decided at a time after `T0` and live 3 ms later. */
export function change(
  key: string,
  to: VerdictEvent['to'],
  atMs: number,
  observations: readonly Observation[] = [],
  from: VerdictEvent['from'] = to === 'up' ? 'down' : 'up',
): VerdictEvent {
  const decidedAtMs = T0 + atMs;
  return { key, from, to, reason: `It is ${to}.`, decidedAtMs, liveAtMs: decidedAtMs + 3, observations };
}
