import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../src/cli/run-command-line.ts';

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCommandLine(argv, {
    env,
    out: (line) => out.push(line),
    err: (line) => err.push(line),
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

const scratch = mkdtempSync(join(tmpdir(), 'meridian-cli-'));
const requests: string[] = [];
let replies: Record<string, { readonly status: number; readonly body: unknown }> = {};
let server: Server;
let api: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url} ${request.headers.authorization ?? 'no token'}`);
    const path = (request.url ?? '').split('?')[0] ?? '';
    const { status, body } = replies[path] ?? { status: 404, body: { title: 'There is no such resource' } };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  api = `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`;
});
afterAll(() => {
  server.close();
  rmSync(scratch, { recursive: true, force: true });
});

describe('meridian', () => {
  it.each([
    { name: 'nothing', argv: [], code: 2, says: 'meridian serve' },
    { name: '--help', argv: ['--help'], code: 0, says: 'meridian explain' },
    { name: '--version', argv: ['--version'], code: 0, says: /^\d+\.\d+\.\d+/ },
    { name: 'serve --help', argv: ['serve', '--help'], code: 0, says: '--token-file FILE' },
    { name: 'explain --help', argv: ['explain', '--help'], code: 0, says: '--client ADDRESS' },
  ])('$name tells', async ({ argv, code, says }) => {
    const outcome = await run(argv);
    expect(outcome).toMatchObject({ code, err: '' });
    expect(outcome.out).toMatch(says);
  });

  it.each([
    { name: 'an unknown command', argv: ['sevre'], says: '"sevre" is not a command. Did you mean "serve"?' },
    { name: 'an unknown flag of serve', argv: ['serve', '--dsn=x'], says: 'Did you mean "--dns"?' },
    { name: 'explain without a name', argv: ['explain'], says: 'give one name' },
    { name: 'break without a data center', argv: ['break'], says: 'name one data center' },
    { name: 'status of something', argv: ['status', 'fra'], says: '"fra" is neither a flag' },
    { name: 'check without a directory', argv: ['check'], says: 'name one directory' },
    { name: 'check of two directories', argv: ['check', 'a', '--config', 'b'], says: 'name one directory' },
    {
      name: 'an API that is no URL',
      argv: ['status', '--api', 'ftp://x'],
      says: 'is not the address of a node',
    },
  ])('$name is not understood', async ({ argv, says }) => {
    const outcome = await run(argv);
    expect(outcome).toMatchObject({ code: 2, out: '' });
    expect(outcome.err).toContain(says);
  });

  it('says so when no node answers', async () => {
    const outcome = await run(['status', '--api', 'http://127.0.0.1:9']);
    expect(outcome.code).toBe(1);
    expect(outcome.err).toMatch(
      /^meridian status: no node answers at http:\/\/127\.0\.0\.1:9 \(.*\); start one/,
    );
  });
});

describe('meridian check', () => {
  it('is content with a good directory', async () => {
    const text = 'dataCenters:\n  - { name: fra, latitude: 50, longitude: 8 }\n';
    writeFileSync(join(scratch, 'meridian.yaml'), text);
    const outcome = await run(['check', '--config', scratch]);
    expect(outcome).toEqual({ code: 0, out: `ok: 0 zones and 1 other resource in ${scratch}`, err: '' });
  });

  it('tells every problem with its line', async () => {
    const text = 'dataCenters:\n  - name: FRA\n    latitude: 500\n    longitude: 0\n';
    writeFileSync(join(scratch, 'meridian.yaml'), text);
    const outcome = await run(['check'], { MERIDIAN_CONFIG: scratch });
    expect(outcome.code).toBe(1);
    expect(outcome.err).toMatch(/^meridian\.yaml:2: .*\nmeridian\.yaml:3: .*\n2 problems in /);
  });
});

describe('commands that ask a node', () => {
  it('explain tells the steps, the answer and the data centers', async () => {
    replies = {
      '/v1/explain': {
        status: 200,
        body: {
          question: { name: 'www.example.org.', type: 'A', client: '192.0.2.0/24', resolver: '127.0.0.1' },
          client: { source: 'client-subnet' },
          steps: [
            { step: 'zone', text: 'The name is in example.org.', details: {} },
            { step: 'choice', text: 'The nearest is up.', details: {} },
          ],
          dataCenters: [
            {
              name: 'fra',
              distanceKm: 12.4,
              rank: 1,
              chosen: true,
              endpoints: [
                {
                  key: 'web/fra',
                  address: '198.51.100.1',
                  verdict: 'up',
                  reason: 'x',
                  fits: true,
                  answered: true,
                },
              ],
            },
            { name: 'sin', chosen: false, endpoints: [] },
          ],
          answer: {
            outcome: 'answer',
            rcode: 'NOERROR',
            tier: 'up',
            records: ['www.example.org. 30 IN A 198.51.100.1'],
            ttlSeconds: 30,
            scope: '192.0.2.0/24',
          },
          attribution: 'Somebody made the table.',
        },
      },
    };
    const outcome = await run(['explain', 'www.example.org', '--client', '192.0.2.0/24', '--api', api]);
    expect(requests.at(-1)).toBe('GET /v1/explain?name=www.example.org&client=192.0.2.0%2F24 no token');
    expect(outcome.err).toBe('');
    expect(outcome.out.split('\n')).toEqual([
      'www.example.org. A for client 192.0.2.0/24',
      '',
      '  1. The name is in example.org.',
      '  2. The nearest is up.',
      '',
      'answer: NOERROR (answer)',
      '  www.example.org. 30 IN A 198.51.100.1',
      '  holds for 192.0.2.0/24',
      '',
      '     data center  distance  endpoints',
      '> 1  fra          12 km     198.51.100.1 up',
      '  -  sin',
      '',
      'Somebody made the table.',
    ]);
  });

  it('status fails while the node is not ready, and says what is missing', async () => {
    replies = {
      '/v1/status': {
        status: 200,
        body: {
          version: '1.0.0',
          startedAt: '2025-01-01T00:00:00.000Z',
          generation: 3,
          ready: false,
          conditions: [{ name: 'geo', holds: false, detail: 'no table' }],
          geo: { name: 'shipped', builtAt: '2025-01-01', attribution: '', attributionUrl: '', ageSeconds: 1 },
          dns: ['127.0.0.1:5300'],
        },
      },
      '/v1/health': { status: 200, body: { items: [] } },
    };
    const outcome = await run(['status'], { MERIDIAN_API_URL: api });
    expect(outcome.code).toBe(1);
    expect(outcome.out).toContain('not ready');
    expect(outcome.out).toContain('not yet: geo: no table');
  });

  it('break sends the token and shows the data centers', async () => {
    replies = {
      '/v1/demo/data-centers/fra/break': {
        status: 200,
        body: { items: [{ dataCenter: 'fra', address: '127.0.1.1:8080', broken: true }] },
      },
    };
    const outcome = await run(['break', 'fra', '--api', api], { MERIDIAN_TOKEN: 'secret' });
    expect(requests.at(-1)).toBe('POST /v1/demo/data-centers/fra/break Bearer secret');
    expect(outcome).toEqual({
      code: 0,
      out: 'data center  address         state\nfra          127.0.1.1:8080  broken',
      err: '',
    });
  });

  it('tell every reason of a refusal', async () => {
    replies = {
      '/v1/demo/data-centers/fra/mend': {
        status: 404,
        body: {
          title: 'There is no such resource',
          detail: 'This node runs no demo.',
          problems: [{ code: 'x', path: 'a/b', message: 'Why.' }],
        },
      },
    };
    const outcome = await run(['mend', 'fra', '--api', api]);
    expect(outcome).toEqual({
      code: 1,
      out: '',
      err: 'meridian mend: There is no such resource: This node runs no demo.\n  a/b: Why.',
    });
  });

  it('say so when the answer is of another version', async () => {
    replies = { '/v1/status': { status: 200, body: { version: 2 } } };
    const outcome = await run(['status', '--api', api]);
    expect(outcome.err).toContain('in a form this version does not know');
  });
});
