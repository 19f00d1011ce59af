import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type BootManifest,
  imagesOf,
  readBootManifest,
  writeBootManifest,
} from '../../../src/node/boot/boot-manifest.ts';
import { temporaryDirectory } from '../../e2e/node-process.ts';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const manifest: BootManifest = {
  zones: [A],
  maps: [null, B],
  dataCenters: ['fra', null, 'syd'],
  slots: ['web/fra', null],
};

let data: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  data = temporaryDirectory();
});
afterEach(() => data.remove());

describe('a boot manifest', () => {
  it('is read as it was written', () => {
    writeBootManifest(data.path, manifest);
    expect(readBootManifest(data.path)).toEqual(manifest);
  });

  it('names its images', () => {
    expect([...imagesOf(manifest)]).toEqual([A, B]);
  });

  it('replaces the one before', () => {
    writeBootManifest(data.path, manifest);
    writeBootManifest(data.path, { ...manifest, zones: [] });
    expect(readBootManifest(data.path)?.zones).toEqual([]);
  });

  it('is refused by a disk that is not there', () => {
    expect(() => writeBootManifest(join(data.path, 'none'), manifest)).toThrow('ENOENT');
  });

  const damages: readonly { readonly name: string; readonly given: (text: string) => string }[] = [
    { name: 'cut short', given: (text) => text.slice(0, -1) },
    { name: 'empty', given: () => '' },
    { name: 'with one letter changed', given: (text) => text.replace('fra', 'frb') },
    { name: 'of another format', given: (text) => text.replace('meridian-boot 1', 'meridian-boot 2') },
    {
      name: 'of another version of the program',
      given: (text) => text.replace(/^(meridian-boot 1) \S+/, '$1 0.0.0'),
    },
    { name: 'without its first line', given: (text) => text.slice(text.indexOf('\n') + 1) },
  ];
  it.each(damages)('is not read when it is $name', ({ given }) => {
    writeBootManifest(data.path, manifest);
    const path = join(data.path, 'boot-manifest');
    writeFileSync(path, given(readFileSync(path, 'utf8')));
    expect(readBootManifest(data.path)).toBeUndefined();
  });

  const strange: readonly { readonly name: string; readonly given: object }[] = [
    { name: 'a path for an image', given: { ...manifest, zones: ['../../etc/passwd'] } },
    { name: 'no maps', given: { ...manifest, maps: undefined } },
    { name: 'a number for a name', given: { ...manifest, slots: [1] } },
  ];
  it.each(strange)('is not read with $name', ({ given }) => {
    writeBootManifest(data.path, given as BootManifest);
    expect(readBootManifest(data.path)).toBeUndefined();
  });

  it('is none in an empty directory', () => {
    expect(readBootManifest(data.path)).toBeUndefined();
  });
});
