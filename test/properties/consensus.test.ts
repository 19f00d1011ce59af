import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAJORITY, type Quorum } from '../../src/config/resources/quorum.ts';
import { type BoardEndpoint, createBoard } from '../../src/health/board/board.ts';
import { DEFAULT_POOL_RULES } from '../../src/health/board/board-endpoint.ts';
import { joinVotes, type Vote } from '../../src/health/consensus.ts';
import { heldByRails, type RailedEndpoint } from '../../src/health/guard-rails.ts';
import type { Observation } from '../../src/health/observation.ts';
import { LEAST_FOR_SUSPICION, suspectVantages } from '../../src/health/suspect-vantages.ts';
import { Observer } from '../health/observer.ts';
import { failure, success } from '../health/results.ts';

const vantages = ['a', 'b', 'c', 'd', 'e'] as const;
const names = ['fra', 'ash', 'sin', 'nyc'] as const;
const seats = vantages.map((name, index) => ({ name, region: index < 2 ? 'eu' : 'us' }));
const limits = { rise: 2, fall: 2, expiryMs: 10_000 };

const quorums: fc.Arbitrary<Quorum> = fc.oneof(
  fc.constant(MAJORITY),
  fc.integer({ min: 1, max: 5 }).map((count): Quorum => ({ kind: 'at-least', vantages: count })),
  fc.integer({ min: 0, max: 4 }).map((eu): Quorum => ({ kind: 'weighted', regions: { eu } })),
);

/** What each vantage sees of each endpoint, probe by probe. */
const sightings = fc.array(
  fc.record({ vantage: fc.constantFrom(...vantages), name: fc.constantFrom(...names), ok: fc.boolean() }),
  { minLength: 1, maxLength: 80 },
);

function endpointsOf(quorum: Quorum): readonly BoardEndpoint[] {
  return names.map((name, slot) => {
    const key = `web/${name}`;
    const counting = { kind: 'probed', thresholds: limits, quorum, vantages: 5 } as const;
    return {
      key,
      slot,
      pool: 'web',
      endpoint: name,
      dataCenter: name,
      address: `192.0.2.${slot}`,
      probeAddress: undefined,
      monitor: 'http',
      check: { rule: { kind: 'source', key }, sources: [{ key, monitor: 'http', target: 'x', counting }] },
      poolRules: DEFAULT_POOL_RULES,
    };
  });
}

function observationsOf(
  seen: readonly { readonly vantage: string; readonly name: string; readonly ok: boolean }[],
): readonly Observation[] {
  const observer = new Observer();
  return seen.map(({ vantage, name, ok }) =>
    observer.observe(vantage, `web/${name}`, ok ? success : failure, limits, 1),
  );
}

/** What the board says in the end: the verdict where there is a quorum, else only that there is none. */
function outcomeOf(quorum: Quorum, observations: readonly Observation[]): readonly string[] {
  const board = createBoard([], seats);
  board.setEndpoints(endpointsOf(quorum), 0);
  for (const observation of observations) board.observe(observation, 1);
  const suspects = board.vantages().flatMap(({ vantage, suspect }) => (suspect ? [vantage] : []));
  return [
    ...board.health().map(({ basis, probed }) => (basis === 'quorum' ? `${basis} ${probed}` : basis)),
    `suspects ${suspects.join(' ')}`,
  ];
}

function newestOnly(observations: readonly Observation[]): readonly Observation[] {
  const newest = new Map(observations.map((one) => [`${one.vantage} ${one.key}`, one]));
  return [...newest.values()];
}

describe('verdicts are a function of observations', () => {
  it('and not of their order of arrival, nor of what was lost or doubled on the way', () => {
    fc.assert(
      fc.property(quorums, sightings, fc.infiniteStream(fc.nat()), (quorum, seen, draws) => {
        const observations = observationsOf(seen);
        const want = outcomeOf(quorum, observations);
        const draw = (): number => Number(draws.next().value);
        // Doubled and shuffled.
        const doubled = observations.flatMap((one) => (draw() % 3 === 0 ? [one, one] : [one]));
        const places = new Map(doubled.map((_, index) => [index, draw()]));
        const order = doubled
          .map((one, index) => ({ one, place: places.get(index) ?? 0 }))
          .sort((one, other) => one.place - other.place)
          .map(({ one }) => one);
        expect(outcomeOf(quorum, order)).toEqual(want);
        // All but the newest lost.
        expect(outcomeOf(quorum, newestOnly(observations))).toEqual(want);
      }),
      { numRuns: 300 },
    );
  });
});

const votes = fc.uniqueArray(
  fc.record({
    vantage: fc.constantFrom(...vantages),
    verdict: fc.constantFrom('up' as const, 'down' as const, 'unknown' as const),
    expiresAtMs: fc.constantFrom(1, 3),
  }),
  { selector: ({ vantage }) => vantage },
);

describe('a quorum', () => {
  const before = fc.constantFrom('up' as const, 'down' as const, 'unknown' as const);

  it('does not depend on the order of votes, nor on what held before', () => {
    fc.assert(
      fc.property(quorums, votes, before, before, (quorum, given: readonly Vote[], one, other) => {
        const electorate = { quorum, seats };
        const there = joinVotes(given, electorate, one, 2);
        const back = joinVotes(given.toReversed(), electorate, other, 2);
        expect(back.basis).toBe(there.basis);
        if (there.basis === 'quorum') expect(back.verdict).toBe(there.verdict);
        else expect([there.verdict, back.verdict]).toEqual([one, other]);
      }),
    );
  });

  it('never calls down what more than half of all vantages call up, by majority', () => {
    fc.assert(
      fc.property(votes, before, (given: readonly Vote[], held) => {
        const up = given.filter(({ verdict, expiresAtMs }) => verdict === 'up' && expiresAtMs > 2).length;
        const { verdict, basis } = joinVotes(given, { quorum: MAJORITY, seats }, held, 2);
        if (up * 2 > seats.length) expect(`${verdict} ${basis}`).toBe('up quorum');
      }),
    );
  });
});

it('no more than half of the vantages that see anything are ever suspect', () => {
  const sights = fc.array(
    fc
      .record({ up: fc.nat(6), down: fc.nat(6), share: fc.double({ min: 0, max: 1, noNaN: true }) })
      .map(({ up, down, share }) => ({ up, down, contradicted: Math.round(down * share) })),
    { maxLength: 7 },
  );
  fc.assert(
    fc.property(sights, (given) => {
      const book = new Map(given.map((sight, index) => [`v${index}`, sight]));
      const suspects = suspectVantages(
        book,
        [...book.keys()].map((name) => ({ name })),
      );
      const seeing = given.filter(({ up, down }) => up + down > 0);
      expect(suspects.size * 2).toBeLessThanOrEqual(seeing.length);
      for (const name of suspects) {
        const { up = 0, down = 0 } = book.get(name) ?? {};
        expect(down).toBeGreaterThan(up);
        expect(up + down).toBeGreaterThanOrEqual(LEAST_FOR_SUSPICION);
      }
    }),
  );
});

describe('guard rails', () => {
  const member = fc.record({
    dataCenter: fc.constantFrom('fra', 'ash', 'sin'),
    wanted: fc.constantFrom('up' as const, 'down' as const, 'drained' as const, 'unknown' as const),
    wasUp: fc.boolean(),
    fellAtMs: fc.nat(3),
    breakGlass: fc.boolean(),
  });
  const members = fc
    .array(member, { maxLength: 8 })
    .map((list): readonly RailedEndpoint[] => list.map((one, index) => ({ ...one, key: `web/${index}` })));
  const limit = fc.option(fc.nat(4), { nil: undefined });

  it('keep as many in service as they say, as far as there are any, and hold nothing but what may be held', () => {
    fc.assert(
      fc.property(members, limit, limit, (given, minimumUp, maxLostDataCenters) => {
        const held = heldByRails(given, { minimumUp, maxLostDataCenters });
        const free = given.filter(({ key, wanted, wasUp, breakGlass }) => {
          const fallen = wanted === 'down' || wanted === 'drained';
          if (held.has(key)) expect([fallen, wasUp, breakGlass]).toEqual([true, true, false]);
          return fallen && wasUp && !breakGlass && !held.has(key);
        });
        const up = given.filter(
          ({ key, wanted, breakGlass }) => wanted === 'up' || breakGlass || held.has(key),
        );
        if (free.length > 0) expect(up.length).toBeGreaterThanOrEqual(minimumUp ?? 0);
      }),
    );
  });

  it('hold the same whatever the order of endpoints', () => {
    fc.assert(
      fc.property(members, fc.nat(4), fc.nat(2), (given, minimumUp, maxLostDataCenters) => {
        const rails = { minimumUp, maxLostDataCenters };
        const keys = (list: readonly RailedEndpoint[]): readonly string[] =>
          [...heldByRails(list, rails).keys()].sort();
        expect(keys(given.toReversed())).toEqual(keys(given));
      }),
    );
  });
});
