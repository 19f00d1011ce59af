import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Observation } from '../../src/health/observation.ts';
import { monotonicClock } from '../../src/probing/clock.ts';
import { probeKinds } from '../../src/probing/probes/index.ts';
import { createVantage, type Vantage } from '../../src/probing/vantage.ts';
import type { VantageTarget } from '../../src/probing/vantage-targets.ts';
import { createWatch, type Watch } from '../../src/probing/watch.ts';
import { createFakeClock } from './fake-clock.ts';

/** A server whose connections the test opens its eyes to, and can end at once as the death of its process does. */
class Endpoint {
  readonly sockets: net.Socket[] = [];
  readonly #arrivals: (() => void)[] = [];
  #server: net.Server | undefined;
  port = 0;
  /** Connections on which nothing has been sent. */
  get idle(): readonly net.Socket[] {
    return this.sockets.filter((socket) => !socket.destroyed && socket.bytesRead === 0);
  }

  async start(): Promise<void> {
    const server = net.createServer((socket) => {
      this.sockets.push(socket);
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'));
      for (const arrival of this.#arrivals.splice(0)) arrival();
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.address() as net.AddressInfo).port;
  }

  arrival(): Promise<void> {
    return new Promise((resolve) => this.#arrivals.push(resolve));
  }

  async stop(): Promise<void> {
    const server = this.#server;
    for (const socket of this.sockets) socket.resetAndDestroy();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }
}

const endpoint = new Endpoint();
let vantage: Vantage | undefined;
let watch: Watch | undefined;

afterEach(async () => {
  watch?.close();
  await vantage?.stop();
  await endpoint.stop();
  vantage = undefined;
  watch = undefined;
});

/** Long after the test: what happens before is not a regular probe. */
const NEVER_MS = 3_600_000;

/** A vantage whose target is probed once at the start, and then only when there is a reason. */
function probeOnce(fall: number): {
  readonly heard: Observation[];
  next(match: (one: Observation) => boolean): Promise<Observation>;
} {
  const heard: Observation[] = [];
  const waiting: { match: (one: Observation) => boolean; resolve: (one: Observation) => void }[] = [];
  vantage = createVantage({
    name: 'here',
    clock: monotonicClock,
    random: () => 0,
    probeKinds,
    onObservation: (observation) => {
      heard.push(observation);
      for (const one of waiting) if (one.match(observation)) one.resolve(observation);
    },
  });
  vantage.setTargets([targetOf(fall)]);
  return {
    heard,
    next: (match) => {
      const known = heard.find(match);
      return known === undefined
        ? new Promise((resolve) => waiting.push({ match, resolve }))
        : Promise.resolve(known);
    },
  };
}

function targetOf(fall: number): VantageTarget {
  const http = probeKinds.find(({ kind }) => kind === 'http');
  return {
    key: 'web/fra',
    kind: 'http',
    address: '127.0.0.1',
    port: endpoint.port,
    settings: http?.settings.parse({ watch: true }) ?? {},
    intervalMs: NEVER_MS,
    recheckMs: NEVER_MS,
    timeoutMs: 10_000,
    jitter: 0,
    thresholds: { rise: 1, fall, expiryMs: NEVER_MS },
  };
}

/** An idle connection has arrived, and its other end knows: both live in this process, so that takes a turn or two. */
async function untilIdle(): Promise<void> {
  while (endpoint.idle.length === 0) await endpoint.arrival();
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('a watched connection', () => {
  it('that ends with its server has the endpoint down at once, between two probes', async () => {
    await endpoint.start();
    const { heard, next } = probeOnce(3);
    await next(({ verdict }) => verdict === 'up');
    await untilIdle();
    await endpoint.stop();
    const down = await next(({ verdict }) => verdict === 'down');
    expect(down).toMatchObject({ failures: 3, result: { reason: 'connection-refused' } });
    expect(heard.map(({ result }) => result.ok)).toEqual([true, false, false, false]);
  });

  it('that is closed alone costs one probe, and is told of', async () => {
    await endpoint.start();
    const { heard, next } = probeOnce(1);
    await next(({ verdict }) => verdict === 'up');
    await untilIdle();
    for (const socket of endpoint.idle) socket.destroy();
    const second = await next(({ successes }) => successes === 2);
    expect(second).toMatchObject({
      verdict: 'up',
      result: { evidence: { watch: 'lost; probes follow at once' } },
    });
    expect(heard).toHaveLength(2);
  });
});

describe('a watch', () => {
  const clock = createFakeClock();
  let lost = 0;
  let onLost: () => void = () => undefined;

  function start(): Watch {
    lost = 0;
    watch = createWatch({
      clock,
      address: '127.0.0.1',
      port: endpoint.port,
      connectTimeoutMs: 10_000,
      onLost: () => {
        lost += 1;
        onLost();
      },
    });
    return watch;
  }

  it('ends its burst when it is this node that cannot probe', async () => {
    await endpoint.start();
    const clock = createFakeClock();
    const reasons: string[] = [];
    const told: (() => void)[] = [];
    const http = probeKinds.find(({ kind }) => kind === 'http');
    vantage = createVantage({
      name: 'here',
      clock,
      random: () => 0,
      probeKinds: [
        {
          kind: 'http',
          summary: '',
          settings: http?.settings ?? z.object({}),
          watchedPort: (port) => port,
          run: async () => {
            const ok = reasons.length === 0;
            return { ok, reason: ok ? 'ok' : 'internal-error', detail: '', durationMs: 1, evidence: {} };
          },
        },
      ],
      onObservation: ({ result }) => {
        reasons.push(result.reason);
        for (const tell of told.splice(0)) tell();
      },
    });
    vantage.setTargets([targetOf(3)]);
    // No further, since the connection that is now made has a time limit of its own.
    while (reasons.length === 0) await clock.advance(10);
    await untilIdle();
    const second = new Promise<void>((resolve) => told.push(resolve));
    await endpoint.stop();
    await second;
    await clock.advance(10_000);
    expect(reasons).toEqual(['ok', 'internal-error']);
  });

  it('waits until a probe has succeeded', async () => {
    await endpoint.start();
    expect(start().told).toBe('opened when probes succeed');
  });

  it('backs off from a server that always closes, and says so', async () => {
    await endpoint.start();
    const given = start();
    given.alive();
    const told: string[] = [];
    for (let round = 0; round < 6; round += 1) {
      await untilIdle();
      const ended = new Promise<void>((resolve) => {
        onLost = resolve;
      });
      for (const socket of endpoint.idle) socket.destroy();
      await ended;
      given.alive();
      told.push(given.told.replace(/.* after /, ''));
      await clock.advance(9000);
    }
    expect(told).toEqual(['1 s', '1 s', '1 s', '2 s', '4 s', '8 s']);
    expect(given.told).toMatch(/^(connecting|open)$/);
    expect(lost).toBe(6);
  });

  it('comes back when the endpoint does', async () => {
    await endpoint.start();
    const given = start();
    given.alive();
    await untilIdle();
    const ended = new Promise<void>((resolve) => {
      onLost = resolve;
    });
    await endpoint.stop();
    await ended;
    given.failed();
    given.failed();
    expect(given.told).toBe('opened when probes succeed');
    await endpoint.start();
    given.alive();
    await untilIdle();
    expect(lost).toBe(1);
  });

  it('bears a server that never stops talking', async () => {
    await endpoint.start();
    const given = start();
    given.alive();
    await untilIdle();
    const ended = new Promise<void>((resolve) => {
      onLost = resolve;
    });
    for (const socket of endpoint.idle) {
      const more = (): void => {
        while (!socket.destroyed && socket.write('x'.repeat(8192)));
      };
      socket.on('drain', more);
      more();
    }
    await ended;
    expect(lost).toBe(1);
  });
});
