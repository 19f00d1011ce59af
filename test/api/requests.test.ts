import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendRaw, startApi } from './started-api.ts';

const json = { 'content-type': 'application/json' };
const DATA_CENTER = '/v1/data-centers/fra';

describe('a request that cannot be read', () => {
  it.each([
    { name: 'malformed JSON', body: '{"name":', headers: json, want: [400, 'malformed-json'] },
    { name: 'no body', body: '', headers: json, want: [400, 'malformed-json'] },
    { name: 'an array', body: '[]', headers: json, want: [422, 'not-valid'] },
    { name: 'a number', body: '7', headers: json, want: [422, 'not-valid'] },
    { name: 'null', body: 'null', headers: json, want: [422, 'not-valid'] },
    { name: 'deep JSON', body: '['.repeat(400_000), headers: json, want: [400, 'malformed-json'] },
    {
      name: 'deep JSON that is well-formed',
      body: '['.repeat(400_000) + ']'.repeat(400_000),
      headers: json,
      want: [400, 'malformed-json'],
    },
    {
      name: 'deep policies',
      body: `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`,
      headers: json,
      want: [400, 'malformed-json'],
    },
    {
      name: 'a huge array',
      body: `[${'0,'.repeat(300_000)}0]`,
      headers: json,
      want: [413, 'body-too-large'],
    },
    { name: 'a huge text', body: `"${'a'.repeat(2 ** 20)}"`, headers: json, want: [413, 'body-too-large'] },
    { name: '__proto__', body: '{"__proto__":{"name":"fra"}}', headers: json, want: [400, 'malformed-json'] },
    {
      name: '__proto__ within',
      body: '{"a":[{"__proto__":null}]}',
      headers: json,
      want: [400, 'malformed-json'],
    },
    {
      name: 'constructor',
      body: '{"constructor":{"prototype":{"a":1}}}',
      headers: json,
      want: [422, 'not-valid'],
    },
    {
      name: 'a form',
      body: 'name=fra',
      headers: { 'content-type': 'text/plain' },
      want: [415, 'wrong-content-type'],
    },
    {
      name: 'another form',
      body: 'name=fra',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      want: [415, 'wrong-content-type'],
    },
    {
      name: 'another charset',
      body: '{}',
      headers: { 'content-type': 'application/json; charset=iso-8859-1' },
      want: [415, 'wrong-content-type'],
    },
    {
      name: 'UTF-16',
      body: '{}',
      headers: { 'content-type': 'application/json; charset=utf-16' },
      want: [415, 'wrong-content-type'],
    },
    {
      name: 'an octet that is not UTF-8',
      body: Uint8Array.of(0x22, 0xff, 0x22),
      headers: json,
      want: [415, 'wrong-content-type'],
    },
    {
      name: 'a compressed body',
      body: '{}',
      headers: { ...json, 'content-encoding': 'gzip' },
      want: [415, 'wrong-content-type'],
    },
  ])('$name is refused', async ({ body, headers, want }) => {
    const { send } = await startApi();
    const answer = await send('PUT', DATA_CENTER, body, headers);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect([answer.status, (answer.body as { code: string }).code]).toEqual(want);
    expect(({} as { name?: string }).name).toBeUndefined();
  });

  it.each([
    { name: 'an unknown route', method: 'GET', path: '/v1/nothing', want: 404 },
    { name: 'an unknown root', method: 'GET', path: '/nothing', want: 404 },
    { name: 'a bad escape', method: 'GET', path: '/v1/pools/%zz', want: 400 },
    { name: 'bad UTF-8', method: 'GET', path: '/v1/pools/%ff%fe', want: 400 },
    { name: 'a zero octet', method: 'GET', path: '/v1/pools/%00', want: 404 },
    { name: 'a key of Object', method: 'GET', path: '/v1/pools/__proto__', want: 404 },
    { name: 'another key of Object', method: 'GET', path: '/v1/pools/constructor', want: 404 },
    { name: 'a path that is too deep', method: 'GET', path: '/v1/pools/a/b/c/d', want: 404 },
  ])('$name: $want', async ({ method, path, want }) => {
    const { port } = await startApi();
    const { status, text } = await sendRaw(port, method, path, {});
    expect([status, JSON.parse(text)]).toMatchObject([want, { status: want }]);
  });

  it.each([
    { method: 'DELETE', path: '/v1/pools', allow: 'GET, POST, HEAD, OPTIONS' },
    { method: 'POST', path: '/v1/pools/web', allow: 'GET, PUT, PATCH, DELETE, HEAD, OPTIONS' },
    { method: 'PUT', path: '/v1/status', allow: 'GET, HEAD, OPTIONS' },
    { method: 'GET', path: '/v1/demo/data-centers/fra/break', allow: 'POST, OPTIONS' },
  ])('$method $path: 405, with what it allows', async ({ method, path, allow }) => {
    const { send } = await startApi();
    const { status, headers } = await send(method, path);
    expect([status, headers.get('allow')]).toEqual([405, allow]);
    const options = await send('OPTIONS', path);
    expect([options.status, options.headers.get('allow')]).toEqual([204, allow]);
  });
});

describe('the dashboard', () => {
  let directory = '';
  beforeAll(() => {
    const root = mkdtempSync(join(tmpdir(), 'meridian-api-'));
    directory = join(root, 'dashboard');
    mkdirSync(directory);
    writeFileSync(join(root, 'secret.txt'), 'secret');
    writeFileSync(join(directory, 'index.html'), '<!doctype html><title>Meridian</title>');
    writeFileSync(join(directory, '.hidden'), 'secret');
  });
  afterAll(() => rmSync(join(directory, '..'), { recursive: true }));

  it('is served at the root, and may run only what is its own', async () => {
    const { send } = await startApi(undefined, { dashboardDirectory: directory });
    const { status, body, headers } = await send('GET', '/');
    expect([status, body]).toEqual([200, expect.stringContaining('Meridian')]);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toContain('unsafe');
    expect(policy).not.toContain('upgrade-insecure-requests');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-powered-by')).toBeNull();
  });

  it.each([
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/%2e%2e%2fsecret.txt',
    '/..%5csecret.txt',
    '/./../secret.txt',
    '/x/../../secret.txt',
    '/.hidden',
    '/secret.txt%00.html',
    '//secret.txt',
  ])('keeps to its directory: %s', async (path) => {
    const { port } = await startApi(undefined, { dashboardDirectory: directory });
    const { status, text } = await sendRaw(port, 'GET', path, {});
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(text).not.toContain('"secret"');
    expect(JSON.parse(text)).toMatchObject({ status });
  });
});
