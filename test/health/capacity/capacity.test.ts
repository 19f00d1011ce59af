import { describe, expect, it } from 'vitest';
import {
  type Demand,
  flowsOf,
  guestSpills,
  homeSpill,
  overloads,
} from '../../../src/health/capacity/capacity.ts';

interface Given {
  readonly capacities: readonly number[];
  /** `AB 30`: so many load units of clients whose order is A, B; `-BC 30`: their first choice is dead. */
  readonly demand: readonly string[];
}

function demandOf(text: string): Demand {
  const [letters = '', rate = ''] = text.split(' ');
  const route = [...letters.replace('-', '')].map((letter) => letter.charCodeAt(0) - 65);
  return { route, own: !letters.startsWith('-'), rate: Number(rate) };
}

/** `home/guest load` of each place. */
function plan({ capacities, demand: texts }: Given): string {
  const demand = texts.map(demandOf);
  const own = capacities.map((_, place) =>
    demand.filter((one) => one.own && one.route[0] === place).reduce((sum, { rate }) => sum + rate, 0),
  );
  const factors = overloads(capacities, demand);
  const places = capacities.map((capacity, place) => {
    const planned = capacity * (factors[place] ?? 1);
    return { capacity: planned, home: homeSpill(own[place] ?? 0, planned), guestFloor: 0 };
  });
  const guests = guestSpills(places, demand);
  const flows = flowsOf(places, guests, demand);
  const text = (amount: number): string => String(Math.round(amount * 100) / 100);
  return places
    .map(({ home }, place) => `${text(home)}/${text(guests[place] ?? 0)} ${text(flows[place]?.load ?? 0)}`)
    .join(', ');
}

describe('the plan of spills', () => {
  const cases = [
    {
      name: 'keeps everybody where there is room',
      given: { capacities: [100, 100], demand: ['AB 50', 'BA 60'] },
      want: '0/0 50, 0/0 60',
    },
    {
      name: 'passes the excess of own clients on',
      given: { capacities: [40, 100], demand: ['AB 50', 'BA 60'] },
      want: '0.2/0 40, 0/0 70',
    },
    {
      name: 'gives the guests of a dead place to those with room, in their order',
      given: { capacities: [100, 100], demand: ['-AB 60', 'AB 70', 'BA 20'] },
      want: '0/0.5 100, 0/0 50',
    },
    {
      name: 'passes guests on before own clients',
      given: { capacities: [100, 100, 100], demand: ['-ABC 60', 'AC 100', 'BC 80'] },
      want: '0/1 100, 0/0.67 100, 0/0 40',
    },
    {
      name: 'carries what one passes on through the next',
      given: { capacities: [50, 20, 100], demand: ['ABC 100'] },
      want: '0.5/0 50, 0/0.6 20, 0/0 30',
    },
    {
      name: 'keeps clients that have nowhere else to go',
      given: { capacities: [50, 100], demand: ['A 80', 'B 10'] },
      want: '0/0 80, 0/0 10',
    },
    {
      name: 'overloads all alike where all together have too little, with a little slack',
      given: { capacities: [50, 50], demand: ['AB 120', 'BA 20'] },
      want: '0.4/0 72.1, 0/0 67.9',
    },
    {
      name: 'takes whatever comes where no capacity is declared',
      given: { capacities: [10, Number.POSITIVE_INFINITY], demand: ['AB 100', 'BA 1000'] },
      want: '0.9/0 10, 0/0 1090',
    },
    { name: 'asks nothing of nobody', given: { capacities: [1, 1], demand: [] }, want: '0/0 0, 0/0 0' },
  ];
  it.each(cases)('$name', ({ given, want }) => {
    expect(plan(given)).toBe(want);
  });
});
