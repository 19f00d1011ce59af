import { execFile, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type NodeProcess, startNodeProcess, temporaryDirectory } from './node-process.ts';

const run = promisify(execFile);

function isInstalled(command: string): boolean {
  return spawnSync(command, ['-v'], { stdio: 'ignore' }).error === undefined;
}

const data = temporaryDirectory();
const config = temporaryDirectory();
let node: NodeProcess;

beforeAll(async () => {
  const many = Array.from({ length: 100 }, (_, index) => `many IN A 198.51.100.${index}`).join('\n');
  writeFileSync(
    join(config.path, 'example.org.zone'),
    `$TTL 300
@ IN SOA ns1 hostmaster 1 3600 600 86400 60
@ IN NS ns1
ns1 IN A 192.0.2.53
alias IN CNAME ns1
*.wild IN TXT "wild"
child IN NS ns.child
ns.child IN A 192.0.2.77
${many}
`,
  );
  writeFileSync(
    join(config.path, 'meridian.yaml'),
    `dataCenters:
  - { name: fra, latitude: 50.11, longitude: 8.68 }
  - { name: sin, latitude: 1.35, longitude: 103.82 }
pools:
  - name: web
    endpoints:
      - { name: fra, dataCenter: fra, address: 192.0.2.1 }
      - { name: sin, dataCenter: sin, address: 192.0.2.2 }
policies:
  - { name: closest, rank: { kind: nearest } }
steeredNames:
  - { name: www.example.org, pool: web, policy: closest }
`,
  );
  node = await startNodeProcess(['--data', data.path, '--config', config.path, '--node-id', 'fra-1']);
});
afterAll(async () => {
  await node?.stop();
  data.remove();
  config.remove();
});

interface DigCase {
  readonly name: string;
  readonly given: readonly string[];
  readonly want: readonly RegExp[];
}

const cases: readonly DigCase[] = [
  {
    name: 'an address',
    given: ['ns1.example.org', 'A'],
    want: [/status: NOERROR/, /\saa\b/, /192\.0\.2\.53/],
  },
  {
    name: 'an alias and its target',
    given: ['alias.example.org', 'A'],
    want: [/CNAME\s+ns1/, /192\.0\.2\.53/],
  },
  { name: 'a name that is not there', given: ['no.example.org', 'A'], want: [/status: NXDOMAIN/, /SOA/] },
  { name: 'a wildcard', given: ['x.wild.example.org', 'TXT'], want: [/"wild"/] },
  { name: 'a delegation with glue', given: ['www.child.example.org', 'A'], want: [/192\.0\.2\.77/] },
  { name: 'a foreign name', given: ['www.example.com', 'A'], want: [/status: REFUSED/] },
  {
    name: 'a client subnet and its scope',
    given: ['www.example.org', 'A', '+subnet=84.128.0.0/24'],
    want: [/192\.0\.2\.1\b/, /CLIENT-SUBNET: 84\.128\.0\.0\/24\/\d+/],
  },
  {
    name: 'a client that wants no location',
    given: ['www.example.org', 'A', '+subnet=0.0.0.0/0'],
    want: [/status: NOERROR/, /CLIENT-SUBNET: 0\.0\.0\.0\/0\/0/],
  },
  { name: 'the name of the server', given: ['ns1.example.org', 'A', '+nsid'], want: [/NSID.*fra-1/] },
  {
    name: 'another EDNS version',
    given: ['ns1.example.org', 'A', '+edns=1', '+noednsneg'],
    want: [/BADVERS/],
  },
  { name: 'truncation', given: ['many.example.org', 'A', '+ignore'], want: [/flags:[^;]*\stc\b/] },
  { name: 'TCP after truncation', given: ['many.example.org', 'A'], want: [/ANSWER: 100\b/] },
  { name: 'another opcode', given: ['example.org', 'SOA', '+opcode=notify'], want: [/status: NOTIMP/] },
];

describe.skipIf(!isInstalled('dig'))('as dig of BIND sees it', () => {
  it.each(cases)('$name', async ({ given, want }) => {
    const { stdout } = await run('dig', ['@127.0.0.1', '-p', String(node.dnsPort), '+norecurse', ...given]);
    for (const pattern of want) expect(stdout).toMatch(pattern);
  });
});

describe.skipIf(!isInstalled('kdig'))('as kdig of Knot sees it', () => {
  it('a client subnet and its scope, over TCP', async () => {
    const given = ['www.example.org', 'A', '+tcp', '+subnet=84.128.0.0/24'];
    const { stdout } = await run('kdig', ['@127.0.0.1', '-p', String(node.dnsPort), ...given]);
    expect(stdout).toMatch(/status: NOERROR/);
    expect(stdout).toMatch(/CLIENT-SUBNET: 84\.128\.0\.0\/24\/\d+/);
    expect(stdout).toMatch(/192\.0\.2\.1\b/);
  });
});
