import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

import { type HeapRound, hasQuietRound } from './heap-rounds.ts';

const child = join(import.meta.dirname, 'hot-path-child.ts');

interface Outcome {
  readonly queries: number;
  readonly answered: number;
  readonly rounds: readonly HeapRound[];
  readonly bugs: readonly string[];
}

async function run(flags: readonly string[], queries: number): Promise<Outcome> {
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, child, String(queries)]);
  return JSON.parse(stdout);
}

/** V8 keeps some 100 kB of its own, whatever is run; one number on the heap per query would be 12 million octets. */
const MAX_HEAP_OCTETS = 500_000;

describe('the path of a query', () => {
  it('allocates nothing and has nothing collected over a million queries', async () => {
    const { queries, answered, rounds, bugs } = await run(['--expose-gc'], 1_000_000);
    expect([queries, answered > 40 * queries, bugs]).toEqual([1_000_000, true, []]);
    expect(rounds).toSatisfy((all: readonly HeapRound[]) => hasQuietRound(all, MAX_HEAP_OCTETS));
  });

  it('has no megamorphic site', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'meridian-sites-'));
    try {
      const log = join(directory, 'v8.log');
      await run(['--log-ic', '--no-logfile-per-isolate', `--logfile=${log}`], 30_000);
      const sites = inlineCaches(await readFile(log, 'utf8'));
      // Enough of them, or this log is not what we think it is.
      expect(sites.length).toBeGreaterThan(200);
      expect(sites.filter(({ state }) => state === MEGAMORPHIC).map(({ where }) => where)).toEqual([]);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

/** V8's letter for a site that has met too many shapes to remember them. */
const MEGAMORPHIC = 'N';

/** What runs for every query; what opens a snapshot or compiles is not among it. */
const hotPath =
  /src\/(answer\/(?!explain)|dns\/(query|opt|hashed-name|put-integer)|geo\/map\.|protection\/|server\/answerer|snapshot\/(zone-image|zone-directory)|steering\/(choose|run-program|pool-image|spill)|observe\/(counters|samples))/;

interface Site {
  readonly where: string;
  readonly state: string;
}

/**
 * The inline caches of the hot path in V8's log, with the state into which each went.
 *
 *     code-creation,kind,level,time,address,size,function file:line:column,...
 *     LoadIC,address,time,line,column,old state,new state,...
 */
function inlineCaches(log: string): readonly Site[] {
  const code: { readonly start: bigint; readonly end: bigint; readonly file: string }[] = [];
  const sites: Site[] = [];
  for (const line of log.split('\n')) {
    const fields = line.split(',');
    if (fields[0] === 'code-creation') {
      // A module's own top level, at 1:1, runs once.
      const file = hotPath.test(line) && !/:1:1,/.test(line) ? /src\/[^:,]*/.exec(line)?.[0] : undefined;
      const start = BigInt(fields[4] ?? 0);
      code.push({ start, end: start + BigInt(fields[5] ?? 0), file: file ?? '' });
    } else if (/^(Keyed)?(Load|Store)IC$/.test(fields[0] ?? '')) {
      const address = BigInt(fields[1] ?? 0);
      const file = code.findLast(({ start, end }) => start <= address && address < end)?.file ?? '';
      if (file !== '')
        sites.push({ where: `${file}:${fields[3]}:${fields[4]} ${fields[0]}`, state: fields[6] ?? '' });
    }
  }
  return sites;
}
