import { describe, expect, it } from 'vitest';
import type { GuardRails, UnknownRule } from '../../../src/config/resources/pool.ts';
import type { BoardEndpoint } from '../../../src/health/board/board.ts';
import {
  type BoardCheck,
  DEFAULT_POOL_RULES,
  probedCheck,
} from '../../../src/health/board/board-endpoint.ts';
import type { Observation } from '../../../src/health/observation.ts';
import { failure, success } from '../results.ts';
import { endpoint, overrideOf, Scene, thresholds } from '../scene.ts';

const names = ['a', 'b', 'c', 'd', 'e'] as const;

function pool(rules: Partial<BoardEndpoint['poolRules']> = {}): readonly BoardEndpoint[] {
  return names.map((name, index) =>
    endpoint(name, index + 1, { poolRules: { ...DEFAULT_POOL_RULES, ...rules } }),
  );
}

/** Verdicts of `a` to `e` as the table has them. */
function verdictsOf({ table }: Scene): string {
  return Array.from(table.subarray(1, 6), (octet) => '?udx'.charAt(octet & 0b11)).join('');
}

function codesOf({ board }: Scene): readonly string[] {
  return board.problems().map(({ code, path }) => `${code} ${path}`);
}

describe('a vantage that sees nothing', () => {
  function cutOff(): Scene {
    const scene = new Scene(...pool());
    scene.seat('x', 'y', 'z');
    for (const vantage of ['x', 'y', 'z']) for (const name of names) scene.probe(name, 's', vantage);
    for (const name of names) scene.probe(name, 'ff', 'z');
    return scene;
  }

  it('is suspect, and has no seat', () => {
    const scene = cutOff();
    expect(verdictsOf(scene)).toBe('uuuuu');
    expect(scene.board.vantages()).toEqual([
      { vantage: 'x', region: '', up: 5, down: 0, suspect: false, away: false },
      { vantage: 'y', region: '', up: 5, down: 0, suspect: false, away: false },
      { vantage: 'z', region: '', up: 0, down: 5, suspect: true, away: false },
    ]);
    expect(codesOf(scene)).toEqual(['suspect-vantage vantages/z']);
    expect(scene.health('a')?.vantages.map(({ vantage, votes }) => `${vantage} ${votes}`)).toEqual([
      'x true',
      'y true',
      'z false',
    ]);
  });

  it('does not give its vote to one that errs in one thing', () => {
    const scene = cutOff();
    scene.probe('a', 'ff', 'y');
    expect(verdictsOf(scene)).toBe('uuuuu');
    expect(scene.health('a')).toMatchObject({ verdict: 'up', basis: 'divided', stale: true });
    scene.probe('a', 'ff', 'x');
    expect(verdictsOf(scene)).toBe('duuuu');
  });

  it('is believed when it is no longer alone with it', () => {
    const scene = cutOff();
    for (const name of names) scene.probe(name, 'ff', 'y');
    expect(verdictsOf(scene)).toBe('ddddd');
    expect(codesOf(scene)).toEqual([]);
  });

  it('is believed again when it sees again', () => {
    const scene = cutOff();
    for (const name of ['a', 'b', 'c']) scene.probe(name, 'ss', 'z');
    expect(codesOf(scene)).toEqual([]);
    scene.probe('d', 'ff', 'x');
    expect(verdictsOf(scene)).toBe('uuudu');
  });

  it('is no longer counted where it has fallen silent, nor where endpoints go', () => {
    const scene = cutOff();
    scene.set(...pool().slice(0, 2));
    expect(scene.board.vantages().map(({ up, down }) => `${up}/${down}`)).toEqual(['2/0', '2/0', '0/2']);
    expect(codesOf(scene)).toEqual([]);
    scene.pass(thresholds.expiryMs);
    expect(scene.board.vantages().map(({ up, down }) => `${up}/${down}`)).toEqual(['0/0', '0/0', '0/0']);
  });
});

describe('guard rails', () => {
  function railed(guardRails: GuardRails): Scene {
    const scene = new Scene(...pool({ guardRails }));
    for (const name of names) scene.probe(name, 's');
    return scene;
  }

  it('hold the last that fell, say so, and let go when others are back', () => {
    const scene = railed({ minimumUp: 3 });
    for (const name of ['a', 'b', 'c']) scene.probe(name, 'ff');
    expect(verdictsOf(scene)).toBe('dduuu');
    expect(scene.health('c')).toMatchObject({
      verdict: 'up',
      probed: 'down',
      held: { rail: 'minimumUp', instead: 'down' },
    });
    expect(scene.health('c')?.reason).toMatch(
      /^A guard rail of the pool web \(3 endpoints stay up\) keeps it in service, where it would be down: 2 failures/,
    );
    expect(codesOf(scene)).toEqual(['guard-rail pools/web/guardRails']);
    scene.probe('a', 'ss');
    expect(verdictsOf(scene)).toBe('udduu');
    expect(codesOf(scene)).toEqual([]);
  });

  it('hold overrides as well, but for those with break-glass', () => {
    const scene = railed({ maxLostDataCenters: 1 });
    scene.probe('a', 'ff');
    scene.override(overrideOf('drain', 'b'));
    expect(verdictsOf(scene)).toBe('duuuu');
    expect(scene.health('b')).toMatchObject({ verdict: 'up', held: { instead: 'drained' } });
    scene.override({ ...overrideOf('drain', 'b'), breakGlass: true });
    expect(verdictsOf(scene)).toBe('dxuuu');
    expect(codesOf(scene)).toEqual([]);
    scene.override(overrideOf('drain', 'b'));
    expect(verdictsOf(scene)).toBe('duuuu');
  });

  it('never let a pool go empty', () => {
    const scene = railed({ minimumUp: 1 });
    for (const name of names) scene.probe(name, 'ff');
    expect(verdictsOf(scene)).toBe('ddddu');
  });
});

describe('an endpoint without a verdict', () => {
  const cases: readonly { readonly unknown: UnknownRule; readonly want: string }[] = [
    { unknown: 'last-resort', want: 'u????' },
    { unknown: 'serve', want: 'uuuuu' },
    { unknown: 'withhold', want: 'udddd' },
  ];
  it.each(cases)('is answered as its pool says: $unknown', ({ unknown, want }) => {
    const scene = new Scene(...pool({ unknown }));
    scene.probe('a', 's');
    expect(verdictsOf(scene)).toBe(want);
    expect(scene.health('b')).toMatchObject({ verdict: 'unknown', unknown });
  });
});

describe('a composed check', () => {
  const source = (key: string): BoardCheck['sources'][number] => ({
    key,
    monitor: 'tcp',
    target: '192.0.2.9',
    counting: { kind: 'probed', thresholds, quorum: { kind: 'majority' }, vantages: 5 },
  });
  const both: BoardCheck = {
    rule: {
      kind: 'at-least',
      count: 2,
      of: [
        { kind: 'source', key: 'web/a@tcp' },
        { kind: 'source', key: 'web/b' },
      ],
    },
    sources: [source('web/a@tcp'), { ...source('web/b'), target: '192.0.2.2' }],
  };

  function composed(): Scene {
    return new Scene(endpoint('a', 1, { check: both }), endpoint('b', 2));
  }

  it('follows its parts at once', () => {
    const scene = composed();
    scene.probe('a@tcp', 's');
    expect(verdictsOf(scene).slice(0, 2)).toBe('??');
    scene.probe('b', 's');
    expect(verdictsOf(scene).slice(0, 2)).toBe('uu');
    scene.probe('b', 'ff');
    expect(verdictsOf(scene).slice(0, 2)).toBe('dd');
    expect(scene.health('a')).toMatchObject({
      reason: 'Of its composed check web/b is down, web/a@tcp is up.',
      vantages: [],
      parts: [
        { key: 'web/a@tcp', verdict: 'up', basis: 'quorum' },
        { key: 'web/b', verdict: 'down', basis: 'quorum' },
      ],
    });
  });

  it('goes by what probes say of another endpoint, whatever an override says of it', () => {
    const scene = composed();
    scene.probe('a@tcp', 's');
    scene.probe('b', 's');
    scene.override(overrideOf('down', 'b'));
    expect(verdictsOf(scene).slice(0, 2)).toBe('ud');
  });

  it('keeps its verdict while nothing decides', () => {
    const scene = composed();
    scene.probe('a@tcp', 's');
    scene.probe('b', 's');
    const moved = { ...both, sources: [{ ...source('web/a@tcp'), target: '192.0.2.77' }, source('web/b')] };
    scene.set(endpoint('a', 1, { check: moved }), endpoint('b', 2));
    expect(scene.health('a')).toMatchObject({ verdict: 'up', stale: true });
  });
});

describe('an endpoint that reports of itself', () => {
  const LEASE_MS = 10_000;
  const key = 'web/a';
  const check: BoardCheck = {
    rule: { kind: 'source', key },
    sources: [{ key, monitor: 'job', target: 'push', counting: { kind: 'pushed', leaseMs: LEASE_MS } }],
  };

  function report(scene: Scene, more: Partial<Observation> = {}): void {
    const result = more.verdict === 'down' ? failure : success;
    const observation: Observation = {
      vantage: 'here',
      key,
      sequence: scene.nowMs,
      verdict: 'up',
      sinceMs: scene.nowMs,
      successes: result.ok ? 1 : 0,
      failures: result.ok ? 0 : 1,
      firstFailureAtMs: undefined,
      heldDownUntilMs: undefined,
      latency: undefined,
      result,
      observedAtMs: scene.nowMs,
      report: { leaseMs: LEASE_MS, load: 7, capacity: 10 },
      ...more,
    };
    scene.store(scene.board.observe(observation, scene.nowMs));
  }

  function reporting(): Scene {
    return new Scene(endpoint('a', 1, { check }));
  }

  it('has one lease to report first, and is down then', () => {
    const scene = reporting();
    scene.pass(LEASE_MS - 1);
    expect(verdictsOf(scene).charAt(0)).toBe('?');
    scene.pass(1);
    expect(verdictsOf(scene).charAt(0)).toBe('d');
    expect(scene.health('a')?.reason).toBe('It has not reported within its lease.');
  });

  it('is what it says, at once, until its lease ends', () => {
    const scene = reporting();
    report(scene);
    expect(verdictsOf(scene).charAt(0)).toBe('u');
    scene.pass(1000);
    report(scene, { verdict: 'down' });
    expect(verdictsOf(scene).charAt(0)).toBe('d');
    scene.pass(1000);
    report(scene, { report: { leaseMs: 500, load: undefined, capacity: undefined } });
    expect(scene.pass(0)).toBe(scene.nowMs + 500);
    scene.pass(500);
    expect(verdictsOf(scene).charAt(0)).toBe('d');
    expect(scene.health('a')?.lastResult).toMatchObject({ ok: false, reason: 'lease-expired' });
    report(scene);
    expect(verdictsOf(scene).charAt(0)).toBe('u');
  });

  it('is what it said last, whichever node it said it to', () => {
    const scene = reporting();
    report(scene, { vantage: 'there', verdict: 'down', observedAtMs: scene.nowMs + 2 });
    report(scene, { vantage: 'here', verdict: 'up', observedAtMs: scene.nowMs + 1 });
    expect(verdictsOf(scene).charAt(0)).toBe('d');
  });

  it('tells its load for as long as its lease', () => {
    const scene = reporting();
    expect(scene.board.loadOf(key)).toBeUndefined();
    report(scene);
    expect(scene.board.loadOf(key)).toEqual({ load: 7, capacity: 10, reportedAtMs: scene.nowMs });
    scene.pass(LEASE_MS);
    expect(scene.board.loadOf(key)).toBeUndefined();
  });

  it('makes no vantage suspect', () => {
    const scene = reporting();
    scene.seat('here', 'there');
    report(scene, { verdict: 'down' });
    expect(scene.board.vantages().map(({ up, down }) => up + down)).toEqual([0, 0]);
  });
});

it('what is probed by two endpoints is one check', () => {
  const check = probedCheck('web/b', '192.0.2.2', thresholds);
  const scene = new Scene(endpoint('a', 1, { check }), endpoint('b', 2));
  scene.probe('b', 'ff');
  expect(verdictsOf(scene).slice(0, 2)).toBe('dd');
});
