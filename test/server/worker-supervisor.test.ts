import { EventEmitter } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createCounters, openCounters, readCounter } from '../../src/observe/counters.ts';
import { ListenError } from '../../src/server/listen-address.ts';
import type { Native } from '../../src/server/native.ts';
import { defaultServerLimits } from '../../src/server/server-limits.ts';
import type { NumberedRequest, WorkerReply, WorkerStart } from '../../src/server/worker-link.ts';
import { WorkerSupervisor } from '../../src/server/worker-supervisor.ts';
import type { SnapshotMessage } from '../../src/snapshot/snapshot.ts';
import { createVerdictTable } from '../../src/snapshot/verdict-table.ts';

function snapshotOf(generation: number): SnapshotMessage {
  return { generation, zones: [], maps: [], verdicts: createVerdictTable(), serverId: new Uint8Array() };
}

/** A worker thread as its supervisor sees it; the test says what it answers and when it ends. */
class FakeWorker extends EventEmitter {
  readonly start: WorkerStart;
  readonly asked: string[] = [];
  readonly descriptors: (number | undefined)[] = [];
  refuse: string | undefined;
  mute = false;

  constructor(start: WorkerStart) {
    super();
    this.start = start;
  }

  postMessage({ id, request }: NumberedRequest): void {
    this.asked.push(request.kind === 'publish' ? `publish ${request.snapshot.generation}` : request.kind);
    if (request.kind === 'listen') this.descriptors.push(request.descriptor);
    if (this.mute) return;
    const reply: WorkerReply =
      this.refuse === request.kind
        ? { id, ok: false, code: 'EADDRINUSE', message: 'refused' }
        : { id, ok: true, port: request.kind === 'listen' ? request.address.port || 40_053 : 0 };
    queueMicrotask(() => {
      this.emit('message', { kind: 'reply', reply });
      if (request.kind === 'close') this.emit('exit', 0);
    });
  }

  die(message: string): void {
    this.emit('error', new Error(message));
    this.emit('exit', 1);
  }

  async terminate(): Promise<number> {
    this.emit('exit', 1);
    return 1;
  }
}

interface Stage {
  readonly supervisor: WorkerSupervisor;
  readonly workers: FakeWorker[];
  readonly log: string[];
  readonly restarts: () => number;
  /** Applied to workers as they are made. */
  prepare: (worker: FakeWorker) => void;
}

function setUp(native?: Pick<Native, 'createWake' | 'wake' | 'closeWake'>): Stage {
  const workers: FakeWorker[] = [];
  const log: string[] = [];
  const counters = createCounters();
  const stage: Omit<Stage, 'supervisor'> = {
    workers,
    log,
    restarts: () => readCounter([openCounters(counters)], 'worker', 'restarts'),
    prepare: () => undefined,
  };
  const supervisor = new WorkerSupervisor({
    name: 'udp',
    url: new URL('file:///nowhere'),
    counters,
    snapshot: snapshotOf(1),
    limits: defaultServerLimits,
    log: {
      debug: (fields, message) => log.push(`${message}: ${JSON.stringify(fields)}`),
      warn: (_fields, message) => log.push(message),
      error: (fields, message) => log.push(`${message}: ${JSON.stringify(fields)}`),
    },
    native: native as Native | undefined,
    sampling: undefined,
    startWorker: (_url, options) => {
      const worker = new FakeWorker(options.workerData as WorkerStart);
      stage.prepare(worker);
      workers.push(worker);
      return worker as unknown as Worker;
    },
  });
  return Object.assign(stage, { supervisor });
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('WorkerSupervisor', () => {
  it('starts a worker that ended again, with the latest snapshot on the same addresses', async () => {
    const stage = setUp();
    await stage.supervisor.listen({ address: '127.0.0.1', port: 0 }, 'alone');
    stage.supervisor.keepRunning();
    await stage.supervisor.publish(snapshotOf(2));
    stage.workers[0]?.die('out of luck');
    expect(stage.log.at(-1)).toMatch(/will be started again.*out of luck.*"restartInMs":100/);
    await vi.advanceTimersByTimeAsync(100);
    expect(stage.workers[1]?.start.snapshot.generation).toBe(2);
    expect(stage.workers[1]?.asked).toEqual(['listen']);
    expect(stage.log.at(-1)).toBe('a DNS worker serves again');
    expect(stage.restarts()).toBe(1);
  });

  it('gives a worker that is started again the sockets of the one before', async () => {
    const stage = setUp();
    await stage.supervisor.listen({ address: '127.0.0.1', port: 5300 }, 'joined', 21);
    await stage.supervisor.listen({ address: '127.0.0.2', port: 5300 }, 'alone');
    stage.supervisor.keepRunning();
    stage.workers[0]?.die('ended');
    await vi.advanceTimersByTimeAsync(100);
    expect(stage.workers[1]?.descriptors).toEqual([21, undefined]);
  });

  it('says once what the system refused of its priority', async () => {
    const stage = setUp();
    const told = { kind: 'unfavoured', refused: ['niceness -10: EACCES'] };
    stage.workers[0]?.emit('message', told);
    stage.workers[0]?.emit('message', told);
    expect(stage.log).toEqual([
      'queries wait their turn on a full machine: {"worker":"udp","refused":["niceness -10: EACCES"]}',
    ]);
  });

  it('rings a worker on the addon for every message', async () => {
    const woken: number[] = [];
    const closed: number[] = [];
    const stage = setUp({
      createWake: () => 33,
      wake: (descriptor) => woken.push(descriptor),
      closeWake: (descriptor) => closed.push(descriptor),
    });
    await stage.supervisor.publish(snapshotOf(2));
    const rung = stage.workers[0]?.start.doorbell?.rung;
    expect([rung?.[0], woken]).toEqual([1, [33]]);
    await stage.supervisor.close();
    expect([rung?.[0], woken, closed]).toEqual([2, [33, 33], [33]]);
  });

  it('waits longer and longer, up to a bound, while the worker keeps ending', async () => {
    const stage = setUp();
    stage.supervisor.keepRunning();
    for (let round = 0; round < 10; round++) {
      stage.workers.at(-1)?.die('again');
      await vi.advanceTimersByTimeAsync(10_000);
    }
    const waits = stage.log.flatMap((line) => /"restartInMs":(\d+)/.exec(line)?.[1] ?? []).map(Number);
    expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000]);
  });

  it('begins with the short wait again after a worker that lived long', async () => {
    const stage = setUp();
    stage.supervisor.keepRunning();
    stage.workers.at(-1)?.die('once');
    await vi.advanceTimersByTimeAsync(100);
    stage.workers.at(-1)?.die('twice');
    await vi.advanceTimersByTimeAsync(61_000);
    stage.workers.at(-1)?.die('much later');
    expect(stage.log.at(-1)).toMatch(/"restartInMs":100/);
  });

  it('tries again when the port is taken meanwhile', async () => {
    const stage = setUp();
    await stage.supervisor.listen({ address: '127.0.0.1', port: 5300 }, 'alone');
    stage.supervisor.keepRunning();
    stage.prepare = (worker) => {
      worker.refuse = stage.workers.length === 1 ? 'listen' : undefined;
    };
    stage.workers[0]?.die('ended');
    await vi.advanceTimersByTimeAsync(100);
    expect(stage.log.at(-1)).toMatch(/port 5300 on 127\.0\.0\.1 is in use/);
    await vi.advanceTimersByTimeAsync(200);
    expect(stage.log.at(-1)).toBe('a DNS worker serves again');
    expect(stage.workers.length).toBe(3);
  });

  it('tries again when the system has no room for a thread', async () => {
    const stage = setUp();
    stage.supervisor.keepRunning();
    let refusals = 2;
    stage.prepare = () => {
      if (refusals-- > 0) throw new Error('EAGAIN');
    };
    stage.workers[0]?.die('ended');
    await vi.advanceTimersByTimeAsync(100);
    expect(stage.log.at(-1)).toMatch(/will be started again.*EAGAIN.*"restartInMs":200/);
    await vi.advanceTimersByTimeAsync(200 + 400);
    expect(stage.log.at(-1)).toBe('a DNS worker serves again');
    expect(stage.workers.length).toBe(2);
  });

  it('does not let a publication wait for a worker that has ended', async () => {
    const stage = setUp();
    stage.supervisor.keepRunning();
    const worker = stage.workers[0];
    if (worker !== undefined) worker.mute = true;
    const published = stage.supervisor.publish(snapshotOf(2));
    worker?.die('in the middle');
    await published;
    await stage.supervisor.publish(snapshotOf(3));
    await vi.advanceTimersByTimeAsync(100);
    expect(stage.workers[1]?.start.snapshot.generation).toBe(3);
  });

  it('keeps the snapshot before one that the worker cannot open', async () => {
    const stage = setUp();
    stage.supervisor.keepRunning();
    const worker = stage.workers[0];
    if (worker !== undefined) worker.refuse = 'publish';
    await expect(stage.supervisor.publish(snapshotOf(2))).rejects.toThrow('cannot open the snapshot');
    worker?.die('ended');
    await vi.advanceTimersByTimeAsync(100);
    expect(stage.workers[1]?.start.snapshot.generation).toBe(1);
  });

  it('tells why a worker cannot listen, and why it ended while starting', async () => {
    const refusing = setUp();
    const [worker] = refusing.workers;
    if (worker !== undefined) worker.refuse = 'listen';
    const failure = refusing.supervisor.listen({ address: '127.0.0.1', port: 5300 }, 'alone');
    await expect(failure).rejects.toThrow(ListenError);
    const dying = setUp();
    if (dying.workers[0] !== undefined) dying.workers[0].mute = true;
    const lost = dying.supervisor.listen({ address: '127.0.0.1', port: 5300 }, 'alone');
    dying.workers[0]?.die('no memory');
    await expect(lost).rejects.toThrow('no memory');
    await vi.advanceTimersByTimeAsync(20_000);
    expect(dying.workers.length).toBe(1);
  });

  it('stays closed', async () => {
    const stage = setUp();
    stage.supervisor.keepRunning();
    stage.workers[0]?.die('ended');
    await stage.supervisor.close();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(stage.workers.length).toBe(1);
  });

  it('ends a worker by force that does not end by itself', async () => {
    const stage = setUp();
    const [worker] = stage.workers;
    if (worker !== undefined) worker.mute = true;
    const closed = stage.supervisor.close();
    await vi.advanceTimersByTimeAsync(defaultServerLimits.drainMs + 1_000);
    await closed;
    expect(worker?.asked).toEqual(['close']);
  });

  it('logs the bugs that a worker reports', () => {
    const stage = setUp();
    stage.workers[0]?.emit('message', { kind: 'bug', report: { packetHex: 'abcd' } });
    expect(stage.log.at(-1)).toMatch(/SERVFAIL.*abcd/);
  });
});
