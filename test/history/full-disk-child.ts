import { HistoryDatabase } from '../../src/history/history-database.ts';
import { incident, T0 } from './incidents.ts';

/*
 * Writes into the database that is named until it is refused; started with a limit on the size of files. Prints how
 * many batches were taken, and whether what was taken can still be read.
 */
const database = new HistoryDatabase({ path: process.argv[2] ?? '', retention: { days: 90, mebibytes: 64 } });
const reason = 'r'.repeat(1000);
let taken = 0;
try {
  for (; taken < 10_000; taken++)
    database.put({ incidents: [incident(`e${taken}`, taken, { reason })], deliveries: [] }, T0);
} catch {
  const { items } = database.incidents({ limit: 100_000 });
  console.log(JSON.stringify({ taken, read: items.length, trouble: database.trouble }));
}
