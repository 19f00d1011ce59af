import { readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ImageCache } from '../../../src/node/compile/image-cache.ts';
import { imagePath, readImageFile } from '../../../src/node/compile/image-file.ts';
import { temporaryDirectory } from '../../e2e/node-process.ts';

let data: ReturnType<typeof temporaryDirectory>;
let served: Set<string>;
let cache: ImageCache;

beforeEach(() => {
  data = temporaryDirectory();
  served = new Set();
  cache = new ImageCache(data.path, () => served);
});
afterEach(() => data.remove());

function imageOf(text: string): SharedArrayBuffer {
  const octets = new TextEncoder().encode(text);
  const image = new SharedArrayBuffer(octets.length);
  new Uint8Array(image).set(octets);
  return image;
}

function textOf(image: SharedArrayBuffer | undefined): string | undefined {
  return image === undefined ? undefined : Buffer.from(image).toString();
}

/** As if nothing had been done with the directory for a day. */
function grow(): void {
  const yesterday = new Date(Date.now() - 86_400_000);
  for (const file of readdirSync(data.path)) utimesSync(join(data.path, file), yesterday, yesterday);
}

describe('images on disk', () => {
  it('are found by what they were made from', () => {
    cache.keep(['map 1', 'x'], imageOf('one'));
    expect(textOf(cache.load(['map 1', 'x']))).toBe('one');
    expect(cache.load(['map 1x', ''])).toBeUndefined();
  });

  it('may go while room is made', () => {
    // Told by the directory, and then not to be found.
    symlinkSync('nowhere', join(data.path, 'gone.image'));
    expect(() => cache.sweep()).not.toThrow();
  });

  it('share a file where they are the same', () => {
    cache.keep(['x'], imageOf('one'));
    cache.keep(['y'], imageOf('one'));
    const name = cache.keepImage(imageOf('one'));
    expect(readdirSync(data.path).filter((file) => file.endsWith('.image'))).toEqual([`${name}.image`]);
  });

  it('are not read when an octet is another, and are then written anew', () => {
    cache.keep(['x'], imageOf('one'));
    const path = imagePath(data.path, cache.keepImage(imageOf('one')));
    const octets = readFileSync(path);
    octets[octets.length - 1] = 0;
    writeFileSync(path, octets);
    expect(readImageFile(path)).toBeUndefined();
    expect(cache.load(['x'])).toBeUndefined();
    cache.keep(['x'], imageOf('one'));
    expect(textOf(cache.load(['x']))).toBe('one');
  });

  it.each(['', 'MDC', 'something else entirely'])('are not read from a file that says "%s"', (text) => {
    const path = join(data.path, 'x.image');
    writeFileSync(path, text);
    expect(readImageFile(path)).toBeUndefined();
  });

  it('go when nothing names them any more, but for those that are served and those that are new', () => {
    const old = cache.keepImage(imageOf('old'));
    const kept = cache.keepImage(imageOf('served'));
    cache.keep(['x'], imageOf('made'));
    served.add(kept);
    grow();
    const fresh = cache.keepImage(imageOf('fresh'));
    cache.sweep();
    const left = readdirSync(data.path).filter((file) => file.endsWith('.image'));
    expect(left).not.toContain(`${old}.image`);
    expect(left).toEqual(expect.arrayContaining([`${kept}.image`, `${fresh}.image`]));
    expect(textOf(cache.load(['x']))).toBe('made');
  });
});
