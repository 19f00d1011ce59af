import { describe, expect, it } from 'vitest';
import { MAX_REASON_LENGTH } from '../../src/api/collection-writes.ts';
import { bodies, resources } from './resources.ts';
import { type StartedApi, sendRaw, startApi } from './started-api.ts';
import { createTestPlane, file } from './test-plane.ts';

const FRA = '/v1/data-centers/fra';

async function startWithFra(): Promise<{ readonly api: StartedApi; readonly etag: string }> {
  const api = await startApi();
  const { headers } = await api.send('PUT', FRA, bodies.fra);
  return { api, etag: headers.get('etag') ?? '' };
}

describe('preconditions', () => {
  it.each([
    { name: 'If-Match with its tag', method: 'PUT', header: 'if-match', value: 'OWN', want: 200 },
    {
      name: 'If-Match with its tag among others',
      method: 'PUT',
      header: 'if-match',
      value: '"x", OWN',
      want: 200,
    },
    { name: 'If-Match with any', method: 'PUT', header: 'if-match', value: '*', want: 200 },
    { name: 'If-Match with another tag', method: 'PUT', header: 'if-match', value: '"x"', want: 412 },
    { name: 'If-Match with a weak tag', method: 'PUT', header: 'if-match', value: 'W/OWN', want: 412 },
    { name: 'If-Match on a patch', method: 'PATCH', header: 'if-match', value: '"x"', want: 412 },
    { name: 'If-Match on a delete', method: 'DELETE', header: 'if-match', value: '"x"', want: 412 },
    {
      name: 'If-Match on a delete with its tag',
      method: 'DELETE',
      header: 'if-match',
      value: 'OWN',
      want: 204,
    },
    { name: 'If-None-Match with any', method: 'PUT', header: 'if-none-match', value: '*', want: 412 },
    {
      name: 'If-None-Match with another tag',
      method: 'PUT',
      header: 'if-none-match',
      value: '"x"',
      want: 200,
    },
    { name: 'nothing', method: 'PUT', header: 'accept', value: '*/*', want: 200 },
  ])('$name on what exists: $want', async ({ method, header, value, want }) => {
    const { api, etag } = await startWithFra();
    const body = method === 'PUT' || method === 'PATCH' ? bodies.fra : undefined;
    const { status } = await api.send(method, FRA, body, { [header]: value.replace('OWN', etag) });
    expect(status).toBe(want);
  });

  it.each([
    { name: 'If-None-Match: *', header: 'if-none-match', value: '*', want: 201 },
    { name: 'If-Match: *', header: 'if-match', value: '*', want: 412 },
    { name: 'If-Match with a tag', header: 'if-match', value: '"x"', want: 412 },
  ])('$name on what does not exist: $want', async ({ header, value, want }) => {
    const { send } = await startApi();
    expect((await send('PUT', FRA, bodies.fra, { [header]: value })).status).toBe(want);
  });

  it('let one of two writers win that read the same', async () => {
    const { api, etag } = await startWithFra();
    const statuses = await Promise.all(
      [1, 2, 3].map(
        async (latitude) =>
          (await api.send('PUT', FRA, { latitude, longitude: 0 }, { 'if-match': etag })).status,
      ),
    );
    expect(statuses.sort()).toEqual([200, 412, 412]);
  });

  it('let a read with its tag be short', async () => {
    const { api, etag } = await startWithFra();
    // fetch would ask caches to be passed by.
    const read = (tag: string) => sendRaw(api.port, 'GET', FRA, { 'if-none-match': tag });
    expect([await read(etag), await read('"x"')]).toMatchObject([{ status: 304, text: '' }, { status: 200 }]);
  });

  it('see a new tag after every write', async () => {
    const { api, etag } = await startWithFra();
    const { headers } = await api.send('PUT', FRA, bodies.fra);
    expect(headers.get('etag')).not.toBe(etag);
  });
});

describe('a write', () => {
  it('is answered only when the plane has it', async () => {
    const { send, plane } = await startApi();
    let release = (): void => {};
    const began = new Promise<void>((begin) => {
      plane.beforeWrite = () =>
        new Promise((resolve) => {
          release = resolve;
          begin();
        });
    });
    let answered = false;
    const writing = send('PUT', FRA, bodies.fra).then((answer) => {
      answered = true;
      return answer;
    });
    await began;
    // Another request goes all the way and back, so the write's answer has had every chance to come.
    await send('GET', '/healthz');
    expect(answered).toBe(false);
    release();
    expect((await writing).status).toBe(201);
  });

  it.each([
    { name: 'a reason', value: 'Moved the racks.', want: 'Moved the racks.' },
    {
      name: 'a reason in UTF-8',
      value: Buffer.from('Gerät ersetzt').toString('latin1'),
      want: 'Gerät ersetzt',
    },
    { name: 'a reason in Latin-1', value: 'Ger\u00e4t', want: 'Gerät' },
    { name: 'none', value: '', want: '' },
  ])('keeps who wrote, and $name', async ({ value, want }) => {
    const { send, plane } = await startApi();
    await send('PUT', FRA, bodies.fra, { 'meridian-reason': value });
    expect(plane.writes.map(({ authorship }) => authorship)).toEqual([{ author: 'api', reason: want }]);
  });

  it('refuses a reason that is a story', async () => {
    const { send } = await startApi();
    const { status } = await send('PUT', FRA, bodies.fra, {
      'meridian-reason': 'a'.repeat(MAX_REASON_LENGTH + 1),
    });
    expect(status).toBe(400);
  });

  it('tells every reason at once', async () => {
    const { send } = await startApi();
    const { status, headers, body } = await send('PUT', FRA, {
      latitude: 91,
      longitude: 'east',
      color: 'red',
    });
    expect(status).toBe(422);
    expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(body).toMatchObject({
      type: 'urn:meridian:problem:not-valid',
      status: 422,
      code: 'not-valid',
      instance: FRA,
      problems: [
        { code: 'invalid-value', path: 'dataCenters/fra/latitude' },
        { code: 'invalid-value', path: 'dataCenters/fra/longitude' },
        { code: 'invalid-value', path: expect.stringContaining('dataCenters/fra') },
      ],
    });
  });

  it('is refused when the configuration would be wrong: 422', async () => {
    const { send } = await startApi();
    for (const { item, body } of resources) await send('PUT', item, body);
    const dangling = await send('DELETE', FRA);
    expect([dangling.status, dangling.body]).toMatchObject([422, { code: 'not-valid' }]);
    expect((dangling.body as { problems: unknown[] }).problems.length).toBeGreaterThan(0);
    expect((await send('GET', FRA)).status).toBe(200);
    const zoneless = await send('PUT', '/v1/steered-names/www.example.net', bodies.steered);
    expect(zoneless.status).toBe(422);
    const unknown = await send('PUT', '/v1/pools/web/endpoints/x', {
      dataCenter: 'nowhere',
      address: '192.0.2.7',
    });
    expect(unknown.status).toBe(422);
    const broken = await send('PUT', '/v1/zones/example.org/rrsets/a.example.org/A', {
      ttlSeconds: 1,
      records: ['192.0.2.999'],
    });
    expect(broken.status).toBe(422);
  });

  it('is refused where files own: 409, with the file', async () => {
    const value = { name: 'web', endpoints: [] };
    const plane = createTestPlane([{ collection: 'pools', key: 'web', owner: file, value }]);
    const { send } = await startApi(plane);
    for (const [method, path, body] of [
      ['PUT', '/v1/pools/web', value],
      ['POST', '/v1/pools', value],
      ['PATCH', '/v1/pools/web', {}],
      ['DELETE', '/v1/pools/web', undefined],
      ['PUT', '/v1/pools/web/endpoints/a', { dataCenter: 'fra', address: '192.0.2.1' }],
      ['POST', '/v1/pools/web/endpoints', { name: 'a', dataCenter: 'fra', address: '192.0.2.1' }],
    ] as const) {
      const answer = await send(method, path, body);
      expect([method, path, answer.status, answer.body]).toMatchObject([
        method,
        path,
        409,
        {
          code: 'owned-by-directory',
          detail: expect.stringContaining('pools.yaml'),
          problems: [{ code: 'owned-by-directory', source: { file: 'pools.yaml', line: 7 } }],
        },
      ]);
    }
    expect((await send('GET', '/v1/pools?owner=directory')).body).toMatchObject({ items: [{ value }] });
  });

  it('refuses an override that is over', async () => {
    const { send } = await startApi();
    await send('PUT', FRA, bodies.fra);
    const expired = { ...bodies.override, expiresAt: '2025-12-31T23:59:59Z' };
    const { status, body } = await send('PUT', '/v1/overrides/fra-works', expired);
    expect([status, body]).toMatchObject([422, { problems: [{ code: 'already-expired' }] }]);
  });

  it('that fails inside is a 500 that tells nothing, and the next one goes on', async () => {
    const { send, plane, logged } = await startApi();
    plane.beforeWrite = () => Promise.reject(new Error('secret: disk full at /var/lib'));
    const failed = await send('PUT', FRA, bodies.fra);
    expect([failed.status, failed.body]).toMatchObject([500, { code: 'internal-error' }]);
    expect(JSON.stringify(failed.body)).not.toContain('secret');
    expect(logged).toMatchObject([{ level: 'error', fields: { method: 'PUT', path: FRA } }]);
    expect(String(logged[0]?.fields.err)).toContain('secret');
    plane.beforeWrite = async () => {};
    expect((await send('PUT', FRA, bodies.fra)).status).toBe(201);
  });
});
