import { readFileSync } from 'node:fs';

/** The version of this package, from its manifest; the sources and the built program lie equally deep below it. */
export function packageVersion(): string {
  const contents: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return contents !== null && typeof contents === 'object' && 'version' in contents
    ? String(contents.version)
    : 'unknown';
}
