import { describe, expect, it } from 'vitest';
import type { EndpointReport } from '../../../src/api/control-plane.ts';
import { createBoard } from '../../../src/health/board/board.ts';
import { DEFAULT_POOL_RULES } from '../../../src/health/board/board-endpoint.ts';
import { PushReports } from '../../../src/node/health/push-reports.ts';

const NOW_MS = Date.UTC(2026, 0, 1);
const source = { key: 'web/a', settings: { leaseSeconds: 30 } };

class Reporting {
  readonly reports = new PushReports('local');
  readonly board = createBoard([], [{ name: 'local', region: '' }]);
  nowMs = NOW_MS;

  constructor() {
    this.board.setEndpoints(
      [
        {
          key: 'web/a',
          slot: 0,
          pool: 'web',
          endpoint: 'a',
          dataCenter: 'fra',
          address: '192.0.2.1',
          probeAddress: undefined,
          monitor: 'job',
          check: {
            rule: { kind: 'source', key: 'web/a' },
            sources: [
              { key: 'web/a', monitor: 'job', target: 'push', counting: { kind: 'pushed', leaseMs: 30_000 } },
            ],
          },
          poolRules: DEFAULT_POOL_RULES,
        },
      ],
      NOW_MS,
    );
  }

  /** What came of the report: its lease's end, or how long to wait; and the verdict after it. */
  send(report: EndpointReport): string {
    const { outcome, observations } = this.reports.take([source], report, this.nowMs);
    for (const observation of observations) this.board.observe(observation, this.nowMs);
    const told =
      outcome.kind === 'taken'
        ? `until +${(Date.parse(outcome.leases[0]?.endsAt ?? '') - this.nowMs) / 1000} s`
        : `wait ${outcome.waitMs} ms`;
    return `${told}, ${this.board.health()[0]?.verdict}`;
  }
}

describe('reports', () => {
  it('become observations, each newer than the one before', () => {
    const reporting = new Reporting();
    const sent = [{ up: true }, { up: false, reason: 'queue full' }, { up: true, leaseSeconds: 5 }];
    expect(sent.map((report) => reporting.send(report))).toEqual([
      'until +30 s, up',
      'until +30 s, down',
      'until +5 s, up',
    ]);
    reporting.send({ up: false, reason: 'queue full', load: 9 });
    expect(reporting.board.health()[0]).toMatchObject({
      reason: 'It reports that it is down: queue full',
      lastResult: { reason: 'reported-down', evidence: { load: 9 } },
    });
    expect(reporting.board.loadOf('web/a')).toMatchObject({ load: 9, capacity: undefined });
  });

  it('are taken ten at once and ten a second, and no more', () => {
    const reporting = new Reporting();
    const outcomes = Array.from({ length: 11 }, () => reporting.send({ up: true }));
    expect(outcomes.slice(9)).toEqual(['until +30 s, up', 'wait 100 ms, up']);
    reporting.nowMs += 100;
    expect([reporting.send({ up: true }), reporting.send({ up: true })]).toEqual([
      'until +30 s, up',
      'wait 100 ms, up',
    ]);
  });

  it('of what is gone are forgotten', () => {
    const reporting = new Reporting();
    for (let count = 0; count < 11; count += 1) reporting.send({ up: true });
    reporting.reports.keepOnly(() => false);
    expect(reporting.send({ up: true })).toBe('until +30 s, up');
  });

  it('is taken when the clock was set back', () => {
    const reporting = new Reporting();
    reporting.send({ up: true });
    reporting.nowMs -= 3_600_000;
    expect(reporting.send({ up: true })).toBe('until +30 s, up');
  });
});
