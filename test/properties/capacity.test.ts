import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Demand, flowsOf, guestSpills } from '../../src/health/capacity/capacity.ts';
import {
  type ControlledPlace,
  initialSpillState,
  MAX_MOVED_PER_MINUTE,
  type SpillState,
  stepSpills,
} from '../../src/health/capacity/capacity-control.ts';

const PLACES = 5;

const places = fc.array(
  fc.record({
    capacity: fc.oneof(fc.double({ min: 0.1, max: 100, noNaN: true }), fc.constant(Number.POSITIVE_INFINITY)),
    home: fc.double({ min: 0, max: 1, noNaN: true }),
    guestFloor: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
  }),
  { minLength: PLACES, maxLength: PLACES },
);

const demand: fc.Arbitrary<readonly Demand[]> = fc.array(
  fc.record({
    route: fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 1 }),
    own: fc.boolean(),
    rate: fc.double({ min: 0, max: 100, noNaN: true }),
  }),
  { maxLength: 20 },
);

describe('guest spills', () => {
  it('are shares, at least their floors, and leave no place with guests that it has no room for', () => {
    fc.assert(
      fc.property(places, demand, (given, asked) => {
        const spills = guestSpills(given, asked);
        const flows = flowsOf(given, spills, asked);
        given.forEach(({ capacity, home, guestFloor }, place) => {
          const spill = spills[place] ?? -1;
          expect(spill).toBeGreaterThanOrEqual(guestFloor);
          expect(spill).toBeLessThanOrEqual(1);
          const own = asked
            .filter((one) => one.own && one.route[0] === place)
            .reduce((sum, { rate }) => sum + rate * (1 - home), 0);
          const { load = 0, returned = 0 } = flows[place] ?? {};
          // Beside own clients and those who found no room anywhere, it has only guests, who fit in.
          const guests = load - returned - own;
          const fits = guests <= Math.max(0, capacity - own) + 0.02 * (1 + guests) + 1;
          expect([place, guests, capacity - own, fits]).toEqual([place, guests, capacity - own, true]);
        });
      }),
    );
  });

  it('lose and invent no load', () => {
    fc.assert(
      fc.property(places, demand, (given, asked) => {
        const flows = flowsOf(given, guestSpills(given, asked), asked);
        const placed = flows.reduce((sum, { load }) => sum + load, 0);
        expect(placed).toBeCloseTo(
          asked.reduce((sum, { rate }) => sum + rate, 0),
          6,
        );
      }),
    );
  });

  it('never fall when more is asked', () => {
    fc.assert(
      fc.property(places, demand, demand, (given, asked, more) => {
        // More guests everywhere, and the same own clients.
        const guests = more.map((one) => ({ ...one, own: false }));
        const before = guestSpills(given, asked);
        const after = guestSpills(given, [...asked, ...guests]);
        const fell = after.map((spill, place) => (before[place] ?? 0) - spill);
        expect(Math.max(...fell)).toBeLessThan(1e-2);
      }),
    );
  });
});

describe('the controller', () => {
  const state = fc.constantFrom('up', 'down', 'unknown') as fc.Arbitrary<ControlledPlace['state']>;
  const moment = fc.record({
    elapsedMs: fc.integer({ min: 0, max: 30_000 }),
    states: fc.array(state, { minLength: PLACES, maxLength: PLACES }),
    demand,
  });

  it('moves no more own clients in a minute than it may, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(moment, { maxLength: 40 }), (moments) => {
        let spills: SpillState = initialSpillState;
        let nowMs = 0;
        for (const { elapsedMs, states, demand: asked } of moments) {
          nowMs += elapsedMs;
          const given = states.map((now, index): ControlledPlace => {
            return { name: `dc-${index}`, capacity: 20 + 10 * index, rampSeconds: 60, state: now };
          });
          const alive = asked.flatMap((one): Demand[] => {
            const route = one.route.filter((place) => states[place] === 'up');
            return route.length === 0 ? [] : [{ ...one, route, own: route[0] === one.route[0] && one.own }];
          });
          const before = spills;
          spills = stepSpills(spills, given, alive, nowMs);
          for (const { name, state: now } of given) {
            const one = spills.spills.get(name);
            const then = before.spills.get(name);
            if (one === undefined || then === undefined) continue;
            expect(one.home).toBeGreaterThanOrEqual(0);
            expect(one.home).toBeLessThanOrEqual(1);
            expect(one.guest).toBeLessThanOrEqual(1);
            if (now !== 'up' || then.state !== 'up') continue;
            const most = (MAX_MOVED_PER_MINUTE * elapsedMs) / 60_000;
            expect(one.moved - then.moved).toBeLessThanOrEqual(most + 1e-9);
            // A slow start only ever lets more in.
            expect(one.ramp).toBeLessThanOrEqual(then.ramp);
          }
        }
      }),
    );
  });
});
