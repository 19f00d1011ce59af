import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const files = globSync('{src,test,bench,geoip,scripts}/**/*.{ts,tsx,mjs}', { cwd: root });

/** Longer than this, and a file tells more than one story. */
const MOST_LINES_PER_FILE = 400;
/** Tables of cases are long, and read one by one. */
const MOST_LINES_PER_TEST = 460;
/** About 70, and a few for parameters that stand in lines of their own. */
const MOST_LINES_PER_FUNCTION = 75;

function isTest(file: string): boolean {
  return file.startsWith('test/');
}

const functionStart = /^ *(?=(?:export )?(?:async )?function\b|(?:export )?const \w+ = .*=> \{$)/;
const methodStart = /^ {2}(?=(?:static |async |private |get |set )*#?\w+(?:<.*>)?\()/;

/** Functions and methods with a name, by how the formatter indents them: each ends where a brace is as far left again. */
function functionsOf(text: string): readonly { readonly first: string; readonly lines: number }[] {
  const lines = text.split('\n');
  let inClass = false;
  return lines.flatMap((line, start) => {
    if (/^(?:export )?class /.test(line)) inClass = true;
    else if (line === '}') inClass = false;
    const indent = functionStart.exec(line)?.[0] ?? (inClass ? methodStart.exec(line)?.[0] : undefined);
    if (indent === undefined) return [];
    const end = lines.findIndex((later, at) => at > start && later.startsWith(`${indent}}`));
    return [{ first: line.trim(), lines: end - start + 1 }];
  });
}

describe('words and sizes', () => {
  it('has no drawer among its folders', () => {
    const drawers = files.filter((file) => /(^|\/)(utils?|helpers?|common|services?)(\/|\.)/.test(file));
    expect(drawers).toEqual([]);
  });

  it('names no exported thing after a vague role', () => {
    const vague =
      /export (?:class|interface|type|function|const) \w*(?:Manager|Service|Handler|Helpers?|Util|Info)\b/;
    const offences = files
      .filter((file) => file.startsWith('src/'))
      .filter((file) => vague.test(readFileSync(join(root, file), 'utf8')));
    expect(offences).toEqual([]);
  });

  it('keeps every file short', () => {
    const long = files
      .map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').split('\n').length - 1 }))
      .filter(({ file, lines }) => lines > (isTest(file) ? MOST_LINES_PER_TEST : MOST_LINES_PER_FILE));
    expect(long).toEqual([]);
  });

  it('keeps every function short', () => {
    const long = files.flatMap((file) =>
      functionsOf(readFileSync(join(root, file), 'utf8'))
        .filter(({ lines }) => lines > MOST_LINES_PER_FUNCTION)
        .map(({ first, lines }) => `${file}: ${first} ${lines} lines`),
    );
    expect(long).toEqual([]);
  });

  it('names files in kebab-case', () => {
    const odd = files.filter((file) => !/^[a-z0-9]+([.-][a-z0-9]+)*$/.test(basename(file)));
    expect(odd).toEqual([]);
  });
});
