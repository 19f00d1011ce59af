import { describe, expect, it } from 'vitest';
import { MAX_PAGE_ITEMS } from '../../src/api/page.ts';
import { bodies, resources } from './resources.ts';
import { type StartedApi, startApi } from './started-api.ts';

interface StoredBody {
  readonly value: Readonly<Record<string, unknown>>;
  readonly revision: string;
}

async function startFilled(): Promise<StartedApi> {
  const api = await startApi();
  for (const { item, body } of resources) {
    const { status, body: answer } = await api.send('PUT', item, body);
    expect(answer).toHaveProperty('value');
    expect(status).toBe(201);
  }
  return api;
}

describe('every collection', () => {
  it('creates, lists, reads, replaces, patches and deletes', async () => {
    const { send } = await startFilled();
    for (const { list, item, body } of resources) {
      const read = await send('GET', item);
      expect(read.status).toBe(200);
      const { revision } = read.body as StoredBody;
      expect(read.headers.get('etag')).toBe(`"${revision}"`);
      expect(read.body).toMatchObject({ owner: { kind: 'api' }, author: 'api' });

      const listed = await send('GET', list);
      expect((listed.body as { items: unknown[] }).items).toContainEqual(read.body);

      expect((await send('POST', list, body)).status).toBe(409);
      expect((await send('PUT', item, body)).status).toBe(200);
      const patched = await send('PATCH', item, {});
      expect(patched.status).toBe(200);
      expect((patched.body as StoredBody).value).toEqual((read.body as StoredBody).value);
    }
    for (const { item } of resources.toReversed()) {
      const gone = await send('DELETE', item);
      expect([gone.status, gone.body]).toEqual([204, '']);
      expect((await send('GET', item)).status).toBe(404);
      expect((await send('DELETE', item)).status).toBe(404);
      expect((await send('PATCH', item, {})).status).toBe(404);
    }
  });

  it('creates by POST, and says where', async () => {
    const { send } = await startApi();
    for (const { list, item, body } of resources) {
      const created = await send('POST', list, body);
      expect(created.status).toBe(201);
      const location = created.headers.get('location') ?? '';
      expect(decodeURIComponent(location).replaceAll(/\.(?=\/|$)/g, '')).toBe(item);
      const read = await send('GET', location);
      expect(read.body).toEqual(created.body);
      expect(read.headers.get('etag')).toBe(created.headers.get('etag'));
    }
  });

  it('has endpoints of a pool one by one', async () => {
    const { send, plane } = await startFilled();
    const put = await send('PUT', '/v1/pools/web/endpoints/fra-v6', {
      dataCenter: 'fra',
      address: '2001:db8::1',
    });
    expect(put.status).toBe(201);
    expect(put.body).toMatchObject({ value: { name: 'fra-v6', dataCenter: 'fra', weight: 1 } });
    expect(put.headers.get('etag')).toBe((await send('GET', '/v1/pools/web')).headers.get('etag'));
    expect((await send('POST', '/v1/pools/web/endpoints', { ...bodies.pool.endpoints[0] })).status).toBe(409);
    await send('PATCH', '/v1/pools/web/endpoints/fra-v4', { weight: 5 });
    await send('DELETE', '/v1/pools/web/endpoints/sin-v4');
    const endpoints = plane.config.pools
      .get('web')
      ?.value.endpoints.map(({ name, weight }) => [name, weight]);
    expect(endpoints).toEqual([
      ['fra-v4', 5],
      ['fra-v6', 1],
    ]);
    expect((await send('GET', '/v1/pools/none/endpoints')).status).toBe(404);
    expect((await send('PUT', '/v1/pools/none/endpoints/fra-v4', bodies.pool.endpoints[0])).status).toBe(404);
  });
});

describe('names in URLs', () => {
  it.each([
    { name: 'with the final dot', given: '/v1/zones/example.org.' },
    { name: 'without it', given: '/v1/zones/example.org' },
    { name: 'in any case', given: '/v1/zones/EXAMPLE.Org' },
    { name: 'with escapes that need not be', given: `/v1/zones/${encodeURIComponent('\\101xample.org')}` },
    { name: 'an RRset in any spelling', given: '/v1/zones/EXAMPLE.org./rrsets/MAIL.example.org/a' },
    { name: 'a type by its number', given: '/v1/zones/example.org/rrsets/mail.example.org/TYPE1' },
  ])('are found $name', async ({ given }) => {
    const { send } = await startFilled();
    expect((await send('GET', given)).status).toBe(200);
  });

  it('may be wildcards, encoded or not, and may hold a slash', async () => {
    const { send, plane } = await startFilled();
    const body = { ttlSeconds: 60, records: ['192.0.2.9'] };
    const at = '/v1/zones/example.org/rrsets';
    expect((await send('PUT', `${at}/*.example.org/A`, body)).status).toBe(201);
    expect((await send('PUT', `${at}/%2A.example.org/A`, body)).status).toBe(200);
    expect((await send('PUT', `${at}/0%2F25.example.org/A`, body)).status).toBe(201);
    expect([...(plane.config.rrsets.get('example.org.')?.keys() ?? [])].sort()).toEqual([
      '*.example.org. A',
      '0/25.example.org. A',
      'mail.example.org. A',
    ]);
  });

  it.each([
    { name: 'no domain name', path: '/v1/zones/a..b' },
    { name: 'a label that is too long', path: `/v1/zones/${'a'.repeat(64)}.org` },
    { name: 'no type', path: '/v1/zones/example.org/rrsets/mail.example.org/NOPE' },
    { name: 'an escape out of range', path: `/v1/steered-names/${encodeURIComponent('\\999.org')}` },
  ])('are refused when they are $name', async ({ path }) => {
    const { send } = await startFilled();
    const { status, body } = await send('GET', path);
    expect([status, body]).toMatchObject([400, { code: 'bad-parameter', problems: [{}] }]);
  });

  it('decide; a body may repeat them in its own spelling, but not differ', async () => {
    const { send } = await startFilled();
    const same = await send('PUT', '/v1/zones/example.org', { ...bodies.zone, name: 'EXAMPLE.org.' });
    expect([same.status, same.body]).toMatchObject([
      200,
      { value: { name: 'example.org.', kind: 'rrsets' } },
    ]);
    const other = await send('PUT', '/v1/zones/example.org', { ...bodies.zone, name: 'example.net' });
    expect([other.status, other.body]).toMatchObject([
      422,
      { problems: [{ code: 'name-mismatch', path: 'zones/example.org.' }] },
    ]);
    const renamed = await send('PATCH', '/v1/pools/web', { name: 'other' });
    expect(renamed.status).toBe(422);
  });
});

describe('lists', () => {
  it('come in pages in the order of names', async () => {
    const { send } = await startApi();
    const names = ['ams', 'bom', 'cdg', 'dub', 'fra'];
    for (const name of names.toReversed()) {
      await send('PUT', `/v1/data-centers/${name}`, { latitude: 0, longitude: 0 });
    }
    const seen: unknown[] = [];
    let after: string | undefined = '';
    while (after !== undefined) {
      const page: { items: StoredBody[]; next?: string } = (
        await send('GET', `/v1/data-centers?limit=2&after=${after}`)
      ).body as { items: StoredBody[]; next?: string };
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map((item) => item.value.name));
      after = page.next;
    }
    expect(seen).toEqual(names);
  });

  it('can be of one owner', async () => {
    const { send } = await startFilled();
    const count = async (owner: string): Promise<number> =>
      ((await send('GET', `/v1/pools?owner=${owner}`)).body as { items: [] }).items.length;
    expect([await count('api'), await count('directory')]).toEqual([1, 0]);
  });

  it.each([
    { query: 'limit=0' },
    { query: `limit=${MAX_PAGE_ITEMS + 1}` },
    { query: 'limit=ten' },
    { query: 'limit=1&limit=2' },
    { query: 'owner=me' },
    { query: `after=${'a'.repeat(2049)}` },
    { query: 'color=blue' },
    { query: '__proto__=x' },
  ])('refuse ?$query', async ({ query }) => {
    const { send } = await startApi();
    const { status, body } = await send('GET', `/v1/pools?${query}`);
    expect([status, body]).toMatchObject([400, { code: 'bad-parameter' }]);
  });
});

describe('a merge patch', () => {
  it('removes with null, merges objects and replaces the rest', async () => {
    const { send } = await startFilled();
    await send('PATCH', '/v1/monitors/web', { settings: { path: '/up' }, description: 'Checks the web.' });
    const { body } = await send('PATCH', '/v1/monitors/web', {
      settings: { host: 'example.org' },
      description: null,
    });
    expect(body).toMatchObject({ value: { settings: { path: '/up', host: 'example.org' } } });
    expect((body as StoredBody).value).not.toHaveProperty('description');
  });

  it('comes as application/merge-patch+json as well', async () => {
    const { send } = await startFilled();
    const headers = { 'content-type': 'application/merge-patch+json' };
    expect(
      (await send('PATCH', '/v1/zones/example.org', { contact: 'me.example.org' }, headers)).status,
    ).toBe(200);
    expect((await send('PUT', '/v1/zones/example.org', bodies.zone, headers)).status).toBe(415);
  });

  it('is checked as the whole that it gives', async () => {
    const { send } = await startFilled();
    const { status, body } = await send('PATCH', '/v1/steered-names/www.example.org', {
      allDown: 'fallback',
    });
    expect([status, body]).toMatchObject([
      422,
      { problems: [{ path: 'steeredNames/www.example.org./fallback' }] },
    ]);
  });
});

describe('a zone that lives in a zone file', () => {
  it('can be read, record by record and as text, but not written', async () => {
    const { send, plane } = await startApi();
    const text =
      'example.net. 60 IN A 192.0.2.1\nexample.net. 60 IN A 192.0.2.2\nexample.net. 60 IN TXT "a b"\n';
    plane.zoneTexts.set('example.net.', text);
    const owner = { kind: 'directory', file: 'example.net.zone', line: 1 } as const;
    const value = { kind: 'blob', name: 'example.net.', blob: 'ab', rrsetCount: 2 } as const;
    plane.config = {
      ...plane.config,
      zones: new Map([
        ['example.net.', { value, owner, revision: 'r', author: '', reason: '', updatedAt: '' }],
      ]),
    };
    const list = (await send('GET', '/v1/zones/example.net/rrsets')).body as { items: StoredBody[] };
    expect(list.items.map((item) => item.value)).toEqual([
      { name: 'example.net.', type: 'A', ttlSeconds: 60, records: ['192.0.2.1', '192.0.2.2'] },
      { name: 'example.net.', type: 'TXT', ttlSeconds: 60, records: ['"a b"'] },
    ]);
    const asFile = await send('GET', '/v1/zones/example.net/file');
    expect([asFile.headers.get('content-type'), asFile.body]).toEqual(['text/dns; charset=utf-8', text]);
    for (const [method, path, body] of [
      ['PUT', '/v1/zones/example.net/rrsets/new.example.net/A', { ttlSeconds: 1, records: ['192.0.2.3'] }],
      ['DELETE', '/v1/zones/example.net/rrsets/example.net/A', undefined],
      ['PUT', '/v1/zones/example.net', { nameServers: ['ns1.example.org'] }],
    ] as const) {
      const answer = await send(method, path, body);
      expect([answer.status, answer.body]).toMatchObject([
        409,
        { code: 'owned-by-directory', problems: [{ source: { file: 'example.net.zone', line: 1 } }] },
      ]);
    }
  });
});
