import { describe, expect, it } from 'vitest';
import { decodeMessage } from '../../src/dns/message.ts';
import { createCounters, openCounters, readCounter } from '../../src/observe/counters.ts';
import { Answerer } from '../../src/server/answerer.ts';
import { type BugReport, createBugReporter } from '../../src/server/bug-reporter.ts';
import { createRandomSource } from '../../src/server/random.ts';
import { createSenderAddress } from '../../src/server/sender-address.ts';
import { queryFor, testSnapshot } from './test-snapshot.ts';

interface Stage {
  readonly answerer: Answerer;
  readonly reports: BugReport[];
  readonly errors: () => number;
  nowMs: number;
}

function setUp(): Stage {
  const counters = openCounters(createCounters());
  const reports: BugReport[] = [];
  const stage = { reports, errors: () => readCounter([counters], 'errors', 'bug'), nowMs: 0 };
  const reportBug = createBugReporter(
    counters,
    () => stage.nowMs,
    (report) => reports.push(report),
  );
  const answerer = new Answerer(testSnapshot(), counters, createRandomSource(), reportBug);
  return Object.assign(stage, { answerer });
}

/** A response buffer whose every store throws once: stands for any bug on the query path. */
function faulty(octets: Uint8Array, stores: number): Uint8Array {
  let left = stores;
  return new Proxy(octets, {
    set(target, key, value) {
      if (left-- > 0) throw new TypeError('a bug');
      return Reflect.set(target, key, value);
    },
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('Answerer', () => {
  it('turns a bug into SERVFAIL, and goes on', () => {
    const stage = setUp();
    const query = queryFor('www.example.org', 'A');
    const octets = new Uint8Array(512);
    const length = stage.answerer.answer(
      query,
      query.length,
      createSenderAddress(),
      'udp',
      faulty(octets, 1),
    );
    const message = decodeMessage(octets.subarray(0, length));
    expect(message.ok && message.value.rcode).toBe(2);
    expect(stage.errors()).toBe(1);
    expect(stage.reports[0]).toMatchObject({ transport: 'udp', message: 'a bug', unreported: 0 });
    expect(stage.reports[0]?.packetHex).toBe(Buffer.from(query).toString('hex'));

    const after = stage.answerer.answer(query, query.length, createSenderAddress(), 'udp', octets);
    const good = decodeMessage(octets.subarray(0, after));
    expect(good.ok && good.value.rcode).toBe(0);
  });

  it('reports one bug a second and counts them all', () => {
    const stage = setUp();
    const query = queryFor('www.example.org', 'A');
    for (let round = 0; round < 50; round++)
      stage.answerer.answer(
        query,
        query.length,
        createSenderAddress(),
        'tcp',
        faulty(new Uint8Array(512), 1),
      );
    stage.nowMs = 1_000;
    stage.answerer.answer(query, query.length, createSenderAddress(), 'tcp', faulty(new Uint8Array(512), 1));
    expect(stage.errors()).toBe(51);
    expect(stage.reports.map(({ unreported }) => unreported)).toEqual([0, 49]);
  });
});

describe('createRandomSource', () => {
  it('spreads its draws evenly', () => {
    const random = createRandomSource();
    const buckets = new Array<number>(16).fill(0);
    let odd = 0;
    for (let draw = 0; draw < 160_000; draw++) {
      const value = random.nextUint32();
      if (value >>> 0 !== value) odd++;
      const bucket = value >>> 28;
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    expect(odd).toBe(0);
    // Six standard deviations of a fair draw are about 580.
    for (const count of buckets) expect(Math.abs(count - 10_000)).toBeLessThan(600);
  });

  it('starts each time elsewhere', () => {
    expect(createRandomSource().nextUint32()).not.toBe(createRandomSource().nextUint32());
  });
});
