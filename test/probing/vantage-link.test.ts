import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import type { Observation } from '../../src/health/observation.ts';
import { startVantage, type VantageLink } from '../../src/probing/vantage-link.ts';
import type { VantageTarget } from '../../src/probing/vantage-targets.ts';
import { type LoopbackServer, refusedPort, startServer } from './loopback-servers.ts';

/** The real thread, and what it says. */
class Scene {
  readonly heard: Observation[] = [];
  readonly lost: string[] = [];
  worker: Worker | undefined;
  readonly #waiting: {
    readonly match: (one: Observation) => boolean;
    readonly resolve: (one: Observation) => void;
  }[] = [];
  readonly link: VantageLink = startVantage({
    name: 'here',
    environment: { execDirectory: undefined },
    url: new URL('../../src/probing/vantage-worker.ts', import.meta.url),
    startWorker: (url, options) => {
      this.worker = new Worker(url, options);
      return this.worker;
    },
    onObservations: (observations) => {
      this.heard.push(...observations);
      for (const one of observations)
        for (const { match, resolve } of this.#waiting) if (match(one)) resolve(one);
    },
    onLost: (error) => this.lost.push(error),
  });

  /** The next observation that matches. */
  next(match: (one: Observation) => boolean): Promise<Observation> {
    return new Promise((resolve) => this.#waiting.push({ match, resolve }));
  }
}

let scene: Scene | undefined;
let server: LoopbackServer | undefined;

afterEach(async () => {
  await scene?.link.stop();
  await server?.close();
  scene = undefined;
  server = undefined;
});

function target(key: string, port: number, more: Partial<VantageTarget> = {}): VantageTarget {
  return {
    key,
    kind: 'tcp',
    address: '127.0.0.1',
    port,
    settings: { replyLimitOctets: 1 },
    intervalMs: 20,
    recheckMs: 20,
    timeoutMs: 10_000,
    jitter: 0,
    thresholds: { rise: 1, fall: 2, expiryMs: 1000 },
    ...more,
  };
}

describe('a vantage in a thread of its own', () => {
  it('has no thread before there is something to probe', async () => {
    scene = new Scene();
    expect(scene.worker).toBeUndefined();
    scene.link.setTargets([]);
    expect(scene.worker).toBeUndefined();
    scene.link.setTargets([target('web/fra', await refusedPort())]);
    expect(scene.worker).toBeDefined();
  });

  it('probes, damps and says so', async () => {
    scene = new Scene();
    const down = scene.next(({ verdict }) => verdict === 'down');
    scene.link.setTargets([target('web/fra', await refusedPort())]);
    expect(await down).toMatchObject({
      vantage: 'here',
      key: 'web/fra',
      failures: 2,
      result: { reason: 'connection-refused' },
    });
    expect(scene.heard.map(({ failures, verdict }) => `${failures} ${verdict}`).slice(0, 2)).toEqual([
      '1 unknown',
      '2 down',
    ]);
    expect(scene.link.load.targets).toBe(1);
  });

  it('that dies is started anew, goes on from what it knew, and is counted', async () => {
    scene = new Scene();
    const down = scene.next(({ verdict }) => verdict === 'down');
    scene.link.setTargets([target('web/fra', await refusedPort())]);
    await down;
    const before = scene.heard.length;
    const restarted = new Promise<void>((resolve) => scene?.worker?.once('exit', () => resolve()));
    await scene.worker?.terminate();
    await restarted;
    const heardThen = scene.heard.length;
    const again = await scene.next(() => true);
    // Never unknown again: the board is told nothing that it did not know.
    expect(again).toMatchObject({ verdict: 'down' });
    expect(again.failures).toBeGreaterThan(2);
    expect(again.sequence).toBeGreaterThan(scene.heard[heardThen - 1]?.sequence ?? Number.NaN);
    expect(heardThen).toBeGreaterThanOrEqual(before);
    expect(scene.link.restarts).toBe(1);
    expect(scene.lost).toEqual(['exit code 1']);
  });

  it('says nothing of an endpoint by what it was before', async () => {
    scene = new Scene();
    server = await startServer(() => undefined);
    const refused = await refusedPort();
    const down = scene.next(({ verdict }) => verdict === 'down');
    scene.link.setTargets([target('web/fra', refused), target('web/ash', refused)]);
    await down;
    scene.link.setTargets([target('web/fra', server.port, { address: '127.0.0.2' })]);
    const heardThen = scene.heard.length;
    await scene.next(({ result }) => result.detail.includes('127.0.0.2'));
    const since = scene.heard.slice(heardThen);
    expect(since.filter(({ result }) => !result.detail.includes('127.0.0.2'))).toEqual([]);
    expect(new Set(since.map(({ key }) => key))).toEqual(new Set(['web/fra']));
  });

  it('ends when it is told, also in the middle of a probe', async () => {
    scene = new Scene();
    server = await startServer(() => undefined);
    scene.link.setTargets([
      target('web/fra', server.port, { settings: { expect: 'never', send: 'x', replyLimitOctets: 9 } }),
    ]);
    while (server.received() === '') await new Promise((resolve) => setImmediate(resolve));
    await scene.link.stop();
    await server.idle();
    expect(scene.lost).toEqual([]);
  });
});
