import type { EndpointReport, ReportOutcome } from '../../api/control-plane.ts';
import type { Observation } from '../../health/observation.ts';
import type { PushSource } from '../../health/push-sources.ts';

/** Reports of one endpoint that are taken in a second, and how many at once: ten times what a tight loop needs. */
const MAX_REPORTS_PER_SECOND = 10;
const REPORT_GAP_MS = 1000 / MAX_REPORTS_PER_SECOND;
const BURST_MS = 1000;

/** What is known of the reports under one key. */
interface Reporter {
  /** Of the last observation. */
  sequence: number;
  /** When the reports that were taken would have been due at the highest rate, in milliseconds since the epoch. */
  dueMs: number;
  up: boolean;
  sinceMs: number;
  row: number;
  firstFailureAtMs: number | undefined;
}

/**
 * Turns what endpoints report of themselves into observations, as if this node had probed them.
 *
 *     report --(rate)--> one observation for every monitor that waits for it --> board
 */
export class PushReports {
  readonly #vantage: string;
  readonly #reporters = new Map<string, Reporter>();

  /** `vantage` is the name under which this node's own observations count. */
  constructor(vantage: string) {
    this.#vantage = vantage;
  }

  /** What a report comes to; nothing of it is taken where one of its sources has had too many. */
  take(
    sources: readonly PushSource[],
    report: EndpointReport,
    nowMs: number,
  ): { readonly outcome: ReportOutcome; readonly observations: readonly Observation[] } {
    const waitMs = Math.max(
      ...sources.map(({ key }) => this.#dueMs(key, nowMs) - nowMs - BURST_MS + REPORT_GAP_MS),
    );
    if (waitMs > 0) return { outcome: { kind: 'too-soon', waitMs }, observations: [] };
    const leases = sources.map(({ key, settings }) => ({
      key,
      leaseMs: (report.leaseSeconds ?? settings.leaseSeconds) * 1000,
    }));
    return {
      outcome: {
        kind: 'taken',
        leases: leases.map(({ key, leaseMs }) => ({ key, endsAt: new Date(nowMs + leaseMs).toISOString() })),
      },
      observations: leases.map(({ key, leaseMs }) => this.#observe(key, leaseMs, report, nowMs)),
    };
  }

  /** Forgets what is no longer there. */
  keepOnly(isThere: (key: string) => boolean): void {
    for (const key of this.#reporters.keys()) if (!isThere(key)) this.#reporters.delete(key);
  }

  /** What is further away than any report can bring it was written down before the clock was set back. */
  #dueMs(key: string, nowMs: number): number {
    const dueMs = this.#reporters.get(key)?.dueMs ?? nowMs;
    return dueMs > nowMs + BURST_MS + REPORT_GAP_MS ? nowMs : dueMs;
  }

  #observe(key: string, leaseMs: number, report: EndpointReport, nowMs: number): Observation {
    const { up, reason, load, capacity } = report;
    const before = this.#reporters.get(key);
    const same = before !== undefined && before.up === up;
    const reporter: Reporter = {
      // The first of a run begins at the time, so that it comes after all that an earlier run has said.
      sequence: before === undefined ? Math.floor(nowMs) : before.sequence + 1,
      dueMs: Math.max(this.#dueMs(key, nowMs), nowMs) + REPORT_GAP_MS,
      up,
      sinceMs: same ? before.sinceMs : nowMs,
      row: same ? before.row + 1 : 1,
      firstFailureAtMs: up ? undefined : same ? before.firstFailureAtMs : nowMs,
    };
    this.#reporters.set(key, reporter);
    const said = reason === undefined ? '' : `: ${reason}`;
    return {
      vantage: this.#vantage,
      key,
      sequence: reporter.sequence,
      verdict: up ? 'up' : 'down',
      sinceMs: reporter.sinceMs,
      successes: up ? reporter.row : 0,
      failures: up ? 0 : reporter.row,
      firstFailureAtMs: reporter.firstFailureAtMs,
      heldDownUntilMs: undefined,
      latency: undefined,
      result: {
        ok: up,
        reason: up ? 'ok' : 'reported-down',
        detail: `It reports that it is ${up ? 'up' : 'down'}${said}`,
        durationMs: 0,
        evidence: {
          ...(load === undefined ? {} : { load }),
          ...(capacity === undefined ? {} : { capacity }),
        },
      },
      observedAtMs: nowMs,
      report: { leaseMs, load, capacity },
    };
  }
}
