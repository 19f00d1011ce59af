import { readCounter } from '../../src/observe/counters.ts';
import { loadNative } from '../../src/server/native.ts';
import { defaultServerLimits } from '../../src/server/server-limits.ts';
import { TcpBatchTransport } from '../../src/server/tcp-batch-transport.ts';
import { Precedence } from '../../src/server/thread-priority.ts';
import { echoParts } from './echo.ts';

/*
 * Serves echoes on the addon with the descriptors that its parent has left it, and prints its port; then, for every
 * line that it reads, how often it could not accept.
 */
const loaded = loadNative();
if (!('native' in loaded)) throw new Error(loaded.reason);
const { native } = loaded;
const parts = echoParts({
  ...defaultServerLimits,
  tcp: { ...defaultServerLimits.tcp, connectionsPerClient: 1_000, idleMs: 60_000 },
});
const wake = native.createWake();
const transport = new TcpBatchTransport({
  ...parts,
  native,
  wake,
  precedence: new Precedence(undefined),
  rung: () => true,
});
console.log(await transport.listen({ address: '127.0.0.1', port: 0 }, 'alone'));
process.stdin.on('data', () => console.log(readCounter([parts.counters], 'tcpEvents', 'accept-failed')));
process.stdin.on('end', () => process.exit(0));
const turn = (): void => {
  transport.serve();
  setImmediate(turn);
};
turn();
