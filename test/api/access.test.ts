import { describe, expect, it } from 'vitest';
import { bearerToken, MAX_FAILED_AUTHENTICATIONS } from '../../src/api/authorise.ts';
import { hostOf } from '../../src/api/guard-browsers.ts';
import { sendRaw, startApi } from './started-api.ts';

const FRA = '/v1/data-centers/fra';
const body = { latitude: 50.11, longitude: 8.68 };
const token = 'correct-horse-battery-staple';
const secret = { token, writesNeedToken: true };

describe('the token of writes', () => {
  it.each([
    { name: 'none', options: secret, authorization: undefined, want: 401 },
    { name: 'a wrong one', options: secret, authorization: 'Bearer nope', want: 401 },
    { name: 'a part of it', options: secret, authorization: `Bearer ${token.slice(0, -1)}`, want: 401 },
    { name: 'another scheme', options: secret, authorization: `Basic ${token}`, want: 401 },
    { name: 'the right one', options: secret, authorization: `Bearer ${token}`, want: 201 },
    {
      name: 'the right one, scheme in lower case',
      options: secret,
      authorization: `bearer ${token}`,
      want: 201,
    },
    { name: 'none on loopback with a token', options: { token }, authorization: undefined, want: 401 },
    { name: 'none on loopback without one', options: {}, authorization: undefined, want: 201 },
    {
      name: 'none where none is configured',
      options: { writesNeedToken: true },
      authorization: undefined,
      want: 401,
    },
    {
      name: 'any where none is configured',
      options: { writesNeedToken: true },
      authorization: 'Bearer undefined',
      want: 401,
    },
    {
      name: 'nothing where it is empty',
      options: { token: '', writesNeedToken: true },
      authorization: 'Bearer ',
      want: 401,
    },
  ])('$name: $want', async ({ options, authorization, want }) => {
    const { send } = await startApi(undefined, options);
    const answer = await send('PUT', FRA, body, authorization === undefined ? {} : { authorization });
    expect(answer.status).toBe(want);
    if (want === 401) {
      expect(answer.headers.get('www-authenticate')).toContain('Bearer');
      expect(answer.body).toMatchObject({ code: 'unauthorized' });
    }
  });

  it('is needed for every method that writes, and for none that reads', async () => {
    const { send } = await startApi(undefined, secret);
    for (const [method, path] of [
      ['POST', '/v1/pools'],
      ['PATCH', FRA],
      ['DELETE', FRA],
      ['POST', '/v1/demo/data-centers/fra/break'],
    ] as const) {
      expect([method, (await send(method, path)).status]).toEqual([method, 401]);
    }
    for (const path of ['/v1/pools', '/v1/status', '/v1/openapi.json', '/metrics']) {
      expect([path, (await send('GET', path)).status]).toEqual([path, 200]);
    }
  });

  it('cannot be guessed: wrong ones from one address are bounded, missing ones do not count', async () => {
    const { send } = await startApi(undefined, secret);
    const put = (given?: string) => send('PUT', FRA, body, given ? { authorization: `Bearer ${given}` } : {});
    for (let i = 0; i <= MAX_FAILED_AUTHENTICATIONS; i++) expect((await put()).status).toBe(401);
    for (let i = 0; i < MAX_FAILED_AUTHENTICATIONS; i++) expect((await put(`guess-${i}`)).status).toBe(401);
    const refused = await put(token);
    expect([refused.status, refused.body]).toMatchObject([429, { code: 'too-many-failures' }]);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    // What a proxy says of another client does not make a new one.
    const headers = { authorization: `Bearer ${token}`, 'x-forwarded-for': '203.0.113.9' };
    expect((await send('PUT', FRA, body, headers)).status).toBe(429);
    expect((await send('GET', '/v1/pools')).status).toBe(200);
  });

  it('cannot be guessed by asking all at once either', async () => {
    const { send } = await startApi(undefined, secret);
    const put = (_: unknown, i: number) => send('PUT', FRA, body, { authorization: `Bearer guess-${i}` });
    const answers = await Promise.all(Array.from({ length: MAX_FAILED_AUTHENTICATIONS * 2 }, put));
    const late = answers.filter(({ status }) => status === 429);
    expect(late).toHaveLength(MAX_FAILED_AUTHENTICATIONS);
    expect(late.map((answer) => (answer.body as { code: string }).code)).toEqual(
      late.map(() => 'too-many-failures'),
    );
  });

  it.each([
    { given: undefined, want: undefined },
    { given: 'Bearer abc', want: 'abc' },
    { given: 'BEARER   abc ', want: 'abc' },
    { given: 'Bearer', want: undefined },
    { given: 'Bearer a b', want: undefined },
    { given: 'Token abc', want: undefined },
  ])('is read from "$given"', ({ given, want }) => {
    expect(bearerToken(given)).toBe(want);
  });
});

describe('pages of other origins', () => {
  it.each([
    { name: 'a command-line client', headers: {}, want: 201 },
    { name: 'our own page', headers: { origin: 'OWN', 'sec-fetch-site': 'same-origin' }, want: 201 },
    { name: 'our own page in an old browser', headers: { origin: 'OWN' }, want: 201 },
    { name: 'a typed address', headers: { 'sec-fetch-site': 'none' }, want: 201 },
    {
      name: 'another site',
      headers: { origin: 'https://example.org', 'sec-fetch-site': 'cross-site' },
      want: 403,
    },
    { name: 'another site in an old browser', headers: { origin: 'https://example.org' }, want: 403 },
    { name: 'another port of this host', headers: { origin: 'http://127.0.0.1:1' }, want: 403 },
    { name: 'a sandbox', headers: { origin: 'null' }, want: 403 },
    { name: 'a sibling', headers: { 'sec-fetch-site': 'same-site' }, want: 403 },
  ])('$name: $want', async ({ headers, want }) => {
    const { port, url, plane } = await startApi();
    const own = Object.fromEntries(
      Object.entries(headers).map(([key, value]) => [key, value.replace('OWN', url)]),
    );
    await plane.write(
      [{ collection: 'dataCenters', key: 'fra', owner: { kind: 'api' }, value: { name: 'fra', ...body } }],
      { author: 'test', reason: '' },
    );
    const { status } = await sendRaw(port, 'DELETE', FRA, own);
    expect(status).toBe(want === 201 ? 204 : want);
    expect((await sendRaw(port, 'GET', '/v1/status', own)).status).toBe(200);
  });

  it.each([
    { host: '127.0.0.1:8053', want: 200 },
    { host: '[::1]:8053', want: 200 },
    { host: 'localhost', want: 200 },
    { host: 'LOCALHOST.:8053', want: 200 },
    { host: 'gtm.example.org', want: 200 },
    { host: 'rebound.example.net:8053', want: 421 },
    { host: '127.0.0.1.example.net', want: 421 },
    { host: 'localhost.example.net', want: 421 },
    { host: 'user@127.0.0.1', want: 421 },
  ])('cannot come by a name of their own: Host $host: $want', async ({ host, want }) => {
    const { port } = await startApi(undefined, { hostNames: ['gtm.example.org'] });
    expect((await sendRaw(port, 'GET', '/v1/status', { host })).status).toBe(want);
  });

  it('may use any name where a token guards the writes', async () => {
    const { port } = await startApi(undefined, secret);
    expect((await sendRaw(port, 'GET', '/v1/status', { host: 'gtm.example.org' })).status).toBe(200);
  });

  it.each([
    { given: '127.0.0.1:80', want: '127.0.0.1' },
    { given: '[2001:db8::1]', want: '2001:db8::1' },
    { given: 'Example.ORG.', want: 'example.org' },
    { given: '2001:db8::1', want: '' },
    { given: '', want: '' },
  ])('hostOf($given) is "$want"', ({ given, want }) => {
    expect(hostOf(given)).toBe(want);
  });
});
