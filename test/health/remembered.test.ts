import { describe, expect, it } from 'vitest';
import { type BoardEndpoint, createBoard } from '../../src/health/board/board.ts';
import { DEFAULT_POOL_RULES, probedCheck } from '../../src/health/board/board-endpoint.ts';
import { probeTarget, type RememberedVerdict } from '../../src/health/remembered-verdict.ts';
import { Observer } from './observer.ts';
import { success } from './results.ts';

const endpoint: BoardEndpoint = {
  key: 'web/fra',
  slot: 0,
  pool: 'web',
  endpoint: 'fra',
  dataCenter: 'fra',
  address: '192.0.2.1',
  probeAddress: undefined,
  monitor: 'web',
  check: probedCheck('web/fra', '192.0.2.1', { rise: 2, fall: 2, expiryMs: 10_000 }),
  poolRules: DEFAULT_POOL_RULES,
};

const down: RememberedVerdict = {
  key: 'web/fra',
  verdict: 'down',
  target: probeTarget(endpoint),
  sinceMs: Date.UTC(2026, 0, 1),
  lastKnownUp: true,
  knownAtMs: Date.UTC(2026, 0, 1, 23, 59),
};

const seats = [{ name: 'local', region: '' }];

const NOW_MS = Date.UTC(2026, 0, 2);

describe('a board that remembers', () => {
  const cases = [
    { name: 'takes the verdict over', remembered: [down], given: endpoint, want: 'down' },
    {
      name: 'knows nothing of another endpoint',
      remembered: [{ ...down, key: 'web/sin' }],
      given: endpoint,
      want: 'unknown',
    },
    {
      name: 'knows nothing of another address',
      remembered: [{ ...down, target: '192.0.2.9 ' }],
      given: endpoint,
      want: 'unknown',
    },
    {
      name: 'has no use for it where nothing checks',
      remembered: [down],
      given: { ...endpoint, monitor: undefined, check: undefined },
      want: 'up',
    },
  ];
  it.each(cases)('$name', ({ remembered, given, want }) => {
    const board = createBoard(remembered, seats);
    board.setEndpoints([given], NOW_MS);
    expect(board.health()[0]?.verdict).toBe(want);
  });

  it('keeps since when, says where it is from, and yields to the first success', () => {
    const board = createBoard([down], seats);
    board.setEndpoints([endpoint], NOW_MS);
    expect(board.health()[0]).toMatchObject({ since: '2026-01-01T00:00:00.000Z', stale: true });
    expect(board.health()[0]?.reason).toMatch(/As it was 60 s ago, when this node last ran/);
    expect(board.health()[0]?.rememberedFrom).toBe('2026-01-01T23:59:00.000Z');
    const thresholds = { rise: 2, fall: 2, expiryMs: 10_000 };
    board.observe(new Observer().observe('local', 'web/fra', success, thresholds, NOW_MS + 1), NOW_MS + 1);
    expect(board.health()[0]).toMatchObject({ verdict: 'up', rememberedFrom: undefined });
  });

  it('does not remember for an endpoint that is made anew later', () => {
    const board = createBoard([down], seats);
    board.setEndpoints([], NOW_MS);
    board.setEndpoints([endpoint], NOW_MS + 1);
    expect(board.health()[0]?.verdict).toBe('unknown');
  });
});
