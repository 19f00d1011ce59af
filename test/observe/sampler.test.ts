import { describe, expect, it } from 'vitest';
import { createCounters, openCounters, readCounter } from '../../src/observe/counters.ts';
import { SampleDrain } from '../../src/observe/samples/drain-samples.ts';
import { decodeSample, type Sample } from '../../src/observe/samples/sample.ts';
import { createSampleRing, NO_RECORD, RingReader } from '../../src/observe/samples/sample-ring.ts';
import { Sampler } from '../../src/observe/samples/sampler.ts';
import { Answerer } from '../../src/server/answerer.ts';
import type { SnapshotMessage } from '../../src/snapshot/snapshot.ts';
import { openSnapshot } from '../../src/snapshot/snapshot.ts';
import { addressOctets, createWorldMessage, digPacket, seededRandom } from '../answer/world.ts';
import { testSampler } from './samples.ts';

const world: SnapshotMessage = createWorldMessage({
  zones: [
    `$ORIGIN example.org.
$TTL 300
@     SOA ns1 hostmaster 1 3600 600 86400 60
@     NS  ns1
ns1   A   192.0.2.53
alias CNAME app
`,
  ],
  steered: [{ name: 'app.example.org.', pool: ['fra A 192.0.2.10', 'nyc A 192.0.2.20'] }],
});

const RING_OCTETS = 2 ** 16;

/** Every sample in the ring, with octets of its own. */
function samplesIn(ring: SharedArrayBuffer): Sample[] {
  const reader = new RingReader(ring);
  const samples: Sample[] = [];
  for (let offset = reader.next(); offset !== NO_RECORD; offset = reader.next())
    samples.push(structuredClone(decodeSample(reader.words, reader.octets, offset)));
  reader.release();
  return samples;
}

/** What the samples of an answered query say, as a short text. */
function textOf(octets: Uint8Array): string {
  return Buffer.from(octets).toString('hex');
}

/** Answers in that world, and fails the test where a query meets a bug. */
function answererOf(sampler: Sampler, counters: Float64Array, nowMs: () => number): Answerer {
  const onBug = (error: unknown): void => expect.fail(String(error));
  return new Answerer(world, counters, seededRandom(1), onBug, sampler, nowMs);
}

describe('a sampled query', () => {
  it('is kept as it came, though it is answered in its own place', () => {
    const { sampler, ring, counters } = testSampler(1, RING_OCTETS);
    const answerer = answererOf(sampler, counters, () => 1234.5);
    const { packet } = digPacket('alias.example.org A +subnet=198.51.100.0/24');
    const slot = new Uint8Array(2048);
    slot.set(packet);
    const client = { family: 4 as const, octets: addressOctets('192.0.2.99'), port: 4242 };
    const length = answerer.answer(slot, packet.length, client, 'udp', slot);

    const samples = samplesIn(ring);
    expect(samples).toHaveLength(1);
    expect(samples[0]).toMatchObject({
      timeMs: 1234.5,
      transport: 'udp',
      port: 4242,
      queryLength: packet.length,
      responseLength: length,
      outcome: 'answer',
      rcode: 0,
      queryType: 1,
      truncated: false,
      steered: true,
      dataCenter: 0,
      clientSource: 'client-subnet',
      sourcePrefixLength: 24,
      mapPrefixLength: 25,
      scope: 25,
      weight: 1,
    });
    const [sample] = samples;
    expect(textOf(sample?.query ?? slot)).toBe(textOf(packet));
    expect(textOf(sample?.response ?? packet)).toBe(textOf(slot.subarray(0, length)));
    expect(sample?.resolver.join('.')).toBe('192.0.2.99');
    expect(sample?.client.join('.')).toBe('198.51.100.0');
    expect(Buffer.from(sample?.apex ?? []).toString('latin1')).toBe('\x07example\x03org\0');
    expect(Buffer.from(sample?.lastName ?? []).toString('latin1')).toBe('\x03app\x07example\x03org\0');
  });

  it('over IPv6 and TCP, outside our zones, is told as such', () => {
    const { sampler, ring, counters } = testSampler(1, RING_OCTETS);
    const answerer = answererOf(sampler, counters, () => 1234.5);
    const { packet } = digPacket('www.example.net AAAA');
    const client = { family: 6 as const, octets: addressOctets('2001:db8::53') };
    answerer.answer(packet, packet.length, client, 'tcp', new Uint8Array(512));
    const [sample] = samplesIn(ring);
    expect(sample).toMatchObject({
      transport: 'tcp',
      port: 0,
      outcome: 'refused',
      rcode: 5,
      queryType: 28,
      steered: false,
      dataCenter: -1,
      clientSource: 'none',
      scope: -1,
    });
    expect([sample?.apex.length, sample?.lastName.length, sample?.client.length]).toEqual([0, 0, 0]);
    expect(sample?.resolver).toHaveLength(16);
  });

  it('that is longer than what is kept is cut, and a longer answer left out', () => {
    const { sampler, ring, scratch } = testSampler(1, RING_OCTETS);
    const long = new Uint8Array(5000).fill(7);
    sampler.begin(long, long.length);
    sampler.end(scratch, openSnapshot(world), { family: 4, octets: long }, 'tcp', long, long.length);
    const [sample] = samplesIn(ring);
    expect([sample?.query.length, sample?.queryLength]).toEqual([512, 5000]);
    expect([sample?.response.length, sample?.responseLength]).toEqual([0, 5000]);
  });
});

describe('what is sampled', () => {
  it('is every query at 1, and none without a sampler', () => {
    const { sampler } = testSampler(1, RING_OCTETS);
    expect([sampler.nextGap(), sampler.nextGap(), sampler.nextGap()]).toEqual([1, 1, 1]);
  });

  it.each([2, 7, 64, 1000])('is one in %d on average, whatever the traffic is in step with', (every) => {
    const { sampler } = testSampler(every, RING_OCTETS);
    const draws = 20_000;
    const byRest = new Array<number>(4).fill(0);
    let query = 0;
    for (let draw = 0; draw < draws; draw++) {
      const gap = sampler.nextGap();
      expect(Number.isInteger(gap) && gap >= 1).toBe(true);
      query += gap;
      byRest[query % 4] = (byRest[query % 4] ?? 0) + 1;
    }
    // Six standard deviations: a geometric draw deviates by about its mean.
    expect(Math.abs(query / draws / every - 1)).toBeLessThan(6 / Math.sqrt(draws));
    for (const count of byRest) expect(Math.abs(count - draws / 4)).toBeLessThan(6 * Math.sqrt(draws / 4));
  });

  it('is dropped and counted when there is no room, and goes on when there is', () => {
    const { sampler, ring, counters, scratch } = testSampler(1, 2 ** 14);
    const query = new Uint8Array(40);
    const take = (): void => {
      sampler.begin(query, query.length);
      sampler.end(scratch, openSnapshot(world), { family: 4, octets: query }, 'udp', query, query.length);
    };
    for (let count = 0; count < 100; count++) take();
    const taken = readCounter([counters], 'samples', 'taken');
    expect(taken).toBeGreaterThan(10);
    expect(taken + readCounter([counters], 'samples', 'dropped')).toBe(100);
    expect(samplesIn(ring)).toHaveLength(taken);
    take();
    expect(samplesIn(ring)).toHaveLength(1);
  });
});

describe('SampleDrain', () => {
  function stage(): {
    readonly take: (count: number) => void;
    readonly drain: SampleDrain;
    readonly seen: { samples: number; standFor: number; dropped: number };
    readonly clock: { nowMs: number; stepMs: number };
  } {
    const { sampler, ring, counters, scratch } = testSampler(1, 2 ** 14);
    const query = new Uint8Array(40);
    const seen = { samples: 0, standFor: 0, dropped: 0 };
    const clock = { nowMs: 0, stepMs: 0 };
    const drain = new SampleDrain({
      rings: [ring],
      counters: [counters],
      onSample: (_sample, scale) => {
        seen.samples++;
        seen.standFor += scale;
      },
      onDropped: (samples) => {
        seen.dropped += samples;
      },
      nowMs: () => {
        clock.nowMs += clock.stepMs;
        return clock.nowMs;
      },
    });
    const take = (count: number): void => {
      for (let index = 0; index < count; index++) {
        sampler.begin(query, query.length);
        sampler.end(scratch, openSnapshot(world), { family: 4, octets: query }, 'udp', query, query.length);
      }
    };
    return { take, drain, seen, clock };
  }

  it('lets the samples that got in stand for those that did not', () => {
    const { take, drain, seen } = stage();
    take(500);
    drain.drain(1);
    expect(seen.samples).toBeLessThan(200);
    expect(seen.samples + seen.dropped).toBe(500);
    expect(seen.standFor).toBeCloseTo(500, 6);
    take(10);
    drain.drain(1);
    expect(seen.standFor).toBeCloseTo(510, 6);
  });

  it('ends a turn when its time is over, and goes on in the next', () => {
    const { take, drain, seen, clock } = stage();
    take(60);
    clock.stepMs = 20;
    drain.drain(1);
    expect(seen.samples).toBe(32);
    drain.drain(1);
    expect(seen.samples).toBe(60);
  });
});

it('a worker that is started again goes on in the same ring', () => {
  const first = testSampler(1, 2 ** 14);
  const query = new Uint8Array(40);
  const take = (sampler: Sampler): void => {
    sampler.begin(query, query.length);
    sampler.end(first.scratch, openSnapshot(world), { family: 4, octets: query }, 'udp', query, query.length);
  };
  take(first.sampler);
  // Ends in the middle of a sample.
  first.sampler.begin(query, query.length);
  take(new Sampler({ every: 1, ring: first.ring }, first.counters, seededRandom(3)));
  expect(samplesIn(first.ring).map(({ queryLength }) => queryLength)).toEqual([40, 40]);
});

describe('the rate of samples', () => {
  it('falls where more would come in a second than are wanted, and rises again', () => {
    const ring = createSampleRing(2 ** 20);
    const counters = openCounters(createCounters());
    const sampler = new Sampler({ every: 2, perSecond: 100, ring }, counters, seededRandom(3));
    let nowMs = 1_000_000;
    const answerer = answererOf(sampler, counters, () => nowMs);
    const { packet } = digPacket('alias.example.org A');
    const slot = new Uint8Array(2048);
    /** Answers so many queries within a second; how many were sampled, and for how many the last one stands. */
    const second = (queries: number): { readonly taken: number; readonly weight: number } => {
      for (let i = 0; i < queries; i++)
        answerer.answer(
          packet,
          packet.length,
          { family: 4, octets: addressOctets('192.0.2.9') },
          'udp',
          slot,
        );
      const samples = samplesIn(ring);
      nowMs += 1000;
      answerer.tick();
      return { taken: samples.length, weight: samples.at(-1)?.weight ?? 0 };
    };
    expect(second(2000).weight).toBe(2);
    const slowed = second(2000);
    expect(slowed.weight).toBeGreaterThan(15);
    expect(slowed.weight).toBeLessThan(25);
    expect(slowed.taken).toBeLessThan(150);
    second(20);
    expect(second(20).weight).toBe(2);
  });
});
