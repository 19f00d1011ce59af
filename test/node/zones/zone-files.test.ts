import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BootedImages } from '../../../src/node/boot/booted-images.ts';
import type { CompileJob, ZoneFileResult } from '../../../src/node/compile/compile-job.ts';
import type { Compiler } from '../../../src/node/compile/compiler.ts';
import { readZoneFileJob } from '../../../src/node/zones/zone-file-job.ts';
import { ZoneFiles } from '../../../src/node/zones/zone-files.ts';

/* Which zone files are parsed, and which are known. */

const FILE = 'example.org.zone';
const head = '$TTL 60\n@ SOA ns1 hostmaster 1 7200 900 1209600 60\n@ NS ns1.example.net.\n';

let config: string;
let data: string;
let blobs: Set<string>;
let results: ZoneFileResult['kind'][];
let failures: unknown[];

beforeEach(() => {
  config = mkdtempSync(join(tmpdir(), 'meridian-zones-'));
  data = mkdtempSync(join(tmpdir(), 'meridian-data-'));
  blobs = new Set();
  results = [];
  failures = [];
});

afterEach(() => {
  for (const directory of [config, data]) rmSync(directory, { recursive: true, force: true });
});

function put(records: string): void {
  writeFileSync(join(config, FILE), head + records);
}

function start(booted: readonly SharedArrayBuffer[] = []): ZoneFiles {
  return new ZoneFiles({
    compiler: { run: runHere } as Pick<Compiler, 'run'>,
    booted: new BootedImages(booted),
    dataDirectory: data,
    hasBlob: (hash) => blobs.has(hash),
    onFailure: (error) => failures.push(error),
  });
}

async function runHere(job: CompileJob): Promise<unknown> {
  if (job.kind !== 'zone-file') throw new Error(`no ${job.kind} here`);
  const result = await readZoneFileJob(job.file);
  results.push(result.kind);
  return result;
}

/** Reads as the node does: the blob is stored and what is known of it kept. */
async function read(files: ZoneFiles): Promise<{ readonly blob: string; readonly image: SharedArrayBuffer }> {
  const { zone, problems } = await files.read(config, FILE);
  if (zone === undefined) throw new Error(JSON.stringify(problems));
  blobs.add(zone.blob);
  await files.settle(new Set([zone.blob]));
  const image = files.compiled(zone.blob)?.image;
  if (image === undefined) throw new Error('it was not compiled');
  return { blob: zone.blob, image };
}

describe('a zone file', () => {
  it('is parsed when it has changed, and only then', async () => {
    put('a A 192.0.2.1\n');
    const files = start();
    const { blob } = await read(files);
    expect((await read(files)).blob).toBe(blob);
    put('a A 192.0.2.2\n');
    expect((await read(files)).blob).not.toBe(blob);
    expect(results).toEqual(['read', 'same', 'read']);
  });

  it('is not parsed at a start that finds its image on disk', async () => {
    put('a A 192.0.2.1\n');
    const { blob, image } = await read(start());
    const again = await read(start([image]));
    expect([results, again.blob, again.image === image]).toEqual([['read', 'same'], blob, true]);
  });

  it.each([
    { name: 'its image is not there', booted: [], forget: () => {} },
    { name: 'its blob is not there', booted: ['image'], forget: () => blobs.clear() },
    {
      name: 'what was known of it is damaged',
      booted: ['image'],
      forget: () => writeFileSync(join(data, 'zone-files.json'), '{ "for'),
    },
  ])('is parsed at a start where $name', async ({ booted, forget }) => {
    put('a A 192.0.2.1\n');
    const { image } = await read(start());
    forget();
    await read(start(booted.map(() => image)));
    expect(results).toEqual(['read', 'read']);
  });

  it('is parsed each time while it includes another', async () => {
    writeFileSync(join(config, 'more'), 'b A 192.0.2.1\n');
    put('$INCLUDE more\n');
    const files = start();
    const { blob } = await read(files);
    writeFileSync(join(config, 'more'), 'b A 192.0.2.2\n');
    expect((await read(files)).blob).not.toBe(blob);
  });

  it('is parsed again after its blob was found damaged', async () => {
    put('a A 192.0.2.1\n');
    const files = start();
    const { blob } = await read(files);
    files.forget(blob);
    const { zone } = await files.read(config, FILE);
    expect([results, zone?.text === undefined]).toEqual([['read', 'read'], false]);
  });

  it('tells its mistakes, and its apex all the same', async () => {
    put('a A nowhere\n');
    const { zone, apex, problems } = await start().read(config, FILE);
    expect([zone, apex, problems.map(({ source }) => source?.line)]).toEqual([
      undefined,
      'example.org.',
      [4],
    ]);
  });

  it('leaves a full or missing data directory to the log', async () => {
    put('a A 192.0.2.1\n');
    rmSync(data, { recursive: true });
    await read(start());
    expect([failures.length, existsSync(data)]).toEqual([1, false]);
  });
});
