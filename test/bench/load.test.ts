import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCompiler, type LoadOptions, type LoadReport, runLoad } from '../../bench/ground/load.ts';
import type { ProtectionMessage } from '../../src/protection/protection.ts';
import { serveDns } from '../../src/server/serve-dns.ts';
import { temporaryDirectory } from '../e2e/node-process.ts';
import { testSnapshot } from '../server/test-snapshot.ts';

/*
 * The load generator against our own server: it has to see every answer, and every wrong one, or the figures of the
 * comparison mean nothing.
 */
const directory = temporaryDirectory();
afterAll(() => directory.remove());
const closers: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closers) await close();
});

async function portOfServer(protection?: ProtectionMessage): Promise<number> {
  const server = await serveDns({
    addresses: [{ address: '127.0.0.1', port: 0 }],
    snapshot: { ...testSnapshot(), protection },
    log: { debug: () => undefined, warn: () => undefined, error: () => undefined },
  });
  closers.push(() => server.close());
  return server.addresses[0]?.port ?? 0;
}

let port = 0;
beforeAll(async () => {
  port = await portOfServer();
});

/** As many also fit into the server's receive buffer, should it not be given the processor for a while. */
const QUERIES = 500;

interface Loaded {
  readonly report: LoadReport;
  /** What the generator said beside its report. */
  readonly said: string;
}

async function load(questions: readonly string[], options: Partial<LoadOptions> = {}): Promise<Loaded> {
  const names = join(directory.path, 'questions');
  writeFileSync(names, `${questions.join('\n')}\n`);
  let said = '';
  const report = await runLoad(
    {
      port,
      names,
      queries: QUERIES,
      seconds: 60,
      timeout: 20,
      sockets: 10,
      window: 40,
      ...options,
    },
    (text) => {
      said += text;
    },
  );
  return { report, said };
}

const right = [
  'www.example.org A 192.0.2.1',
  'www.example.org AAAA 2001:db8::1',
  'nothing.example.org A rcode=3',
];

/** In one line: how much was answered, lost and wrong, and in what way. */
function told({ report }: Loaded): string {
  const { queries, lost, wrong, wrongBy } = report;
  const ways = Object.entries(wrongBy).filter(([, times]) => times > 0);
  const enough = queries >= QUERIES ? 'all answered' : `${queries} answered`;
  return [
    enough,
    `${lost} lost`,
    wrong === 0 ? 'none wrong' : `wrong: ${ways.map(([way]) => way).join(', ')}`,
  ].join('; ');
}

const cases: readonly {
  readonly name: string;
  readonly given: readonly [questions: readonly string[], options?: Partial<LoadOptions>];
  readonly want: string;
}[] = [
  { name: 'right answers', given: [right], want: 'all answered; 0 lost; none wrong' },
  {
    name: 'queries sent in segments',
    given: [right, { flags: ['segments'] }],
    want: 'all answered; 0 lost; none wrong',
  },
  {
    name: 'a client subnet and the DO bit',
    given: [right, { ecs: 'v6', zipf: 10, flags: ['do'] }],
    want: 'all answered; 0 lost; none wrong',
  },
  {
    name: 'as many client subnets as can be drawn',
    given: [right, { ecs: 'v4', zipf: 65_536 }],
    want: 'all answered; 0 lost; none wrong',
  },
  {
    name: 'by schedule',
    given: [right, { rate: 5000, window: 400, flags: ['sleep'] }],
    want: 'all answered; 0 lost; none wrong',
  },
  {
    name: 'TCP, pipelined',
    given: [right, { transport: 'tcp-pipelined', sockets: 2 }],
    want: 'all answered; 0 lost; none wrong',
  },
  {
    name: 'TCP, one in flight',
    given: [right, { transport: 'tcp-one' }],
    want: 'all answered; 0 lost; none wrong',
  },
  {
    name: 'TCP, a connection for each query',
    given: [right, { transport: 'tcp-connect', sources: 10 }],
    want: 'all answered; 0 lost; none wrong',
  },
  {
    name: 'an address that is not expected',
    given: [['www.example.org A 192.0.2.2,192.0.2.3']],
    want: 'all answered; 0 lost; wrong: rdata',
  },
  {
    name: 'a name that is not there',
    given: [['nothing.example.org A']],
    want: 'all answered; 0 lost; wrong: rcode',
  },
  {
    name: 'no address where one is expected',
    given: [['alias.example.org AAAA 2001:db8::1', 'example.org A 192.0.2.1']],
    want: 'all answered; 0 lost; wrong: rdata',
  },
  {
    name: 'a truncated answer',
    given: [['big.example.org TXT']],
    want: 'all answered; 0 lost; wrong: truncated',
  },
];

describe.skipIf(findCompiler() === undefined)('the load generator (needs a C compiler)', () => {
  it.each(cases)('$name', async ({ given, want }) => {
    const loaded = await load(...given);
    expect(told(loaded)).toBe(want);
    expect(loaded.said === '').toBe(loaded.report.wrong === 0);
  });

  it('refuses more client subnets than can be drawn', async () => {
    await expect(load(right, { ecs: 'v4', zipf: 65_537 })).rejects.toThrow();
  });

  it('learns the cookie of each socket and shows it', async () => {
    const strict = await portOfServer({
      maxUdpAnswerOctets: 1232,
      cookies: { secrets: [new Uint8Array(16)], required: 'over-udp' },
      rateLimit: undefined,
      access: undefined,
    });
    const loaded = await load(right, { port: strict, flags: ['cookies'] });
    expect(told(loaded)).toBe('all answered; 0 lost; none wrong');
    // Those that a socket had sent before its first answer came, and no others.
    expect(loaded.report.badCookies).toBeGreaterThanOrEqual(10);
    expect(loaded.report.badCookies).toBeLessThanOrEqual(40);
  });

  it('counts what is never answered as lost', async () => {
    const names = join(directory.path, 'unanswered');
    writeFileSync(names, 'www.example.org A\n');
    // Port 9 of loopback discards everything, where there is anybody at all.
    const report = await runLoad({
      port: 9,
      names,
      queries: 20,
      seconds: 20,
      sockets: 2,
      window: 4,
      timeout: 0.01,
    });
    expect([report.queries, report.lost >= 20]).toEqual([0, true]);
  });

  it('says what it does not understand', async () => {
    const names = join(directory.path, 'broken');
    writeFileSync(names, 'www.example.org A 192.0.2.1\nwww.example.org A not-an-address\n');
    await expect(runLoad({ port: 9, names })).rejects.toThrow(
      'load: line 2 of the names: not-an-address is no address for its type',
    );
  });
});
