import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { loadNative } from '../../src/server/native.ts';
import { echoQuery, idOf } from './echo.ts';
import { FramedClient } from './framed-client.ts';

/** Node itself needs some forty. */
const DESCRIPTORS = 80;
const CLIENTS = 120;
/** One for each client that had to wait, and a few; a loop that goes round without end fails thousands of times. */
const FEW_FAILURES = 2 * CLIENTS;

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

describe.skipIf(!('native' in loadNative()))('a server on the addon without descriptors to spare', () => {
  it('goes on answering, and waits for descriptors without going round in circles', async () => {
    const path = new URL('./tcp-descriptors-child.ts', import.meta.url).pathname;
    const child = spawn('sh', ['-c', `ulimit -n ${DESCRIPTORS} && exec "$0" "$1"`, process.execPath, path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    closers.push(() => child.stdin.end());
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const port = Number((await lines.next()).value);

    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => FramedClient.connect(port)));
    closers.push(() => {
      for (const { socket } of clients) socket.destroy();
    });
    for (const [id, client] of clients.entries()) client.send(echoQuery(id, 12));
    // Each is answered, since those that have their answers are given up one by one for those that wait.
    await Promise.all(clients.map((client) => client.received(1)));
    expect(clients.map(({ messages }) => idOf(messages[0]))).toEqual(clients.map((_, id) => id));

    child.stdin.write('how often?\n');
    const failures = Number((await lines.next()).value);
    expect([failures > 0, failures < FEW_FAILURES]).toEqual([true, true]);
  });
});
