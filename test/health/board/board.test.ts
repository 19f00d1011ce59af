import { describe, expect, it } from 'vitest';
import { MAX_HEALTH_EVENTS } from '../../../src/health/board/board.ts';
import { probedCheck } from '../../../src/health/board/board-endpoint.ts';
import { failure, resultsOf, success } from '../results.ts';
import { ash, endpoint, fra, NOW_MS, overrideOf, Scene, thresholds } from '../scene.ts';

describe('verdicts', () => {
  it('are unknown before the first result', () => {
    expect(new Scene(fra, ash).verdicts).toBe('??');
  });

  it('are up without a monitor', () => {
    const scene = new Scene(endpoint('fra', 1, { monitor: undefined, check: undefined }), ash);
    expect(scene.verdicts).toBe('u?');
    expect(scene.probe('fra', 'ff')).toBe(0);
    expect(scene.verdicts).toBe('u?');
  });

  it('follow the probes, and return an octet only when it changes', () => {
    const scene = new Scene(fra, ash);
    expect(scene.probe('fra', 's')).toBe(1);
    expect(scene.probe('fra', 'sss')).toBe(0);
    expect(scene.probe('fra', 'f')).toBe(0);
    expect(scene.verdicts).toBe('u?');
    expect(scene.probe('fra', 'f')).toBe(1);
    expect(scene.verdicts).toBe('d?');
  });

  it('ignore results for endpoints that are not on the board', () => {
    const scene = new Scene(fra);
    expect(scene.probe('gone', 'ff')).toBe(0);
  });

  it('survive a change of thresholds, which count from the next result', () => {
    const scene = new Scene(fra, ash);
    scene.probe('fra', 'sf');
    scene.limits = { ...thresholds, fall: 4 };
    scene.set(endpoint('fra', 1, { check: probedCheck('web/fra', '192.0.2.1', scene.limits) }), ash);
    expect(scene.verdicts).toBe('u?');
    scene.probe('fra', 'ff');
    expect(scene.verdicts).toBe('u?');
    scene.probe('fra', 'f');
    expect(scene.verdicts).toBe('d?');
  });

  it('go by the newest that a vantage has said, whatever order it comes in', () => {
    const scene = new Scene(fra, ash);
    const [first, second] = resultsOf('sf').map((result) =>
      scene.observer.observe('here', 'web/fra', result, { ...thresholds, fall: 1 }, NOW_MS),
    );
    if (first === undefined || second === undefined) throw new Error('two observations');
    scene.store(scene.board.observe(second, NOW_MS));
    scene.store(scene.board.observe(first, NOW_MS));
    scene.store(scene.board.observe(second, NOW_MS));
    expect(scene.verdicts).toBe('d?');
  });

  it.each([
    { name: 'address', given: { address: '192.0.2.77' } },
    { name: 'probe address', given: { probeAddress: '192.0.2.78' } },
  ])('are unknown again when the $name moves', ({ given }) => {
    const scene = new Scene(fra, ash);
    scene.probe('fra', 's');
    scene.set(endpoint('fra', 1, given), ash);
    scene.observer.forget('web/fra');
    expect(scene.verdicts).toBe('??');
    expect(scene.lastKnown).toBe('--');
    scene.probe('fra', 'f');
    expect(scene.verdicts).toBe('??');
  });

  it('are up when the monitor goes, and unknown when one comes', () => {
    const scene = new Scene(fra, ash);
    scene.probe('fra', 'ff');
    scene.set(endpoint('fra', 1, { monitor: undefined, check: undefined }), ash);
    expect(scene.verdicts).toBe('u?');
    scene.set(fra, ash);
    expect(scene.verdicts).toBe('??');
  });

  it('move with their endpoint to another slot, and vacated slots are unknown', () => {
    const scene = new Scene(fra, ash);
    scene.probe('fra', 's');
    scene.probe('ash', 'ff');
    scene.set(endpoint('fra', 2, { address: fra.address }));
    expect(scene.verdicts).toBe('?u');
    scene.set();
    expect(scene.verdicts).toBe('??');
  });
});

describe('several vantages', () => {
  function threeVantages(): Scene {
    const scene = new Scene(fra, ash);
    scene.seat('a', 'b', 'c');
    return scene;
  }

  it('decide by majority', () => {
    const scene = threeVantages();
    for (const vantage of ['a', 'b', 'c']) scene.probe('fra', 's', vantage);
    scene.probe('fra', 'ff', 'a');
    expect(scene.verdicts).toBe('u?');
    scene.probe('fra', 'ff', 'b');
    expect(scene.verdicts).toBe('d?');
  });

  it('decide nothing before more than half are heard', () => {
    const scene = threeVantages();
    scene.probe('fra', 's', 'a');
    expect(scene.verdicts).toBe('??');
    expect(scene.health('fra')).toMatchObject({ basis: 'no-quorum', stale: false });
    scene.probe('fra', 's', 'b');
    expect(scene.verdicts).toBe('u?');
  });

  it('lose their vote when they fall silent, and too few change nothing', () => {
    const scene = threeVantages();
    for (const vantage of ['a', 'b']) scene.probe('fra', 's', vantage);
    scene.pass(2000);
    scene.probe('fra', 'ff', 'c');
    expect(scene.verdicts).toBe('u?');
    expect(scene.pass(2000)).toBe(scene.nowMs - 2000 + thresholds.expiryMs);
    expect(scene.verdicts).toBe('u?');
    expect(scene.health('fra')).toMatchObject({ basis: 'no-quorum', stale: true });
    expect(scene.health('fra')?.reason).toMatch(/^Too few vantages can be heard/);
    expect(scene.health('fra')?.vantages.map((one) => one.fresh)).toEqual([false, false, true]);
    expect(scene.board.problems()).toEqual([
      expect.objectContaining({ code: 'no-quorum', path: 'pools/web' }),
    ]);
    scene.probe('fra', 'ff', 'b');
    expect(scene.verdicts).toBe('d?');
    expect(scene.board.problems()).toEqual([]);
  });

  it('have no vote without a seat, and take it up when they get one', () => {
    const scene = new Scene(fra, ash);
    for (const vantage of ['a', 'b']) scene.probe('fra', 's', vantage);
    expect(scene.verdicts).toBe('??');
    expect(scene.health('fra')?.vantages).toMatchObject([{ votes: false }, { votes: false }]);
    scene.seat('a', 'b');
    expect(scene.verdicts).toBe('u?');
  });

  it('count by the weight of their region where the monitor says so', () => {
    const scene = new Scene();
    const check = probedCheck('web/fra', '192.0.2.1', thresholds);
    const weighted = check.sources.map((source) => ({
      ...source,
      counting: {
        kind: 'probed',
        thresholds,
        quorum: { kind: 'weighted', regions: { eu: 3 } },
        vantages: 5,
      } as const,
    }));
    scene.set(endpoint('fra', 1, { check: { ...check, sources: weighted } }));
    scene.store(
      scene.board.setSeats(
        [{ name: 'a', region: 'eu' }, ...['b', 'c'].map((name) => ({ name, region: '' }))],
        0,
      ),
    );
    for (const vantage of ['b', 'c']) scene.probe('fra', 'ff', vantage);
    expect(scene.verdicts).toBe('??');
    scene.probe('fra', 's', 'a');
    expect(scene.verdicts).toBe('u?');
  });

  it('keep the last verdict when all are silent, and say so', () => {
    const scene = new Scene(fra, ash);
    scene.probe('fra', 's');
    expect(scene.health('fra')).toMatchObject({ verdict: 'up', stale: false });
    expect(scene.pass(thresholds.expiryMs)).toBeUndefined();
    expect(scene.health('fra')).toMatchObject({ verdict: 'up', stale: true });
    scene.probe('fra', 's');
    expect(scene.health('fra')?.stale).toBe(false);
  });

  it('do not renew a vote by a failure of their own', () => {
    const scene = new Scene(fra, ash);
    scene.probe('fra', 's');
    scene.pass(thresholds.expiryMs - 200);
    scene.probe('fra', 'ii');
    expect(scene.health('fra')).toMatchObject({ verdict: 'up', stale: true });
  });
});

describe('overrides', () => {
  it('outrank the probes and give way when they go', () => {
    const scene = new Scene(fra, ash);
    scene.probe('fra', 's');
    scene.override(overrideOf('down', 'fra'));
    expect(scene.verdicts).toBe('d?');
    expect(scene.health('fra')).toMatchObject({
      verdict: 'down',
      probed: 'up',
      override: { reason: 'maintenance' },
    });
    scene.override(overrideOf('drain', 'fra'));
    expect(scene.verdicts).toBe('x?');
    scene.override();
    expect(scene.verdicts).toBe('u?');
  });

  it('end by themselves, at a time that is known', () => {
    const scene = new Scene(fra, ash);
    scene.override(overrideOf('up', 'fra', '2030-01-01T12:00:10Z'));
    expect(scene.pass(9999)).toBe(NOW_MS + 10_000);
    expect(scene.verdicts).toBe('u?');
    expect(scene.pass(1)).toBeUndefined();
    expect(scene.verdicts).toBe('??');
    expect(scene.health('fra')?.override).toBeUndefined();
  });

  it('hold for endpoints that come later', () => {
    const scene = new Scene(ash);
    scene.override(overrideOf('drain', 'fra'));
    scene.set(fra, ash);
    expect(scene.verdicts).toBe('x?');
  });

  it('let probes go on behind them', () => {
    const scene = new Scene(fra, ash);
    scene.probe('fra', 's');
    scene.override(overrideOf('up', 'fra'));
    scene.probe('fra', 'ff');
    expect(scene.verdicts).toBe('u?');
    scene.override();
    expect(scene.verdicts).toBe('d?');
  });
});

describe('last known', () => {
  it('marks those that were up when last any was', () => {
    const scene = new Scene(fra, ash);
    scene.probe('fra', 's');
    scene.probe('ash', 's');
    expect(scene.lastKnown).toBe('kk');
    scene.probe('fra', 'ff');
    expect(scene.lastKnown).toBe('-k');
    scene.probe('ash', 'ff');
    expect([scene.verdicts, scene.lastKnown]).toEqual(['dd', '-k']);
    scene.probe('fra', 'ss');
    expect([scene.verdicts, scene.lastKnown]).toEqual(['ud', 'k-']);
  });

  it('is each pool by itself', () => {
    const scene = new Scene(fra, endpoint('ash', 2, { pool: 'mail' }));
    scene.probe('fra', 's');
    scene.probe('ash', 'sff');
    expect([scene.verdicts, scene.lastKnown]).toEqual(['ud', 'kk']);
  });
});

describe('what is told', () => {
  it('has everything of an endpoint', () => {
    const scene = new Scene(endpoint('fra', 1, { probeAddress: '198.51.100.1' }));
    scene.probe('fra', 'sff');
    expect(scene.health('fra')).toEqual({
      key: 'web/fra',
      pool: 'web',
      endpoint: 'fra',
      dataCenter: 'fra',
      address: '192.0.2.1',
      probeAddress: '198.51.100.1',
      monitor: 'http',
      verdict: 'down',
      since: '2030-01-01T12:00:00.300Z',
      reason: `2 failures in a row: ${failure.detail}`,
      probed: 'down',
      basis: 'quorum',
      stale: false,
      rememberedFrom: undefined,
      unknown: 'last-resort',
      held: undefined,
      lastKnownUp: true,
      lastResult: { vantage: 'here', at: '2030-01-01T12:00:00.300Z', ...failure },
      consecutiveSuccesses: 0,
      consecutiveFailures: 2,
      vantages: [
        { vantage: 'here', verdict: 'down', at: '2030-01-01T12:00:00.300Z', fresh: true, votes: true },
      ],
      parts: [],
      override: undefined,
    });
  });

  it('gives a reason that fits the verdict, whatever was written or probed since', () => {
    const scene = new Scene(fra);
    const reasons: (string | undefined)[] = [];
    const tell = (): number => reasons.push(scene.health('fra')?.reason);
    tell();
    scene.probe('fra', 'f');
    tell();
    scene.probe('fra', 'sf');
    scene.set(fra);
    tell();
    scene.probe('fra', 'f');
    tell();
    scene.probe('fra', 's');
    scene.override(overrideOf('up', 'fra'));
    scene.override();
    tell();
    expect(reasons).toEqual([
      'No probe has reported yet.',
      `Still unknown after 1 failure in a row: ${failure.detail}`,
      `Still up after 1 failure in a row: ${failure.detail}`,
      `2 failures in a row: ${failure.detail}`,
      `Still down after 1 success in a row: ${success.detail}`,
    ]);
  });

  it('lists changes of verdict, newest first', () => {
    const scene = new Scene(fra, ash);
    scene.probe('fra', 'sff');
    scene.override(overrideOf('drain', 'ash'));
    expect(
      scene.board.events().map(({ key, from, to, reason }) => `${key} ${from} ${to}: ${reason}`),
    ).toEqual([
      'web/ash unknown drained: Override drain-ash drains it: maintenance',
      `web/fra up down: 2 failures in a row: ${failure.detail}`,
      `web/fra unknown up: 1 success in a row: ${success.detail}`,
    ]);
  });

  it('forgets the oldest changes', () => {
    const scene = new Scene(fra);
    scene.probe('fra', 'ssff'.repeat(MAX_HEALTH_EVENTS));
    expect(scene.board.events()).toHaveLength(MAX_HEALTH_EVENTS);
  });
});
