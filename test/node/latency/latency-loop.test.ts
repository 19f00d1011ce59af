import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Config } from '../../../src/config/model.ts';
import { type Address, parseAddress } from '../../../src/dns/address.ts';
import { NOWHERE } from '../../../src/geo/location.ts';
import type { SentLine } from '../../../src/latency/check-batch.ts';
import { LatencyLedger } from '../../../src/latency/ledger.ts';
import { LatencyLoop } from '../../../src/node/latency/latency-loop.ts';
import { formatLedger, parseLedger, readLedger } from '../../../src/node/latency/ledger-file.ts';
import type { MeasuredFigures } from '../../../src/steering/measured.ts';
import { configOf, fra, sin, write } from '../../config/config-fixture.ts';
import { temporaryDirectory } from '../../e2e/node-process.ts';
import { places } from '../../geo/table-of.ts';

const START = Date.UTC(2026, 0, 1, 12);
const MINUTE = 60_000;

const ranked = configOf(
  write('dataCenters', fra),
  write('dataCenters', sin),
  write('policies', { name: 'measured', rank: { kind: 'latency' } }),
);

const loops: LatencyLoop[] = [];
afterEach(async () => {
  for (const loop of loops.splice(0)) await loop.close();
});

/** A loop with a clock that the test turns, and what it published. */
function started(config: Config = ranked, isPublished = true) {
  let nowMs = START;
  let served = config;
  const published: string[] = [];
  const failed: string[] = [];
  const kept: number[] = [];
  const loop = new LatencyLoop({
    ledger: new LatencyLedger(),
    steering: new Map(),
    config: () => served,
    locate: () => ({ ...NOWHERE, ...places.paris, coordinates: places.paris, asn: 64_500 }),
    publish: async (figures) => {
      if (!isPublished) throw new Error('no');
      published.push(told(figures));
    },
    keep: async (steering) => void kept.push(steering.size),
    onFailure: (_, what) => failed.push(what),
    nowMs: () => nowMs,
    steadyMs: () => nowMs,
    pause: async () => {},
  });
  loops.push(loop);
  return {
    loop,
    published,
    failed,
    kept,
    serve: (next: Config) => {
      served = next;
    },
    push: (fraMs: number, sinMs: number, client = '192.0.2.1') =>
      loop.take(batch(nowMs, client, { fra: fraMs, sin: sinMs }), undefined),
    pass: async (minutes: number) => {
      nowMs += minutes * MINUTE;
      await loop.tick();
    },
  };
}

/** Thirty samples for each data center, over the last ten minutes. */
function batch(nowMs: number, client: string, ms: Readonly<Record<string, number>>): SentLine[] {
  return Object.entries(ms).flatMap(([dataCenter, milliseconds]) =>
    Array.from({ length: 30 }, (_, at) => ({
      path: `measurements/${at}`,
      sent: { client, dataCenter, milliseconds, atSeconds: (nowMs - at * 20_000) / 1000 },
    })),
  );
}

/** Of the prefixes only. */
function told({ groups, dataCenters, milliseconds }: MeasuredFigures): string {
  return groups
    .flatMap((group, row) => {
      const figures = dataCenters.map(
        (name, at) => `${name} ${Math.round(milliseconds[row * dataCenters.length + at] ?? 0)}`,
      );
      return group.includes('/') ? [`${group} ${figures.join(' ')}`] : [];
    })
    .join('; ');
}

const paris = parseAddress('192.0.2.7') as Address;

describe('the loop', () => {
  it('publishes what is measured, once a minute at most, and lets it expire', async () => {
    const { published, push, pass, loop } = started();
    await pass(0);
    expect(published).toEqual([]);
    expect(push(90, 20)).toEqual({ kind: 'taken', count: 60 });
    await pass(0);
    expect(published).toEqual(['192.0.2.0/24 fra 89 sin 20']);
    expect(loop.client(paris)).toMatchObject({ decidedBy: '192.0.2.0/24', asn: 64_500 });
    push(90, 20, '203.0.113.1');
    await pass(0.9);
    expect(published).toHaveLength(1);
    await pass(0.2);
    expect(published[1]).toBe('192.0.2.0/24 fra 89 sin 20; 203.0.113.0/24 fra 89 sin 20');
    for (let hour = 0; hour < 8; hour += 1) await pass(60);
    expect(published.at(-1)).toBe('');
    expect(loop.client(paris).decidedBy).toBeNull();
    for (let hour = 0; hour < 20; hour += 1) await pass(60);
    expect(loop.summary()).toMatchObject({
      sketches: 0,
      cells: 0,
      groups: { prefix: 0, asn: 0, country: 0 },
    });
  });

  it('says why, for each group and data center', async () => {
    const { push, pass, loop } = started();
    push(90, 20);
    for (let site = 0; site < 60; site += 1) push(90, 20, `2001:db8:${site}::1`);
    await pass(0);
    const [prefix, asn] = loop.client(paris).groups;
    expect(prefix).toMatchObject({
      group: '192.0.2.0/24',
      unit: 'round-trip',
      steers: true,
      why: 'Its figures steer; what was measured since differs too little to change them.',
    });
    expect(prefix?.dataCenters[0]).toMatchObject({
      dataCenter: 'fra',
      samples: 30,
      why: 'It has enough fresh samples.',
    });
    expect(asn).toMatchObject({ group: 'AS64500', unit: 'detour', steers: true });
    const other = loop.client(parseAddress('203.0.113.1') as Address);
    expect(other.groups[0]).toMatchObject({ steers: false, why: 'No data center has enough fresh samples.' });
    expect(other.decidedBy).toBe('AS64500');
  });

  it('publishes nothing where no policy ranks by latency, and does once one does', async () => {
    const without = configOf(write('dataCenters', fra), write('dataCenters', sin));
    const { published, push, pass, loop, serve } = started(without);
    push(90, 20);
    await pass(0);
    expect(published).toEqual([]);
    expect(loop.client(paris).why).toBe('No policy ranks by latency, so that nothing measured steers.');
    serve(ranked);
    await pass(1);
    expect(published).toHaveLength(1);
  });

  it('takes nothing of a bad batch, and not more than it can', () => {
    const { loop, push } = started();
    const good = batch(START, '192.0.2.1', { fra: 10, sin: 20 });
    const bad = batch(START, '192.0.2.1', { nowhere: 10 });
    expect(loop.take([...good, ...bad], undefined).kind).toBe('refused');
    expect(loop.summary()).toMatchObject({
      sketches: 0,
      measurements: { taken: 0, invalid: 90, tooMany: 0 },
    });
    const many = Array.from({ length: 2000 }, () => good[0] as SentLine);
    const outcomes = Array.from({ length: 11 }, () => loop.take(many, undefined).kind);
    expect(outcomes).toEqual([...new Array(10).fill('taken'), 'too-many']);
    expect(push(1, 1)).toEqual({ kind: 'too-many', waitMs: 60 });
  });

  it('goes on with what steered when it cannot publish, and tries again', async () => {
    const { failed, push, pass, loop } = started(ranked, false);
    push(90, 20);
    await pass(0);
    await pass(1);
    expect(failed).toEqual(['publish', 'publish']);
    expect(loop.client(paris).decidedBy).toBeNull();
  });

  it('forgets a data center that is gone', async () => {
    const { published, push, pass, serve, loop } = started();
    push(90, 20);
    await pass(0);
    serve(
      configOf(write('dataCenters', fra), write('policies', { name: 'measured', rank: { kind: 'latency' } })),
    );
    await pass(1);
    expect(published.at(-1)).toBe('');
    expect(loop.client(paris).groups[0]?.dataCenters.map(({ dataCenter }) => dataCenter)).toEqual(['fra']);
  });

  it('keeps what it knows every few minutes and at its end, but not when nothing is new', async () => {
    const { push, pass, kept, loop } = started();
    push(90, 20);
    await pass(1);
    expect(kept).toEqual([]);
    await pass(5);
    await pass(5);
    expect(kept).toHaveLength(1);
    push(90, 20);
    await loop.close();
    expect(kept).toHaveLength(2);
  });
});

describe('the file', () => {
  function filled(): LatencyLedger {
    const ledger = new LatencyLedger();
    for (const { sent } of batch(START, '192.0.2.1', { fra: 10, sin: 200 }))
      ledger.add(
        { ...sent, client: paris, atMs: (sent.atSeconds ?? 0) * 1000 },
        { ...NOWHERE, asn: 64_500, country: 'FR', coordinates: places.paris },
        fra,
      );
    return ledger;
  }
  const steering = new Map([['AS64500', { sinceMs: START, milliseconds: new Map([['fra', 10]]) }]]);
  const written = (ledger: LatencyLedger): Uint8Array => Buffer.concat([...formatLedger(ledger, steering)]);
  const entriesOf = (ledger: LatencyLedger): unknown => [...ledger.entries()];

  it('holds everything', () => {
    const ledger = filled();
    const read = new LatencyLedger();
    expect(parseLedger(written(ledger), read)).toEqual(steering);
    expect(entriesOf(read)).toEqual(entriesOf(ledger));
    expect(read.size).toEqual(ledger.size);
  });

  it('is as good as none when a single octet is wrong, or missing, or it is something else', () => {
    const octets = written(filled());
    for (let at = 0; at < octets.length; at += 97) {
      const damaged = Uint8Array.from(octets);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      expect(parseLedger(damaged, new LatencyLedger())).toBeUndefined();
      expect(parseLedger(octets.subarray(0, at), new LatencyLedger())).toBeUndefined();
    }
    const directory = temporaryDirectory();
    const path = join(directory.path, 'latency');
    expect(readLedger(path, new LatencyLedger())).toBeUndefined();
    writeFileSync(path, randomBytes(1000));
    expect(readLedger(path, new LatencyLedger())).toBeUndefined();
    directory.remove();
  });
});
