import { describe, expect, it } from 'vitest';
import { MAX_SUBSCRIBERS } from '../../src/api/event-stream.ts';
import { startApi } from './started-api.ts';
import { createTestPlane } from './test-plane.ts';

describe('the state of a node', () => {
  it.each([
    { path: '/v1/status', want: { version: '1.2.3', ready: true, geo: { attribution: 'Test data' } } },
    { path: '/v1/health', want: { items: [] } },
    { path: '/v1/problems', want: { items: [{ code: 'geo-table-old' }] } },
    { path: '/readyz', want: { ready: true } },
    { path: '/healthz', want: 'ok\n' },
    { path: '/metrics', want: 'meridian_up 1\n' },
  ])('is at $path', async ({ path, want }) => {
    const { send } = await startApi();
    const { status, headers, body } = await send('GET', path);
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-cache']);
    if (typeof want === 'string') expect(body).toBe(want);
    else expect(body).toMatchObject(want);
    expect((await send('HEAD', path)).status).toBe(200);
  });

  it('says why it is not ready', async () => {
    const plane = createTestPlane();
    plane.ready = false;
    const { send } = await startApi(plane);
    const { status, body } = await send('GET', '/readyz');
    expect([status, body]).toMatchObject([503, { conditions: [{ name: 'dns', holds: false }] }]);
    expect((await send('GET', '/healthz')).status).toBe(200);
  });

  it('wants no queries while it has withdrawn, and tells a BGP speaker so', async () => {
    let isAnnounced = true;
    const members = {
      node: 'fra',
      clusterId: 'c1',
      mostWithdrawn: 1,
      members: () => [],
      askWithdrawal: () => undefined,
      isAnnounced: () => isAnnounced,
    };
    const { send } = await startApi(undefined, { members });
    const statuses = async () => [
      (await send('GET', '/readyz')).status,
      (await send('GET', '/anycast')).status,
    ];
    expect(await statuses()).toEqual([200, 200]);
    isAnnounced = false;
    expect(await statuses()).toEqual([503, 503]);
  });

  it('has metrics in the exposition format', async () => {
    const { send } = await startApi();
    expect((await send('GET', '/metrics')).headers.get('content-type')).toBe(
      'text/plain; version=0.0.4; charset=utf-8',
    );
  });

  it('answers 500 when metrics fail', async () => {
    const metrics = () => Promise.reject(new Error('no metrics'));
    const { send, logged } = await startApi(undefined, { metrics });
    expect((await send('GET', '/metrics')).status).toBe(500);
    expect(logged).toHaveLength(1);
  });
});

describe('the demo', () => {
  it('is not found where there is none', async () => {
    const { send } = await startApi();
    expect((await send('GET', '/v1/demo')).status).toBe(404);
    expect((await send('POST', '/v1/demo/data-centers/fra/break')).status).toBe(404);
  });

  it('breaks and mends data centers', async () => {
    const plane = createTestPlane();
    const broken = new Set<string>();
    const known = (name: string): boolean => name === 'fra';
    plane.demo = {
      list: () => [{ dataCenter: 'fra', address: '127.0.10.1', broken: broken.has('fra') }],
      break: async (name) => known(name) && Boolean(broken.add(name)),
      mend: async (name) => known(name) && broken.delete(name),
    };
    const { send } = await startApi(plane);
    const fra = { dataCenter: 'fra', address: '127.0.10.1' };
    const at = '/v1/demo/data-centers';
    expect((await send('GET', '/v1/demo')).body).toEqual({ items: [{ ...fra, broken: false }] });
    expect((await send('POST', `${at}/fra/break`)).body).toEqual({ items: [{ ...fra, broken: true }] });
    expect((await send('POST', `${at}/fra/mend`, {})).body).toEqual({ items: [{ ...fra, broken: false }] });
    expect((await send('POST', `${at}/sin/break`)).status).toBe(404);
  });
});

describe('events', () => {
  it('tell every change, and what to begin with', async () => {
    const { url, plane } = await startApi();
    const stream = await openStream(url);
    expect(await stream.until('change')).toContain('{"generation":1}');
    plane.config = { ...plane.config, generation: 2 };
    plane.changed();
    expect(await stream.until('{"generation":2}')).toContain('event: change');
    await stream.close();
  });

  it('beat while nothing happens', async () => {
    const { url } = await startApi(undefined, { heartbeatMs: 5 });
    const stream = await openStream(url);
    expect(await stream.until(': heartbeat')).toContain(': heartbeat');
    await stream.close();
  });

  it('leave nothing behind when the reader goes', async () => {
    const { url, plane } = await startApi();
    const stream = await openStream(url);
    await stream.until('change');
    expect(plane.listeners.size).toBe(1);
    await stream.close();
    while (plane.listeners.size > 0) await fetch(`${url}/healthz`);
    expect(plane.listeners.size).toBe(0);
  });

  it('end at once for HEAD', async () => {
    const { send, plane } = await startApi();
    expect((await send('HEAD', '/v1/events')).status).toBe(200);
    expect(plane.listeners.size).toBe(0);
  });

  it('refuse one reader too many', async () => {
    const { url, plane } = await startApi();
    const all = await Promise.all(Array.from({ length: MAX_SUBSCRIBERS }, () => openStream(url)));
    const refused = await fetch(`${url}/v1/events`);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '10']);
    expect(await refused.json()).toMatchObject({ code: 'overloaded' });
    expect(plane.listeners.size).toBe(MAX_SUBSCRIBERS);
    for (const stream of all) await stream.close();
  });
});

interface OpenStream {
  /** Everything received, as soon as it contains the text. */
  readonly until: (text: string) => Promise<string>;
  readonly close: () => Promise<void>;
}

async function openStream(url: string): Promise<OpenStream> {
  const response = await fetch(`${url}/v1/events`);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let received = '';
  return {
    until: async (text) => {
      while (!received.includes(text)) {
        const part = await reader?.read();
        if (part === undefined || part.done) throw new Error(`the stream ended before "${text}"`);
        received += part.value;
      }
      return received;
    },
    close: async () => reader?.cancel(),
  };
}
