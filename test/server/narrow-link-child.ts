import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readCounter } from '../../src/observe/counters.ts';
import { loadNative } from '../../src/server/native.ts';
import { Precedence } from '../../src/server/thread-priority.ts';
import { UdpBatchTransport } from '../../src/server/udp-batch-transport.ts';
import { echoParts, echoQuery, idOf } from './echo.ts';

/*
 * Runs in a network namespace of its own (`unshare --net`), whose loopback gets a narrow MTU. Takes the family and the
 * lengths of the answers that one client asks for in one batch, once for each argument; tells in a line for each what
 * came back, how many sends were segmented, and how many failed.
 */
const MTU = 1000;
const QUERIES = 40;
const WAIT_MS = 2000;

const loaded = loadNative();
if (!('native' in loaded)) throw new Error(loaded.reason);
const { native } = loaded;
for (const set of [['mtu', String(MTU)], ['up']]) {
  const run = spawnSync('ip', ['link', 'set', 'lo', ...set], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr);
}
const wake = native.createWake();
const parts = echoParts();
const transport = new UdpBatchTransport({
  ...parts,
  native,
  wake,
  precedence: new Precedence(undefined),
  rung: () => false,
});
const port = await transport.listen({ address: '127.0.0.1', port: 0 }, 'alone');

/** Distinct answers of that length that came back whole. */
async function ask(length: number): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const seen = new Set<number>();
  const enough = new Promise<void>((resolve) => {
    socket.on('message', (octets) => {
      if (octets.length === length) seen.add(idOf(octets));
      if (seen.size === QUERIES) resolve();
    });
    setTimeout(resolve, WAIT_MS).unref();
  });
  for (let id = 0; id < QUERIES; id++)
    await new Promise((resolve) => socket.send(echoQuery(id, length), port, '127.0.0.1', resolve));
  native.wake(wake);
  transport.serve();
  await enough;
  socket.close();
  return seen.size;
}

for (const length of process.argv.slice(2).map(Number)) {
  const before = readCounter([parts.counters], 'udpSends', 'segmented');
  const answered = await ask(length);
  const segmented = readCounter([parts.counters], 'udpSends', 'segmented') - before;
  const failed = readCounter([parts.counters], 'drops', 'send-failed');
  process.stdout.write(
    `${length}: ${answered} answered, ${segmented > 0 ? 'in groups' : 'one by one'}, ${failed} failed\n`,
  );
}
await transport.close();
native.closeWake(wake);
