import { openStore } from '../../src/store/open-store.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { address, alice, dataCenter, zone } from './given.ts';

/**
 * Runs under a limit on file sizes: a commit that does not fit, between two that do.
 * Tells what the refused one said and what memory holds afterwards.
 */
const [directory = ''] = process.argv.slice(2);
const store = await openStore({ directory, now: () => new Date() });
await store.commit([zone('example.org.'), dataCenter('before', 1)], alice);
// Leaves room inside the file for the small commit after the large one.
await store.putBlob(new Uint8Array(100_000));
await store.sweepBlobs();

/** Text that does not compress to nothing. */
function noise(seed: number): string {
  return Array.from({ length: 5000 }, (_, step) => Math.sin(seed * 7919 + step)).join('');
}

const large = Array.from({ length: 20 }, (_, index) =>
  address('example.org.', `n${index}.example.org.`, noise(index)),
);
const refusal = await store
  .commit([dataCenter('refused', 1), ...large], alice)
  .catch((error: unknown) => error);
const between = store.config;
const after = await store.commit([dataCenter('after', 1)], alice);
process.stdout.write(
  JSON.stringify({
    code: refusal instanceof StoreError ? refusal.code : String(refusal),
    message: refusal instanceof Error ? refusal.message : '',
    between: [...between.dataCenters.keys()],
    after: [...after.dataCenters.keys()],
    rrsets: after.rrsets.get('example.org.')?.size,
    generation: after.generation,
  }),
);
await store.close();
