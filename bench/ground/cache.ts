import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const directory = fileURLToPath(new URL('../../node_modules/.cache/meridian-bench', import.meta.url));

/** Where benchmarks keep what takes long to make: the joined mmdb, zones, the compiled load generator. */
export function cacheDirectory(): string {
  mkdirSync(directory, { recursive: true });
  return directory;
}
