import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const files = globSync('{src,test,bench,geoip,scripts}/**/*.{ts,tsx,mjs}', { cwd: root });

/** Longer than this, and a file tells more than one story. */
const MOST_LINES_PER_FILE = 420;

describe('words and sizes', () => {
  it('has no drawer among its folders', () => {
    const drawers = files.filter((file) => /(^|\/)(utils?|helpers?|common|services?)(\/|\.)/.test(file));
    expect(drawers).toEqual([]);
  });

  it('names no exported thing after a vague role', () => {
    const vague =
      /export (?:class|interface|type|function|const) \w*(?:Manager|Service|Handler|Helper|Util|Info)\b/;
    const offences = files
      .filter((file) => file.startsWith('src/'))
      .filter((file) => vague.test(readFileSync(join(root, file), 'utf8')));
    expect(offences).toEqual([]);
  });

  it('keeps every source file short', () => {
    const long = files
      .filter((file) => file.startsWith('src/'))
      .map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').split('\n').length }))
      .filter(({ lines }) => lines > MOST_LINES_PER_FILE);
    expect(long).toEqual([]);
  });

  it('names files in kebab-case', () => {
    const odd = files.filter((file) => !/^[a-z0-9]+([.-][a-z0-9]+)*$/.test(basename(file)));
    expect(odd).toEqual([]);
  });
});
