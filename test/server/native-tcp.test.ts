import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { loadNative, type Native } from '../../src/server/native.ts';
import {
  COMMANDS_ONLY,
  TCP_CLIENT_OCTETS,
  TCP_COMMAND_WORDS,
  TCP_EVENT_WORDS,
  type TcpLoop,
} from '../../src/server/native-tcp.ts';

const loaded = loadNative();
const skipped = 'native' in loaded ? '' : ` (skipped: no addon here, ${loaded.reason})`;

const CAPACITY = 4;

interface Sizes {
  readonly capacity: number;
  readonly commands: number;
  readonly events: number;
  readonly clients: number;
}

const enough: Sizes = {
  capacity: CAPACITY,
  commands: CAPACITY * TCP_COMMAND_WORDS,
  events: CAPACITY * TCP_EVENT_WORDS,
  clients: CAPACITY * TCP_CLIENT_OCTETS,
};

describe.skipIf(!('native' in loaded))(`the arrays of a TCP loop on the addon${skipped}`, () => {
  function withLoop<T>(sizes: Sizes, use: (native: Native, loop: TcpLoop) => T): T {
    if (!('native' in loaded)) throw new Error(loaded.reason);
    const { native } = loaded;
    const wake = native.createWake();
    try {
      const octets = new Uint8Array(1024);
      const commands = new Int32Array(sizes.commands);
      const events = new Int32Array(sizes.events);
      const clients = new Uint8Array(sizes.clients);
      return use(
        native,
        native.createTcpLoop(sizes.capacity, wake, octets, octets, commands, events, clients),
      );
    } finally {
      native.closeWake(wake);
    }
  }

  const short = [
    { name: 'no capacity', given: { capacity: 0 } },
    { name: 'a capacity below zero', given: { capacity: -1 } },
    { name: 'commands for one connection less', given: { commands: enough.commands - 1 } },
    { name: 'events for one connection less', given: { events: enough.events - 1 } },
    { name: 'addresses for one connection less', given: { clients: enough.clients - 1 } },
  ];
  it.each(short)('are refused with $name', ({ given }) => {
    const open = (): void => withLoop({ ...enough, ...given }, () => undefined);
    expect(open).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  });

  it('close nothing of others where the loop cannot be made', () => {
    const child = new URL('./tcp-start-child.ts', import.meta.url).pathname;
    const run = spawnSync(process.execPath, [child], {
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    expect(run.stdout).toBe('EBADF, the same standard input');
  });

  it('are not read beyond their end', () => {
    const events = withLoop(enough, (native, loop) => native.exchangeTcp(loop, 1_000_000, COMMANDS_ONLY));
    expect(events).toBe(0);
  });
});
