import { writeFileSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askForRestart } from '../../../src/node/takeover/ask-for-restart.ts';
import { listenControl } from '../../../src/node/takeover/control-socket.ts';
import { type ControlRequest, onMessage, sendMessage } from '../../../src/node/takeover/takeover-messages.ts';
import { temporaryDirectory } from '../../e2e/node-process.ts';

let data: ReturnType<typeof temporaryDirectory>;
const servers: Server[] = [];
beforeEach(() => {
  data = temporaryDirectory();
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  data.remove();
});

/** A node of that process number that hears requests. */
async function open(
  pid: number | undefined,
  hear: (socket: Socket, request: ControlRequest) => void,
): Promise<void> {
  if (pid !== undefined) writeFileSync(join(data.path, 'lock.holder'), `${pid}\n`);
  const server = await listenControl(data.path, (socket) => {
    socket.on('error', () => undefined);
    onMessage<ControlRequest>(socket, (request) => hear(socket, request));
  });
  servers.push(server);
}

/** Ends without a word, as a process that is killed. */
function die(socket: Socket): void {
  socket.destroy();
  for (const server of servers.splice(0)) server.close();
}

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('asking for a restart', () => {
  it('tells what the node says', async () => {
    await open(100, (socket) => sendMessage(socket, { kind: 'restarted', pid: 200 }));
    expect(await askForRestart(data.path, soon)).toEqual({ kind: 'restarted', pid: 200 });
  });

  it('tells that there is no node', async () => {
    expect(await askForRestart(data.path, soon)).toEqual({ kind: 'nobody' });
  });

  it('finds the process that goes on when the node ends in the middle', async () => {
    let looks = 0;
    await open(100, die);
    const outcome = await askForRestart(data.path, async () => {
      looks += 1;
      if (looks === 3) await open(200, die);
    });
    expect([outcome, looks]).toEqual([{ kind: 'restarted', pid: 200 }, 3]);
  });

  it('does not take the node that was asked for another', async () => {
    await open(100, (socket) => socket.destroy());
    expect(await askForRestart(data.path, soon)).toEqual({ kind: 'ended' });
  });

  it('tells that the node has ended when none takes its place', async () => {
    await open(100, die);
    expect(await askForRestart(data.path, soon)).toEqual({ kind: 'ended' });
  });
});
