import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { locateClient, openGeoTable } from '../../src/geo/table.ts';
import { createGeoLook } from '../../src/geofiles/watch-geo-files.ts';
import { addressOctets, prefixBits, writeMmdb } from '../geo/mmdb-writer.ts';

let directory: string;
let path: string;
let told: string[];
let look: () => Promise<void>;
let writes: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'geo-watch-'));
  path = join(directory, 'city.mmdb');
  told = [];
  writes = 0;
  look = createGeoLook(
    [path],
    (table) => told.push(locateClient(openGeoTable(table), 4, addressOctets('192.0.2.1')).country),
    (problems) => told.push(...problems.map((problem) => problem.code)),
  );
});
afterEach(() => rmSync(directory, { recursive: true }));

function fileFor(country: string): Buffer {
  return writeMmdb([{ bits: prefixBits('192.0.2.0/24'), value: { country_code: country } }]);
}

/** Each write has its own time, however fast the test runs. */
function write(bytes: Uint8Array): void {
  writeFileSync(path, bytes);
  writes += 1;
  utimesSync(path, 1_700_000_000 + writes, 1_700_000_000 + writes);
}

async function looks(count: number): Promise<string> {
  for (let at = 0; at < count; at++) await look();
  return told.splice(0).join(' ');
}

it('says nothing while nothing changes', async () => {
  write(fileFor('FR'));
  expect(await looks(4)).toBe('');
});

it('hands a changed file over once it has settled, and once', async () => {
  write(fileFor('FR'));
  await looks(1);
  write(fileFor('JP'));
  expect(await looks(1)).toBe('');
  expect(await looks(1)).toBe('JP');
  expect(await looks(3)).toBe('');
});

it('leaves a file alone while it grows', async () => {
  const whole = fileFor('JP');
  write(fileFor('FR'));
  await looks(1);
  for (const part of [0.25, 0.5, 0.75, 1]) {
    write(whole.subarray(0, whole.length * part));
    expect(await looks(1)).toBe('');
  }
  expect(await looks(1)).toBe('JP');
});

it('tells of a half-written file once, and takes the whole one later', async () => {
  const whole = fileFor('JP');
  write(fileFor('FR'));
  await looks(1);
  write(whole.subarray(0, whole.length / 2));
  expect(await looks(4)).toBe('geo-file-broken');
  write(whole);
  expect(await looks(2)).toBe('JP');
});

it('tells of a removed file, and takes it when it is back', async () => {
  write(fileFor('FR'));
  await looks(1);
  rmSync(path);
  expect(await looks(3)).toBe('geo-file-missing');
  write(fileFor('FR'));
  expect(await looks(2)).toBe('FR');
});

it('tells when the given loader fails', async () => {
  const failing = createGeoLook(
    [path],
    () => told.push('table'),
    (problems) => told.push(...problems.map((problem) => problem.message)),
    { load: () => Promise.reject(new Error('the thread ended')) },
  );
  await failing();
  write(fileFor('FR'));
  await failing();
  await failing();
  expect(told).toEqual(['the geo files could not be read: the thread ended']);
});
