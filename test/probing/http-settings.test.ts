import { afterEach, describe, expect, it } from 'vitest';
import { createContract } from '../../src/config/contract.ts';
import { expectsStatus } from '../../src/probing/http-settings.ts';
import { probeKinds } from '../../src/probing/probes/index.ts';
import { type LoopbackServer, startServer } from './loopback-servers.ts';

const monitors = createContract(probeKinds).schemas.monitors;

const refused = [
  { name: 'a path without a slash', kind: 'http', settings: { path: 'healthz' }, want: 'settings.path' },
  {
    name: 'a path that splits the request',
    kind: 'http',
    settings: { path: '/ HTTP/1.1\r\nX: y' },
    want: 'settings.path',
  },
  {
    name: 'a header that splits the request',
    kind: 'http',
    settings: { headers: { a: 'b\r\nc: d' } },
    want: 'settings.headers.a',
  },
  {
    name: 'a header that is ours',
    kind: 'http',
    settings: { headers: { Host: 'x' } },
    want: 'settings.headers.Host',
  },
  {
    name: 'a status range from end to begin',
    kind: 'http',
    settings: { expectStatus: ['299-200'] },
    want: 'settings.expectStatus.0',
  },
  {
    name: 'a status that is none',
    kind: 'https',
    settings: { expectStatus: [99] },
    want: 'settings.expectStatus.0',
  },
  {
    name: 'an unbounded body',
    kind: 'http',
    settings: { bodyLimitOctets: 1e9 },
    want: 'settings.bodyLimitOctets',
  },
  {
    name: 'TLS settings for plain HTTP',
    kind: 'http',
    settings: { serverName: 'www.example.org' },
    want: 'settings',
  },
  {
    name: 'a body that no method would carry',
    kind: 'https',
    settings: { body: 'ping' },
    want: 'settings.body',
  },
  { name: 'TCP without a port', kind: 'tcp', settings: {}, want: 'port' },
];

describe('a monitor is refused for', () => {
  it.each(refused)('$name', ({ kind, settings, want }) => {
    const outcome = monitors.safeParse({ name: 'm', kind, settings });
    expect(outcome.error?.issues.map((issue) => issue.path.join('.'))).toEqual([want]);
  });
});

it('a monitor with nothing said has all defaults', () => {
  expect(monitors.parse({ name: 'm', kind: 'http' })).toEqual({
    name: 'm',
    kind: 'http',
    intervalSeconds: 10,
    timeoutSeconds: 3,
    rise: 2,
    fall: 3,
    jitter: 0.1,
    settings: {
      protocol: 'http/1.1',
      method: 'GET',
      path: '/',
      headers: {},
      expectStatus: ['200-399'],
      bodyLimitOctets: 65_536,
      watch: false,
    },
  });
});

const statuses = [
  { expected: [200], given: 200, want: true },
  { expected: [200], given: 204, want: false },
  { expected: ['200-299', 301], given: 299, want: true },
  { expected: ['200-299', 301], given: 301, want: true },
  { expected: ['200-299', 301], given: 300, want: false },
];

it.each(statuses)('status $given against $expected: $want', ({ expected, given, want }) => {
  expect(expectsStatus(expected, given)).toBe(want);
});

describe('a request', () => {
  let server: LoopbackServer | undefined;
  afterEach(() => server?.close());

  const requests = [
    {
      name: 'by default',
      settings: {},
      want: (port: number) => [`GET / HTTP/1.1`, `host: 127.0.0.1:${port}`],
    },
    {
      name: 'as told',
      settings: { method: 'HEAD', path: '/a?b=c', host: 'www.example.org', headers: { 'X-Probe': 'yes' } },
      want: () => ['HEAD /a?b=c HTTP/1.1', 'host: www.example.org', 'X-Probe: yes'],
    },
    {
      name: 'with a body of its own',
      settings: { method: 'POST', body: '{"é":1}', headers: { 'content-type': 'application/json' } },
      want: () => [
        'POST / HTTP/1.1',
        'content-type: application/json',
        'content-length: 8',
        '{"\u00c3\u00a9":1}',
      ],
    },
    { name: 'as OPTIONS', settings: { method: 'OPTIONS' }, want: () => ['OPTIONS / HTTP/1.1'] },
  ];

  it.each(requests)('goes out $name, and a redirect is an answer', async ({ settings, want }) => {
    server = await startServer((socket) => socket.end('HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\n\r\n'));
    const kind = probeKinds.find((one) => one.kind === 'http');
    const result = await kind?.run(
      { address: '127.0.0.1', port: server.port, timeoutMs: 10_000 },
      kind.settings.parse(settings),
      new AbortController().signal,
    );
    expect(result).toMatchObject({ ok: true, evidence: { status: 302, location: '/elsewhere' } });
    const lines = server.received().split('\r\n');
    expect(lines).toEqual(expect.arrayContaining([...want(server.port), 'connection: close']));
  });
});
