import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { previewConfig } from '../../../src/config/apply-changes.ts';
import { type Change, type Config, rrsetKey } from '../../../src/config/model.ts';
import { MAX_PLAIN_RRSETS } from '../../../src/config/rrset-map.ts';
import { BootedImages } from '../../../src/node/boot/booted-images.ts';
import type { CompileJob, ZoneJob } from '../../../src/node/compile/compile-job.ts';
import { compileZoneJob } from '../../../src/node/compile/compile-zone-job.ts';
import type { Compiler } from '../../../src/node/compile/compiler.ts';
import { readRRset } from '../../../src/node/zones/read-zone-image.ts';
import { ZoneImages, type ZoneNumbers } from '../../../src/node/zones/zone-images.ts';
import { API, configOf, FILE, record, write, zone } from '../../config/config-fixture.ts';

/* Zones as the publisher makes them: which are edited, which compiled, and what they then hold. */

const APEX = 'example.org.';
const numbers: ZoneNumbers = {
  slotOf: () => undefined,
  dataCenterIndex: () => undefined,
  mapFor: () => undefined,
};

const blobText =
  'example.net. 60 IN SOA ns.example.org. host.example.org. 7 1 1 1 1\nexample.net. 60 IN NS ns.example.org.\n';

let jobs: ZoneJob[];
let held: Set<string>;
let texts: Map<string, Uint8Array>;
let images: ZoneImages;

beforeEach(() => {
  jobs = [];
  texts = new Map();
  held = new Set();
  images = imagesAfter([]);
});

/** As after a start that found these images on disk. */
function imagesAfter(found: readonly SharedArrayBuffer[]): ZoneImages {
  return new ZoneImages({
    compiler: { run: compileHere } as Pick<Compiler, 'run'>,
    blobText: (hash) => texts.get(hash),
    hasBlob: (blob) => held.size === 0 || held.has(blob),
    compiledFile: () => undefined,
    booted: new BootedImages(found),
  });
}

/** Runs jobs of the compile thread at once. */
async function compileHere(job: CompileJob): Promise<unknown> {
  if (job.kind === 'copy') return new Uint8Array(job.to).set(new Uint8Array(job.from));
  if (job.kind !== 'zone') throw new Error(`no ${job.kind} here`);
  jobs.push(job.zone);
  return compileZoneJob(job.zone);
}

function large(): Config {
  const one = record('h.example.org', 'A', ['192.0.2.1']);
  const hosts = Array.from({ length: MAX_PLAIN_RRSETS + 10 }, (_, i): Change => {
    const name = `h${i}.example.org.`;
    return { ...one, key: rrsetKey(name, 'A'), value: { ...one.value, name } } as Change;
  });
  return previewConfig(configOf(write('zones', zone)), hosts);
}

function recordsOf(key: string): readonly string[] | undefined {
  const image = images.imageOf(APEX);
  return image === undefined ? undefined : readRRset(image, key)?.records;
}

function remove(name: string, type: string): Change {
  return { collection: 'rrsets', zone: APEX, key: rrsetKey(name, type), owner: API, value: undefined };
}

describe('a large zone of the API', () => {
  it('is compiled on the compile thread once, and edited from then on', async () => {
    let config = large();
    await images.compile(config, APEX, numbers);
    for (const change of [
      record('h7.example.org', 'A', ['192.0.2.9']),
      record('new.example.org', 'TXT', ['"new"']),
      remove('h8.example.org.', 'A'),
    ]) {
      config = { ...previewConfig(config, [change]), zoneSerials: new Map([[APEX, 7]]) };
      await images.edit(config, APEX, numbers);
    }
    expect(jobs).toHaveLength(1);
    expect(
      ['h7.example.org. A', 'new.example.org. TXT', 'h8.example.org. A', 'h9.example.org. A'].map(recordsOf),
    ).toEqual([['192.0.2.9'], ['"new"'], undefined, ['192.0.2.1']]);
    const serial = recordsOf('example.org. SOA')?.[0]?.split(' ')[2];
    expect(serial).toBe('7');
    // What a merge brings may count and change nothing else.
    await images.edit({ ...config, zoneSerials: new Map([[APEX, 9]]) }, APEX, numbers);
    expect(jobs).toHaveLength(1);
    expect(recordsOf('example.org. SOA')?.[0]?.split(' ')[2]).toBe('9');
  });

  it('is compiled anew for a delegation, and can be edited again after that', async () => {
    let config = large();
    await images.compile(config, APEX, numbers);
    for (const change of [
      record('sub.example.org', 'NS', ['ns.example.net.']),
      record('h7.example.org', 'A', ['192.0.2.9']),
    ]) {
      config = previewConfig(config, [change]);
      await images.edit(config, APEX, numbers);
    }
    expect(jobs).toHaveLength(2);
    expect(['sub.example.org. NS', 'h7.example.org. A'].map(recordsOf)).toEqual([
      ['ns.example.net.'],
      ['192.0.2.9'],
    ]);
  });

  it('is compiled each time while something of it cannot be served, and tells what', async () => {
    const broken = record('bad.example.org', 'A', ['192.0.2.1']);
    const value = { ...broken.value, records: ['no address'] };
    let config = previewConfig(large(), [{ ...broken, value } as Change]);
    await images.compile(config, APEX, numbers);
    config = previewConfig(config, [record('h7.example.org', 'A', ['192.0.2.9'])]);
    await images.edit(config, APEX, numbers);
    expect(images.problems().map(({ path }) => path)).toEqual([
      'zones/example.org./rrsets/bad.example.org. A/records/0',
    ]);
    expect(recordsOf('h7.example.org. A')).toEqual(['192.0.2.9']);
    config = previewConfig(config, [remove('bad.example.org.', 'A')]);
    await images.edit(config, APEX, numbers);
    expect(images.problems()).toEqual([]);
  });
});

describe('a small zone', () => {
  it('is compiled where it is, without room that nobody uses', async () => {
    const config = configOf(write('zones', zone), record('a.example.org', 'A', ['192.0.2.1']));
    await images.compile(config, APEX, numbers);
    expect([jobs.length, recordsOf('a.example.org. A')]).toEqual([0, ['192.0.2.1']]);
    expect(images.imageOf(APEX)?.byteLength).toBeLessThan(5000);
  });
});

describe('a zone file', () => {
  const apex = 'example.net.';
  const hash = 'd'.repeat(64);
  const zoneOf = (blob: string): Change => ({
    collection: 'zones',
    key: apex,
    owner: FILE,
    value: { kind: 'blob', name: apex, blob, rrsetCount: 2 },
  });
  const config = configOf(zoneOf(hash));

  it('keeps what it was when its blob is damaged, and says so', async () => {
    texts.set(hash, new TextEncoder().encode(blobText));
    await images.compile(config, apex, numbers);
    expect(images.problems().map(({ code }) => code)).toEqual(['damaged-blob']);
    expect(images.imageOf(apex)).toBeUndefined();
  });

  it('goes on with what it was while its new blob has not come yet, also over a start', async () => {
    const whole = createHash('sha256').update(blobText).digest('hex');
    texts.set(whole, new TextEncoder().encode(blobText));
    const first = configOf(zoneOf(whole));
    await images.compile(first, apex, numbers);
    const before = images.imageOf(apex);
    expect(before).toBeDefined();
    const other = previewConfig(first, [zoneOf('e'.repeat(64))]);
    held.add(whole);
    await images.compile(other, apex, numbers);
    expect(images.imageOf(apex)).toBe(before);
    expect(images.problems().map(({ code }) => code)).toEqual(['missing-blob']);
    images = imagesAfter(before === undefined ? [] : [before]);
    await images.compile(other, apex, numbers);
    expect(images.imageOf(apex)).toBe(before);
    expect(images.problems().map(({ code }) => code)).toEqual(['missing-blob']);
  });

  it('says so when its blob has gone', async () => {
    await images.compile(config, apex, numbers);
    expect(images.problems().map(({ code }) => code)).toEqual(['missing-blob']);
  });
});
