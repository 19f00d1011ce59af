import { stat } from 'node:fs/promises';
import { type Parsed, type Problem, reasonOf } from '../config/problem.ts';
import { loadGeoTable } from './load-geo.ts';

export interface GeoWatchOptions {
  /** `signatureOf` the files, taken before the table in use was read; unless told, what the first look finds. */
  readonly used?: string;
  /** Makes the table; `loadGeoTable` on this thread unless told. A server gives one that works off its main thread. */
  readonly load?: () => Promise<Parsed<SharedArrayBuffer>>;
}

/**
 * Makes a look at the files, to be taken every few seconds. It hands over a new table whenever the files have
 * changed since the table in use was read, and the problems when they cannot be used: whoever looks then keeps the table it
 * has. Files that are still being written are left alone until two looks find them alike; one that is broken all
 * the same is told as a problem, and read again when it changes. A look never rejects.
 */
export function createGeoLook(
  paths: readonly string[],
  onTable: (table: SharedArrayBuffer) => void,
  onProblem: (problems: readonly Problem[]) => void,
  options: GeoWatchOptions = {},
): () => Promise<void> {
  const load = options.load ?? (() => loadGeoTable(paths));
  let used = options.used;
  let latest: string | undefined;
  return async () => {
    const before = latest;
    latest = await signatureOf(paths);
    if (used === undefined) {
      used = latest;
      return;
    }
    if (latest === used || latest !== before) return;
    used = latest;
    try {
      const loaded = await load();
      if (loaded.ok) onTable(loaded.value);
      else onProblem(loaded.problems);
    } catch (error) {
      const message = `the geo files could not be read: ${reasonOf(error)}`;
      onProblem([{ code: 'geo-file-broken', path: paths.join(' '), message }]);
    }
  };
}

/** Differs when a file was written, replaced, removed or created. */
export async function signatureOf(paths: readonly string[]): Promise<string> {
  const parts = await Promise.all(
    paths.map(async (path) => {
      try {
        const { mtimeMs, size, ino } = await stat(path);
        return `${path} ${mtimeMs}/${size}/${ino}`;
      } catch {
        return `${path} none`;
      }
    }),
  );
  return parts.join(' ');
}
