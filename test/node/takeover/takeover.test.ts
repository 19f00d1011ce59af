import { once } from 'node:events';
import { mkdirSync, statSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectControl, listenControl } from '../../../src/node/takeover/control-socket.ts';
import { Predecessor } from '../../../src/node/takeover/predecessor.ts';
import { type SuccessorProcess, TakeoverHost } from '../../../src/node/takeover/takeover-host.ts';
import {
  type ControlReply,
  onMessage,
  sendMessage,
  TAKEOVER_PROTOCOL,
} from '../../../src/node/takeover/takeover-messages.ts';
import { temporaryDirectory } from '../../e2e/node-process.ts';
import { until } from '../../until.ts';

const TIMEOUT_MS = 5000;
const DNS = [{ address: '127.0.0.1', port: 5300 }];
const API = [{ address: '127.0.0.1', port: 8053 }];

/** A node that notes what a takeover does with it, and a successor process that only ends when told. */
class World {
  readonly #data = temporaryDirectory();
  readonly steps: string[] = [];
  readonly claims: string[] = [];
  refusal: string | undefined;
  child = Promise.withResolvers<string>();
  /** Settled when `yieldControl` may go on. */
  yielding: Promise<void> = Promise.resolve();
  readonly host: TakeoverHost;
  #server: Server | undefined;
  #sockets: Socket[] = [];

  constructor() {
    this.host = new TakeoverHost({
      node: {
        refusal: () => this.refusal,
        standing: () => ({ dns: DNS, sockets: { udp: 2, tcp: 1 }, api: API }),
        yieldControl: async () => {
          this.steps.push('yield');
          await this.yielding;
        },
        claimTraffic: () => void this.claims.push('claim'),
        releaseClaim: () => void this.claims.push('release'),
        resume: async () => void this.steps.push('resume'),
        leave: async () => void this.steps.push('leave'),
      },
      spawnSuccessor: () => this.#spawn(),
      timeoutMs: TIMEOUT_MS,
      log: { info: () => undefined, error: (_, message) => void this.steps.push(message) },
      endPeer: (pid) => {
        this.steps.push(`end ${pid}`);
        for (const socket of this.#sockets) socket.destroy();
      },
      onSuccessor: (pid) => void this.steps.push(`successor ${pid}`),
    });
  }

  #spawn(): SuccessorProcess {
    this.steps.push('spawn');
    this.child = Promise.withResolvers<string>();
    return {
      pid: 42,
      ended: this.child.promise,
      kill: () => {
        this.steps.push('kill');
        this.child.resolve('SIGKILL');
      },
    };
  }

  async open(): Promise<void> {
    this.#server = await listenControl(this.#data.path, (socket) => {
      this.#sockets.push(socket);
      this.host.accept(socket);
    });
  }

  get path(): string {
    return this.#data.path;
  }

  /** Resolves when the node has heard that a connection has ended. */
  async heardEnd(): Promise<void> {
    const [socket] = this.#sockets;
    if (socket?.closed === false) await once(socket, 'close');
  }

  greet(onAbort: () => void = () => this.steps.push('aborted')): Promise<Predecessor | undefined> {
    return Predecessor.greet(this.#data.path, TIMEOUT_MS, onAbort);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server?.close();
    this.#data.remove();
  }
}

const FAILED = 'the takeover has failed; this process goes on';

let world: World;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  world = new World();
  await world.open();
});
afterEach(() => {
  world.close();
  vi.useRealTimers();
});

/** The next thing that the node does; sockets take their own time. */
function stepTaken(step: string): Promise<void> {
  return until(() => world.steps.includes(step));
}

describe('a takeover', () => {
  it('goes from one process to the other', async () => {
    const successor = await world.greet();
    expect(successor?.dns).toEqual(DNS);
    expect(successor?.api).toEqual(API);
    await successor?.yieldControl();
    expect(world.steps).toEqual(['yield']);
    await successor?.leave();
    await world.host.left;
    expect(world.steps).toEqual(['yield', `successor ${process.pid}`, 'leave']);
  });

  it('is nothing where no node runs', async () => {
    const empty = temporaryDirectory();
    try {
      expect(await Predecessor.greet(empty.path, TIMEOUT_MS, () => undefined)).toBeUndefined();
    } finally {
      empty.remove();
    }
  });

  it('is refused by a node that cannot share its sockets', async () => {
    world.refusal = 'not here';
    await expect(world.greet()).rejects.toThrow('not here');
    await expect(world.host.restart()).rejects.toThrow('not here');
    expect(world.steps).toEqual([]);
  });

  it('is refused while another is under way', async () => {
    const first = await world.greet();
    await expect(world.greet()).rejects.toThrow('under way');
    await expect(world.host.restart()).rejects.toThrow('under way');
    first?.close();
    await stepTaken(FAILED);
  });

  it('is begun again after one has failed', async () => {
    const first = await world.greet();
    first?.close();
    await stepTaken(FAILED);
    const second = await world.greet();
    await second?.yieldControl();
    await second?.leave();
    expect(world.steps).toContain('leave');
  });

  it('goes on alone when the node that ran is gone', async () => {
    const successor = await world.greet();
    world.close();
    await successor?.yieldControl();
    await successor?.leave();
    expect(world.steps).not.toContain('aborted');
  });

  it('is over with a node that is told to stop: the successor ends, and nothing is opened again', async () => {
    const successor = await world.greet();
    await successor?.yieldControl();
    await world.host.stop();
    await stepTaken('aborted');
    expect(world.steps).not.toContain('resume');
  });
});

describe('a successor that fails leaves the node as it was', () => {
  it('when it goes before anything was closed', async () => {
    (await world.greet())?.close();
    await stepTaken(FAILED);
    expect(world.steps).toEqual([FAILED]);
  });

  it('when it goes half-way', async () => {
    const successor = await world.greet();
    await successor?.yieldControl();
    successor?.close();
    await stepTaken('resume');
    expect(world.steps).toEqual(['yield', FAILED, 'resume']);
  });

  it('when it goes while things are being closed: they are closed first, then opened', async () => {
    const closing = Promise.withResolvers<void>();
    world.yielding = closing.promise;
    const successor = await world.greet();
    void successor?.yieldControl();
    await stepTaken('yield');
    successor?.close();
    await world.heardEnd();
    expect(world.steps).toEqual(['yield']);
    closing.resolve();
    await stepTaken('resume');
    expect(world.steps).toEqual(['yield', FAILED, 'resume']);
  });

  it('when it hangs', async () => {
    const successor = await world.greet();
    await successor?.yieldControl();
    vi.advanceTimersByTime(TIMEOUT_MS);
    await stepTaken('resume');
    await stepTaken('aborted');
    expect(world.steps).toEqual(expect.arrayContaining(['yield', FAILED, 'resume']));
  });

  it('when it hangs and does not even hear that it is to end', async () => {
    const successor = await connectControl(world.path);
    if (successor === undefined) throw new Error('nobody there');
    const said: string[] = [];
    onMessage<ControlReply>(successor, ({ kind }) => said.push(kind));
    sendMessage(successor, { kind: 'hello', protocol: TAKEOVER_PROTOCOL, pid: 4242 });
    await until(() => said.includes('welcome'));
    sendMessage(successor, { kind: 'yield' });
    await until(() => said.includes('yielded'));
    successor.pause();
    vi.advanceTimersByTime(TIMEOUT_MS);
    await until(() => vi.getTimerCount() > 0);
    expect([world.steps, world.claims]).toEqual([['yield'], ['claim']]);
    vi.advanceTimersByTime(1000);
    await stepTaken('resume');
    expect([world.steps, world.claims]).toEqual([
      ['yield', 'end 4242', FAILED, 'resume'],
      ['claim', 'release'],
    ]);
    successor.destroy();
  });

  it('when it is our child and ends at once', async () => {
    const restarted = world.host.restart();
    world.child.resolve('exit code 3');
    await expect(restarted).rejects.toThrow('exit code 3');
    expect(world.steps).toEqual(['spawn', 'kill', FAILED]);
  });

  it('when it is our child and never says a word', async () => {
    const restarted = world.host.restart();
    vi.advanceTimersByTime(TIMEOUT_MS);
    await expect(restarted).rejects.toThrow('not ready within 5 seconds');
    expect(world.steps).toEqual(['spawn', 'kill', FAILED]);
  });

  it('when it is our child and is killed half-way', async () => {
    const restarted = world.host.restart();
    const successor = await world.greet();
    await successor?.yieldControl();
    world.child.resolve('SIGKILL');
    await expect(restarted).rejects.toThrow('SIGKILL');
    expect(world.steps).toContain('resume');
  });
});

describe('the control socket', () => {
  it('is for its owner alone', () => {
    expect(statSync(`${world.path}/control.sock`).mode & 0o777).toBe(0o600);
  });

  it('takes the place of a leftover', async () => {
    const again = await listenControl(world.path, () => undefined);
    again.close();
  });

  it('tells who asked for a restart how it went', async () => {
    const socket = await connectControl(world.path);
    if (socket === undefined) throw new Error('nobody there');
    const reply = new Promise<ControlReply>((resolve) => onMessage<ControlReply>(socket, resolve));
    sendMessage(socket, { kind: 'restart' });
    await stepTaken('spawn');
    world.child.resolve('exit code 3');
    expect(await reply).toEqual({
      kind: 'refused',
      message: 'the new process ended before it was ready (exit code 3)',
    });
    socket.destroy();
  });

  it.each(['nonsense\n', '[]\n', 'null\n', 'x'.repeat(70_000)])('cuts off who says %.10s', async (text) => {
    const socket = await connectControl(world.path);
    const closed = new Promise((resolve) => socket?.on('close', resolve));
    socket?.write(text);
    await closed;
  });

  it('hears nothing more of who says nonsense', async () => {
    const socket = await connectControl(world.path);
    const closed = new Promise((resolve) => socket?.on('close', resolve));
    socket?.write('nonsense\n{"kind":"restart"}\n');
    await closed;
    expect(world.steps).not.toContain('spawn');
  });

  it('is reached in a directory whose path is longer than a socket may have', async () => {
    const deep = temporaryDirectory();
    const path = `${deep.path}/${'d'.repeat(120)}`;
    mkdirSync(path);
    const server = await listenControl(path, (socket) => socket.resume().on('error', () => undefined));
    const socket = await connectControl(path);
    expect(socket).toBeDefined();
    socket?.destroy();
    await new Promise((resolve) => server.close(resolve));
    deep.remove();
  });
});
