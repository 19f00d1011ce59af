import { open } from 'lmdb';
import { CHECKED_DATABASES, databaseOptions } from './database-layout.ts';

/**
 * Run as a process of its own, with a database's path as its argument: reads all of it and walks the list of
 * free pages. A damaged page makes LMDB crash instead of reporting an error, and here that ends only the check.
 */
const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('the path of a database is required');

const root = open({ path, ...databaseOptions });
let octets = 0;
for (const name of CHECKED_DATABASES) {
  const database = root.openDB<Buffer>({ name, encoding: 'binary' });
  for (const { value } of database.getRange({})) octets += value.byteLength;
}
await root.close();
if (!Number.isSafeInteger(octets)) process.exitCode = 1;
