import { openStore } from '../../src/store/open-store.ts';
import { address, alice, zone } from './given.ts';

/**
 * Writes until it is killed; a line on standard output for each write that was acknowledged.
 * The writes go in lanes, so that some share a flush.
 */
const [directory = '', lanesText = '1'] = process.argv.slice(2);
const lanes = Number(lanesText);
const store = await openStore({ directory, now: () => new Date() });
if (!store.config.zones.has('example.org.')) await store.commit([zone('example.org.')], alice);

async function writeLane(lane: number): Promise<void> {
  const rrsets = store.config.rrsets.get('example.org.');
  const already = [...(rrsets?.keys() ?? [])].filter((key) => key.startsWith(`l${lane}-`)).length;
  for (let index = already; ; index += 1) {
    const name = `l${lane}-${index}.example.org.`;
    await store.commit([address('example.org.', name, '192.0.2.1')], alice);
    process.stdout.write(`${name}\n`);
  }
}

await Promise.all(Array.from({ length: lanes }, (_, lane) => writeLane(lane)));
