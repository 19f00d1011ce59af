import { spawnSync } from 'node:child_process';
import { openStore } from '../../src/store/open-store.ts';
import { alice, dataCenter } from './given.ts';

/*
 * Closes and opens a store while no file can grow, as on a full disk, and once more when there is room again. Tells what
 * each store holds, and what it said of a second one beside it.
 */
const [directory = ''] = process.argv.slice(2);
const now = (): Date => new Date();

function limitFiles(octets: string): void {
  const run = spawnSync('prlimit', ['--pid', String(process.pid), `--fsize=${octets}:unlimited`], {
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(run.stderr);
}

async function visit(): Promise<readonly string[]> {
  const store = await openStore({ directory, now });
  const inUse = await openStore({ directory, now }).catch((error: unknown) => error);
  if (!(inUse instanceof Error && inUse.message.includes('in use by'))) throw new Error('two stores');
  const names = [...store.config.dataCenters.keys()];
  await store.close();
  return names;
}

const first = await openStore({ directory, now });
await first.commit([dataCenter('before', 1)], alice);
limitFiles('0');
await first.close();
const full = await visit();
limitFiles('unlimited');
const roomy = await visit();
process.stdout.write(JSON.stringify({ full, roomy }));
