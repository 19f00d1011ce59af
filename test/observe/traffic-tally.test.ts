import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clearPast, formatPrefix } from '../../src/dns/address.ts';
import { formatPrefixKey, prefixKey } from '../../src/observe/traffic/prefix-key.ts';
import type { TrafficQuestion } from '../../src/observe/traffic/traffic-report.ts';
import { TrafficTally } from '../../src/observe/traffic/traffic-tally.ts';
import { namedSample, type SampleText } from './samples.ts';

const START_MS = Date.UTC(2026, 0, 1, 12, 0, 30);
const MINUTE_MS = 60_000;

const everything: TrafficQuestion = { minutes: 60, limit: 100, name: undefined, dataCenter: undefined };

function setUp(every = 1): {
  readonly tally: TrafficTally;
  readonly clock: { nowMs: number };
  readonly add: (count: number, text: SampleText) => void;
} {
  const clock = { nowMs: START_MS };
  const tally = new TrafficTally(every, () => clock.nowMs);
  return {
    tally,
    clock,
    add: (count, text) => {
      const named = namedSample({ ...text, changes: { weight: every, ...text.changes } });
      for (let index = 0; index < count; index++) tally.add(named, 1);
    },
  };
}

describe('TrafficTally', () => {
  it('tells names, clients, resolvers and data centers, heaviest first', () => {
    const { tally, add } = setUp();
    add(3, { name: 'www.example.org.', client: '203.0.113.0/24', dataCenter: 'fra' });
    add(2, {
      name: 'www.example.org.',
      client: '198.51.100.7/32',
      dataCenter: 'nyc',
      resolver: '2001:db8::1',
    });
    add(1, { name: 'api.example.org.', client: '203.0.0.0/16', dataCenter: 'fra' });
    add(4, { name: 'ns1.example.org.', steered: false });
    const exact = { missingAtMost: 0, samplingError: 0 };
    expect(tally.traffic(everything)).toEqual({
      from: '2026-01-01T11:01:00.000Z',
      to: '2026-01-01T12:00:30.000Z',
      sampling: { every: 1, samples: 10, dropped: 0 },
      total: { queries: 10, ...exact },
      names: [
        { name: 'www.example.org.', steered: true, queries: 5, ...exact },
        { name: 'ns1.example.org.', steered: false, queries: 4, ...exact },
        { name: 'api.example.org.', steered: true, queries: 1, ...exact },
      ],
      clients: [
        { prefix: '203.0.113.0/24', queries: 3, ...exact },
        { prefix: '198.51.100.0/24', queries: 2, ...exact },
        { prefix: '203.0.0.0/16', queries: 1, ...exact },
      ],
      resolvers: [
        { prefix: '192.0.2.0/24', queries: 8, ...exact },
        { prefix: '2001:db8::/48', queries: 2, ...exact },
      ],
      dataCenters: [
        { dataCenter: 'fra', share: 0.6667, queries: 4, ...exact },
        { dataCenter: 'nyc', share: 0.3333, queries: 2, ...exact },
      ],
      nameDataCenters: [
        { name: 'www.example.org.', dataCenter: 'fra', queries: 3, ...exact },
        { name: 'www.example.org.', dataCenter: 'nyc', queries: 2, ...exact },
        { name: 'api.example.org.', dataCenter: 'fra', queries: 1, ...exact },
      ],
    });
  });

  const filters: readonly { name: string; given: Partial<TrafficQuestion>; want: string }[] = [
    { name: 'a name', given: { name: 'www.example.org.' }, want: 'www/fra www/nyc | www | fra nyc' },
    { name: 'a data center', given: { dataCenter: 'fra' }, want: 'www/fra api/fra | www api | fra' },
    { name: 'a limit', given: { limit: 1 }, want: 'www/fra | www | fra' },
  ];
  it.each(filters)('can be asked for $name', ({ given, want }) => {
    const { tally, add } = setUp();
    add(3, { name: 'www.example.org.', dataCenter: 'fra' });
    add(1, { name: 'www.example.org.', dataCenter: 'nyc' });
    add(2, { name: 'api.example.org.', dataCenter: 'fra' });
    const { nameDataCenters, names, dataCenters } = tally.traffic({ ...everything, ...given });
    const first = (name: string): string => name.split('.')[0] ?? '';
    expect(
      [
        nameDataCenters.map(({ name, dataCenter }) => `${first(name)}/${dataCenter}`).join(' '),
        names.map(({ name }) => first(name)).join(' '),
        dataCenters.map(({ dataCenter }) => dataCenter).join(' '),
      ].join(' | '),
    ).toBe(want);
  });

  it('forgets what is older than was asked for, and after an hour altogether', () => {
    const { tally, clock, add } = setUp();
    add(5, {});
    clock.nowMs += 10 * MINUTE_MS;
    add(2, {});
    const queries = (minutes: number): number => tally.traffic({ ...everything, minutes }).total.queries;
    expect([queries(1), queries(10), queries(11)]).toEqual([2, 2, 7]);
    clock.nowMs += 50 * MINUTE_MS;
    expect(queries(60)).toBe(2);
    clock.nowMs += 10 * MINUTE_MS;
    expect(queries(60)).toBe(0);
  });

  it('survives a clock that goes back', () => {
    const { tally, clock, add } = setUp();
    add(1, {});
    clock.nowMs -= MINUTE_MS;
    add(1, {});
    clock.nowMs -= 60 * MINUTE_MS;
    add(1, {});
    expect(tally.traffic(everything).total.queries).toBe(1);
  });

  it('says how far an estimate may be off', () => {
    const { tally, add } = setUp(64);
    add(100, { dataCenter: 'fra' });
    const { total, dataCenters } = tally.traffic(everything);
    // 1.96 * sqrt(6400 * 63)
    expect(total).toEqual({ queries: 6400, missingAtMost: 0, samplingError: 1245 });
    expect(dataCenters[0]).toMatchObject({ queries: 6400, samplingError: 1245, share: 1 });
  });

  it('counts more for the samples that found no room', () => {
    const { tally } = setUp(10);
    tally.add(namedSample({ changes: { weight: 10 } }), 3);
    tally.addDropped(2);
    const { total, sampling } = tally.traffic(everything);
    expect([total.queries, sampling]).toEqual([30, { every: 10, samples: 1, dropped: 2 }]);
  });

  it('is bounded, whatever names and prefixes are asked from, and keeps the heavy ones', () => {
    const { tally, add } = setUp();
    add(500, { name: 'heavy.example.org.', client: '203.0.113.0/24' });
    for (let index = 0; index < 5000; index++)
      add(1, { name: `x${index}.example.org.`, client: `10.${index >> 8}.${index & 255}.0/24` });
    const report = tally.traffic({ ...everything, limit: 100_000 });
    expect(report.names).toHaveLength(512);
    expect(report.clients).toHaveLength(2048);
    expect(report.names[0]).toMatchObject({ name: 'heavy.example.org.', queries: 500 });
    expect(report.clients[0]).toMatchObject({ prefix: '203.0.113.0/24', queries: 500, missingAtMost: 0 });
    const { items, counted } = tally.prefixes({ minutes: 1, limit: 3, of: 'clients' });
    expect([items.length, counted.queries]).toEqual([3, 5500]);
  });
});

describe('prefixKey', () => {
  it('is told again as the prefix of what was known, at most a /24 or /48', () => {
    const address = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    );
    fc.assert(
      fc.property(address, fc.nat(128), (octets, bits) => {
        const known = Math.min(bits, octets.length * 8);
        const length = Math.min(known, octets.length === 4 ? 24 : 48);
        const key = prefixKey(octets, known);
        expect(Number.isSafeInteger(key)).toBe(true);
        expect(formatPrefixKey(key)).toBe(formatPrefix(clearPast(octets, length), length));
      }),
      { numRuns: 500 },
    );
  });
});
