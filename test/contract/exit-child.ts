import { serveDns } from '../../src/server/serve-dns.ts';
import { testSnapshot } from '../server/test-snapshot.ts';

/* A process that serves DNS, and ends in the way that is asked for, while its workers wait for queries. */
const server = await serveDns({
  addresses: [{ address: '127.0.0.1', port: 0 }],
  snapshot: testSnapshot(),
  log: { debug: () => undefined, warn: () => undefined, error: () => undefined },
  udpWorkers: 2,
  sockets: process.argv[3] === 'node' ? 'node' : 'addon',
});
switch (process.argv[2]) {
  case 'exit':
    process.exit(3);
    break;
  case 'throw':
    throw new Error('on purpose');
  case 'close':
    await server.close();
    process.exitCode = 3;
}
