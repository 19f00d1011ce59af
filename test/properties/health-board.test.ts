import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type BoardEndpoint, createBoard } from '../../src/health/board/board.ts';
import { DEFAULT_POOL_RULES, probedCheck } from '../../src/health/board/board-endpoint.ts';
import { type Damped, damp, type Thresholds, UNDAMPED } from '../../src/health/damp.ts';
import { Observer } from '../health/observer.ts';
import { failure, success } from '../health/results.ts';

const vantages = ['a', 'b', 'c'] as const;
const names = ['fra', 'ash', 'sin'] as const;
const verdictNames = ['unknown', 'up', 'down', 'drained'];

const steps = fc.array(
  fc.record({
    vantage: fc.constantFrom(...vantages),
    name: fc.constantFrom(...names),
    ok: fc.boolean(),
    afterMs: fc.integer({ min: 0, max: 3000 }),
  }),
  { maxLength: 60 },
);
const thresholds = fc.record({
  rise: fc.integer({ min: 1, max: 4 }),
  fall: fc.integer({ min: 1, max: 4 }),
  expiryMs: fc.integer({ min: 1, max: 10_000 }),
});

const seats = vantages.map((name) => ({ name, region: '' }));

function endpointsOf(limits: Thresholds): readonly BoardEndpoint[] {
  return names.map((name, slot) => ({
    key: `web/${name}`,
    slot,
    pool: 'web',
    endpoint: name,
    dataCenter: name,
    address: `192.0.2.${slot}`,
    probeAddress: undefined,
    monitor: 'http',
    check: probedCheck(`web/${name}`, `192.0.2.${slot}`, limits),
    poolRules: DEFAULT_POOL_RULES,
  }));
}

it('the octets that the board returns are always what its health says', () => {
  fc.assert(
    fc.property(thresholds, steps, (limits, observations) => {
      const board = createBoard([], seats);
      const observer = new Observer();
      const table = new Uint8Array(names.length);
      let nowMs = 0;
      for (const { slot, octet } of board.setEndpoints(endpointsOf(limits), nowMs)) table[slot] = octet;
      for (const { vantage, name, ok, afterMs } of observations) {
        nowMs += afterMs;
        const changes = [
          ...board.expire(nowMs).changes,
          ...board.observe(
            observer.observe(vantage, `web/${name}`, ok ? success : failure, limits, nowMs),
            nowMs,
          ),
        ];
        for (const { slot, octet } of changes) table[slot] = octet;
        const told = board.health().map((one) => `${one.verdict} ${one.lastKnownUp}`);
        const stored = Array.from(table, (octet) => `${verdictNames[octet & 3]} ${(octet & 4) !== 0}`);
        expect(stored).toEqual(told);
        // A pool in which one is up marks exactly those that are.
        const health = board.health();
        if (health.some((one) => one.verdict === 'up')) {
          expect(health.map((one) => one.lastKnownUp)).toEqual(health.map((one) => one.verdict === 'up'));
        }
      }
    }),
    { numRuns: 200 },
  );
});

it('a verdict depends on each vantage alone, not on how their results interleave', () => {
  const long = { rise: 2, fall: 2, expiryMs: 1_000_000 };
  fc.assert(
    fc.property(steps, (observations) => {
      // Odd votes cannot be divided, so no earlier verdict can shine through once all three have decided.
      const decided = vantages.flatMap((vantage) =>
        names.map((name) => ({ vantage, name, ok: true, afterMs: 0 })),
      );
      const all = [...decided, ...observations];
      const byVantage = vantages.flatMap((vantage) => all.filter((one) => one.vantage === vantage));
      const verdicts = [all, byVantage].map((order) => {
        const board = createBoard([], seats);
        board.setEndpoints(endpointsOf(long), 0);
        const observer = new Observer();
        for (const { vantage, name, ok } of order)
          board.observe(observer.observe(vantage, `web/${name}`, ok ? success : failure, long, 1), 1);
        return board.health().map((one) => one.verdict);
      });
      expect(verdicts[0]).toEqual(verdicts[1]);
    }),
    { numRuns: 200 },
  );
});

it('fewer than `fall` failures in a row never take an endpoint down', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 5 }), fc.array(fc.boolean(), { maxLength: 50 }), (fall, word) => {
      let state: Damped = UNDAMPED;
      let failures = 0;
      for (const drawn of word) {
        const ok = drawn || failures === fall - 1;
        failures = ok ? 0 : failures + 1;
        state = damp(state, ok ? success : failure, { rise: 1, fall, expiryMs: 1 }, 0);
        expect(state.verdict).not.toBe('down');
      }
    }),
    { numRuns: 200 },
  );
});
