import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createContract } from '../../src/config/contract.ts';
import { probeKinds } from '../../src/probing/probes/index.ts';
import { type LoopbackServer, startServer } from './loopback-servers.ts';

const monitors = createContract(probeKinds).schemas.monitors;
const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function probe(port: number, settings: object): Promise<Readonly<Record<string, unknown>>> {
  const monitor = monitors.parse({ name: 'web', kind: 'http', port, settings });
  const kind = probeKinds.find((one) => one.kind === 'http');
  const target = { address: '127.0.0.1', port, timeoutMs: 5000 };
  const result = await kind?.run(target, monitor.settings, new AbortController().signal);
  expect(result?.reason).toBe('ok');
  const { load, capacity, loadHeaders } = result?.evidence ?? {};
  return { load, capacity, loadHeaders };
}

const both = { loadHeaders: { load: 'X-Load', capacity: 'X-Capacity' } };

const cases: readonly (readonly [string, string, object, object])[] = [
  ['both', 'x-load: 12.5\r\nX-CAPACITY: 80', both, { load: 12.5, capacity: 80 }],
  ['with spaces around it', 'x-load:   7  ', { loadHeaders: { load: 'x-load' } }, { load: 7 }],
  ['the first of two', 'x-load: 1\r\nx-load: 2', { loadHeaders: { load: 'x-load' } }, { load: 1 }],
  ['no load', 'x-capacity: 80', both, { loadHeaders: 'X-Load is missing' }],
  ['no capacity', 'x-load: 3', both, { load: 3, loadHeaders: 'X-Capacity is missing' }],
  ['a word', 'x-load: much', both, { loadHeaders: 'X-Load is no number: much' }],
  ['a negative load', 'x-load: -1', both, { loadHeaders: 'X-Load is no number: -1' }],
  ['an exponent', 'x-load: 1e9', both, { loadHeaders: 'X-Load is no number: 1e9' }],
  ['a capacity of nothing', 'x-load: 3\r\nx-capacity: 0', both, { load: 3 }],
  [
    'a name longer than any other that matters',
    `${'x'.repeat(40)}: 5`,
    { loadHeaders: { load: 'x'.repeat(40) } },
    { load: 5 },
  ],
  ['headers that were not asked for', 'x-load: 3', {}, {}],
];

describe('the load in the headers of a response', () => {
  it.each(cases)('%s', async (_, headers, settings, want) => {
    const server: LoopbackServer = await startServer((socket) =>
      socket.end(`HTTP/1.1 200 OK\r\n${headers}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`),
    );
    closing.push(() => server.close());
    expect(await probe(server.port, settings)).toEqual(want);
  });

  it('is read by HTTP/2 as well', async () => {
    const server = http2.createServer();
    server.on('stream', (stream) => {
      stream.respond({ ':status': 200, 'x-load': '4', 'x-capacity': '9' });
      stream.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => new Promise((resolve) => server.close(resolve)));
    const { port } = server.address() as AddressInfo;
    expect(await probe(port, { ...both, protocol: 'h2' })).toEqual({ load: 4, capacity: 9 });
  });

  it('is refused as a setting without the name of a header', () => {
    const given = { name: 'web', kind: 'http', settings: { loadHeaders: { load: 'x load' } } };
    const problems = monitors.safeParse(given).error?.issues.map(({ path }) => path.join('.'));
    expect(problems).toEqual(['settings.loadHeaders.load']);
  });
});
