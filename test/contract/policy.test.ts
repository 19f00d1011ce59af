import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClientLocation } from '../../src/geo/location.ts';
import { openMap, programOf } from '../../src/geo/map.ts';
import { compileMap } from '../../src/steering/compile-map.ts';
import { policyKindOf, policyKinds, policyNodeSchema } from '../../src/steering/policies/index.ts';
import type { PolicyNode } from '../../src/steering/policy.ts';
import { createRanking, describeRanking } from '../../src/steering/rank.ts';
import { resolvePolicy } from '../../src/steering/resolve-policy.ts';
import { runProgram } from '../../src/steering/run-program.ts';
import { tableOf } from '../geo/table-of.ts';
import { choice, nearest, order, rule } from '../steering/policy-nodes.ts';

/** What every kind of policy must hold; a new kind needs a sample here, and the suite runs it. */
const samples: Readonly<Record<keyof typeof policyKinds, unknown>> = {
  nearest: { kind: 'nearest', dataCenters: ['dc0', 'dc1', 'dc3', 'gone'], biasKm: { dc1: -300 } },
  latency: { kind: 'latency', dataCenters: ['dc0', 'dc1', 'dc3', 'gone'], tokenHash: 'ab'.repeat(32) },
  geo: {
    kind: 'geo',
    rules: [
      rule({ prefixes: ['192.0.2.0/24'], countries: ['FR'] }, nearest),
      rule({ continents: ['EU'] }, order('dc2', 'dc2', 'gone')),
    ],
    otherwise: { kind: 'nearest' },
  },
  failover: { kind: 'failover', levels: [{ kind: 'order', dataCenters: ['dc1'] }, { kind: 'nearest' }] },
  weighted: {
    kind: 'weighted',
    choices: [choice(2, nearest), choice(0, order('dc0', 'dc1'))],
  },
  order: { kind: 'order', dataCenters: ['dc3', 'gone', 'dc0', 'dc3'] },
  policy: { kind: 'policy', name: 'other' },
};

const candidates = fc.uniqueArray(fc.nat(9), { maxLength: 6 }).chain((indexes) =>
  fc.tuple(
    ...indexes.map((index) =>
      fc.record({
        index: fc.constant(index),
        name: fc.constant(`dc${index}`),
        latitude: fc.integer({ min: -80, max: 80 }),
        longitude: fc.integer({ min: -180, max: 179 }),
      }),
    ),
  ),
);
const client: fc.Arbitrary<ClientLocation> = fc.record({
  coordinates: fc.option(
    fc.record({
      latitude: fc.integer({ min: -80, max: 80 }),
      longitude: fc.integer({ min: -180, max: 179 }),
    }),
    { nil: undefined },
  ),
  country: fc.constantFrom('', 'FR', 'DE'),
  continent: fc.constantFrom('', 'EU', 'AS'),
  subdivision: fc.constantFrom('', 'IDF'),
  asn: fc.constantFrom(0, 64_500),
  prefixes: fc.constantFrom([], ['192.0.2.0/24']),
});

/** Freezes a value and all below it: a policy that writes to what it is given throws. */
function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}

describe.each(Object.entries(samples))('%s', (kind, sample) => {
  const node: PolicyNode = freeze(policyNodeSchema.parse(sample));

  it('is in the registry under its own name and says what it does', () => {
    expect(policyKindOf(node).kind).toBe(kind);
    expect(policyKindOf(node).summary).toMatch(/^[A-Z].*\.$/);
  });

  it('survives its schema unchanged', () => {
    expect(policyNodeSchema.parse(node)).toEqual(sample);
  });

  it('puts children back where it took them from', () => {
    const { children, withChildren } = policyKindOf(node);
    expect(withChildren(node, children(node))).toEqual(node);
    const others = children(node).map((_, at) => ({ kind: `other${at}` }));
    expect(children(withChildren(node, others))).toEqual(others);
  });

  it('ranks only candidates, and a run of the ranking names none twice', () => {
    fc.assert(
      fc.property(candidates, client, fc.infiniteStream(fc.nat(2 ** 32 - 1)), (ranked, who, draws) => {
        const rank = createRanking(node, freeze(ranked));
        const map = openMap(compileMap({ policy: node, candidates: ranked }, tableOf([])));
        const random = { nextUint32: () => draws.next().value as number };
        const written = new Uint16Array(16);
        for (let program = 0; program < map.programCount; program++) {
          const count = runProgram(map, programOf(program << 8), random, written);
          const run = Array.from(written.subarray(0, count));
          expect(new Set(run).size).toBe(run.length);
          const known = new Set(ranked.map((candidate) => candidate.index));
          expect(run.filter((index) => !known.has(index))).toEqual([]);
        }
        expect(rank(freeze(who))).toEqual(rank(who));
      }),
      { numRuns: 50 },
    );
  });

  it('gives the same for the same, in whatever order candidates come, and whoever was ranked before', () => {
    fc.assert(
      fc.property(candidates, client, client, (ranked, who, before) => {
        const rank = createRanking(node, ranked);
        const fresh = createRanking(node, ranked.toReversed())(who);
        rank(before);
        expect(rank(who)).toEqual(fresh);
      }),
      { numRuns: 50 },
    );
  });

  it('is explained by the code that ranks, and explaining changes nothing', () => {
    fc.assert(
      fc.property(candidates, client, (ranked, who) => {
        const before = createRanking(node, ranked)(who);
        const steps = describeRanking(node, who, ranked);
        expect(steps[0]?.kind).toBe(kind);
        for (const { detail } of steps) expect(detail).not.toBe('');
        expect(createRanking(node, ranked)(who)).toEqual(before);
      }),
      { numRuns: 20 },
    );
  });

  it('has every name it mentions found by the checks', () => {
    const mentioned = JSON.stringify(sample).match(/"(dc\d|gone)"/g) ?? [];
    const own = new Set(policyKindOf(node).dataCenters(node));
    const below = (of: PolicyNode): readonly string[] => [
      ...policyKindOf(of).dataCenters(of),
      ...policyKindOf(of).children(of).flatMap(below),
    ];
    expect(new Set(below(node))).toEqual(new Set(mentioned.map((quoted) => quoted.slice(1, -1))));
    expect([...own].every((name) => below(node).includes(name))).toBe(true);
  });

  it('resolves references below it, and a dangling one is a problem', () => {
    const policies = new Map([
      ['top', node],
      ['other', policyNodeSchema.parse({ kind: 'nearest' })],
    ]);
    const resolved = resolvePolicy('top', policies);
    expect(resolved.ok && JSON.stringify(resolved.value)).not.toContain('"policy"');
    const { children, withChildren } = policyKindOf(node);
    const dangling = withChildren(
      node,
      children(node).map(() => ({ kind: 'policy', name: 'nowhere' }) as PolicyNode),
    );
    const outcome = resolvePolicy('top', new Map([['top', dangling]]));
    const broken = children(node).length > 0 || kind === 'policy';
    expect(outcome.ok ? 'good' : outcome.problems[0]?.code).toBe(broken ? 'unknown-policy' : 'good');
  });
});

it('has a sample of every kind', () => {
  expect(Object.keys(samples)).toEqual(Object.keys(policyKinds));
});
