import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../src/dns/address.ts';
import { type ClientLocation, NOWHERE } from '../../src/geo/location.ts';
import { heaviestGroups, measuredFigures } from '../../src/latency/figures.ts';
import { IntakeRate } from '../../src/latency/intake-rate.ts';
import { LatencyLedger } from '../../src/latency/ledger.ts';
import {
  MAX_BATCH_MEASUREMENTS,
  MAX_DATA_CENTERS_OF_GROUP,
  MAX_PREFIX_SHARE,
} from '../../src/latency/limits.ts';
import { addSample, MAX_SKETCH_CELLS, readSketch, type Sketch, slotOf } from '../../src/latency/sketch.ts';
import { places } from '../geo/table-of.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
const slot = slotOf(NOW);
const fra = { latitude: 50.11, longitude: 8.68 };
const inParis: ClientLocation = { ...NOWHERE, ...places.paris, coordinates: places.paris, asn: 64_500 };

function add(
  ledger: LatencyLedger,
  client: string,
  dataCenter: string,
  milliseconds: number,
  at = inParis,
): void {
  const address = parseAddress(client);
  if (address === undefined) throw new Error(client);
  ledger.add({ client: address, dataCenter, milliseconds, atMs: NOW }, at, fra);
}

/** `group dataCenter samples@median`. */
function told(ledger: LatencyLedger): readonly string[] {
  return [...ledger.entries()].flatMap(([group, sketches]) =>
    Array.from(sketches, ([dataCenter, sketch]) => {
      const { samples, medianMs } = readSketch(sketch, slot);
      return `${group} ${dataCenter} ${samples}@${Math.round(medianMs)}`;
    }),
  );
}

describe('the ledger', () => {
  it('counts whole round trips for a prefix, and what is beyond distance for wider groups', () => {
    const ledger = new LatencyLedger();
    // Paris is 479 km from Frankfurt: light needs 4.8 ms there and back.
    add(ledger, '192.0.2.1', 'fra', 20);
    add(ledger, '192.0.2.200', 'fra', 20);
    add(ledger, '2001:db8:1:2::1', 'fra', 20);
    expect(told(ledger)).toEqual([
      'AS64500 fra 2@15',
      'FR fra 2@15',
      '192.0.2.0/24 fra 2@20',
      '2001:db8:1::/48 fra 1@20',
    ]);
  });

  it('keeps to the prefix where the place, or what is around it, is unknown', () => {
    const ledger = new LatencyLedger();
    add(ledger, '192.0.2.1', 'fra', 20, NOWHERE);
    add(ledger, '192.0.2.1', 'fra', 20, { ...inParis, coordinates: undefined });
    expect(told(ledger)).toEqual(['192.0.2.0/24 fra 2@20']);
  });

  it('takes nothing below the floor for a client that is said to be where light could not have come from', () => {
    const ledger = new LatencyLedger();
    add(ledger, '192.0.2.1', 'fra', 1);
    expect(told(ledger)).toEqual(['AS64500 fra 1@0', 'FR fra 1@0', '192.0.2.0/24 fra 1@1']);
  });

  it('lets no prefix speak for its country alone', () => {
    const ledger = new LatencyLedger();
    for (let count = 0; count < 3 * MAX_PREFIX_SHARE; count += 1) add(ledger, '192.0.2.1', 'fra', 20);
    expect(told(ledger)).toEqual([
      `AS64500 fra ${MAX_PREFIX_SHARE}@15`,
      `FR fra ${MAX_PREFIX_SHARE}@15`,
      `192.0.2.0/24 fra ${3 * MAX_PREFIX_SHARE}@20`,
    ]);
  });

  it('forgets the stalest group first, in whatever way it is full', () => {
    const bounds = { groups: 1000, sketches: 1000, cells: 1000 };
    const byGroups = new LatencyLedger({ ...bounds, groups: 2 });
    for (const third of [1, 2, 1, 3]) add(byGroups, `10.0.${third}.1`, 'fra', 20, NOWHERE);
    expect(told(byGroups)).toEqual(['10.0.1.0/24 fra 2@20', '10.0.3.0/24 fra 1@20']);
    const bySketches = new LatencyLedger({ ...bounds, sketches: 3 });
    for (const third of [1, 2])
      for (const name of ['fra', 'sin']) add(bySketches, `10.0.${third}.1`, name, 20, NOWHERE);
    expect(told(bySketches)).toEqual(['10.0.2.0/24 fra 1@20', '10.0.2.0/24 sin 1@20']);
    const byCells = new LatencyLedger({ ...bounds, cells: 3 });
    for (const third of [1, 2, 3])
      for (const ms of [10, 20]) add(byCells, `10.0.${third}.1`, 'fra', ms, NOWHERE);
    expect(told(byCells)).toEqual(['10.0.3.0/24 fra 2@10']);
    expect(byCells.size).toEqual({ groups: 1, sketches: 1, cells: 2 });
  });

  it('has a bound on the data centers of a group and on the cells of a sketch', () => {
    const ledger = new LatencyLedger();
    for (let at = 0; at < 2 * MAX_DATA_CENTERS_OF_GROUP; at += 1)
      add(ledger, '192.0.2.1', `dc${at}`, 20, NOWHERE);
    expect(ledger.size.sketches).toBe(MAX_DATA_CENTERS_OF_GROUP);
    const sketch: Sketch = [];
    let cells = 0;
    for (let at = 0; at < 20 * MAX_SKETCH_CELLS; at += 1)
      cells += addSample(sketch, slot + Math.floor(at / 200), 1 + (at % 200) * 5);
    expect(sketch.length).toBeLessThanOrEqual(MAX_SKETCH_CELLS);
    expect(cells).toBe(sketch.length);
  });

  it('forgets a data center that is gone, and the detours to one that has moved', () => {
    const ledger = new LatencyLedger();
    for (const name of ['fra', 'sin']) add(ledger, '192.0.2.1', name, 200);
    ledger.forgetDataCenter('sin', 'detours');
    expect(told(ledger)).toEqual([
      'AS64500 fra 1@192',
      'FR fra 1@192',
      '192.0.2.0/24 fra 1@201',
      '192.0.2.0/24 sin 1@201',
    ]);
    ledger.forgetDataCenter('fra', 'all');
    ledger.forgetDataCenter('sin', 'all');
    expect(ledger.size).toEqual({ groups: 0, sketches: 0, cells: 0 });
  });
});

describe('who steers', () => {
  const group = (name: string, weight: number): Parameters<typeof heaviestGroups>[0][number] => ({
    group: name,
    weight,
    figures: { milliseconds: new Map([['fra', weight]]), sinceMs: 0 },
  });
  const limits = { prefix: 2, asn: 1, country: 1 };

  it('the heaviest of each kind', () => {
    const groups = [
      group('10.0.1.0/24', 5),
      group('10.0.2.0/24', 7),
      group('10.0.3.0/24', 6),
      group('FR', 1),
    ];
    expect([...heaviestGroups(groups, () => false, limits).keys()]).toEqual([
      '10.0.2.0/24',
      '10.0.3.0/24',
      'FR',
    ]);
  });

  it('and who steers already, unless somebody has twice its weight', () => {
    const groups = [group('AS1', 5), group('AS2', 9)];
    expect([...heaviestGroups(groups, (name) => name === 'AS1', limits).keys()]).toEqual(['AS1']);
    expect([
      ...heaviestGroups([group('AS1', 4), group('AS2', 9)], (name) => name === 'AS1', limits).keys(),
    ]).toEqual(['AS2']);
  });

  it('is laid out alike whatever the order', () => {
    const one = {
      milliseconds: new Map([
        ['sin', 9],
        ['fra', 3],
      ]),
      sinceMs: 0,
    };
    const other = {
      milliseconds: new Map([
        ['ams', 4],
        ['fra', 5],
      ]),
      sinceMs: 0,
    };
    const figures = measuredFigures(
      new Map([
        ['FR', one],
        ['DE', other],
      ]),
    );
    expect(figures).toEqual({
      dataCenters: ['ams', 'fra', 'sin'],
      groups: ['DE', 'FR'],
      milliseconds: [4, 5, 0, 0, 3, 9],
    });
    expect(
      measuredFigures(
        new Map([
          ['DE', other],
          ['FR', one],
        ]),
      ),
    ).toEqual(figures);
  });
});

it('takes ten full batches at once, then a thousand measurements a second', () => {
  const rate = new IntakeRate(0);
  const waits = Array.from({ length: 11 }, () => rate.take(MAX_BATCH_MEASUREMENTS, 0));
  expect(waits).toEqual([...new Array(10).fill(0), 2000]);
  expect(rate.take(MAX_BATCH_MEASUREMENTS, 1999)).toBe(1);
  expect(rate.take(MAX_BATCH_MEASUREMENTS, 2000)).toBe(0);
});
