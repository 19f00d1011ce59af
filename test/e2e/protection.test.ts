import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../until.ts';
import { type NodeProcess, startNodeProcess, temporaryDirectory } from './node-process.ts';

const run = promisify(execFile);
const installed = (command: string): boolean =>
  spawnSync(command, ['-v'], { stdio: 'ignore' }).error === undefined;

const data = temporaryDirectory();
const config = temporaryDirectory();
const file = join(config.path, 'protection.yml');
let node: NodeProcess;

/** Beside the zones, and not one of the directory's own files. */
const zones = join(config.path, 'zones');

beforeAll(async () => {
  mkdirSync(zones);
  writeFileSync(
    join(zones, 'example.org.zone'),
    '$TTL 300\n@ IN SOA ns1 hostmaster 1 3600 600 86400 60\n@ IN NS ns1\nns1 IN A 192.0.2.53\n',
  );
  writeFileSync(file, 'cookies: { required: true }\nrateLimit: { responsesPerSecond: 5, slip: 1 }\n');
  node = await startNodeProcess(['--data', data.path, '--config', zones, '--protection', file], {
    MERIDIAN_LOG_LEVEL: 'info',
  });
});
afterAll(async () => {
  await node?.stop();
  data.remove();
  config.remove();
});

async function kdig(...flags: readonly string[]): Promise<string> {
  const { stdout } = await run('kdig', [
    '@127.0.0.1',
    '-p',
    String(node.dnsPort),
    '+retry=0',
    '+time=5',
    ...flags,
    'ns1.example.org',
    'A',
  ]);
  return stdout;
}

async function metric(event: string): Promise<number> {
  const text = await (await fetch(`${node.api}/metrics`)).text();
  const line = new RegExp(`^meridian_dns_protection_total\\{event="${event}"\\} (\\d+)$`, 'm').exec(text);
  return Number(line?.[1]);
}

describe('a node with a protection file', () => {
  it.skipIf(!installed('kdig'))('gives kdig a cookie with which it is answered', async () => {
    // kdig comes back by itself after BADCOOKIE.
    const told = await kdig('+cookie=2464c4abcf10c957');
    expect(told).toMatch(/status: NOERROR/);
    expect(told).toMatch(/192\.0\.2\.53/);
    expect(await metric('cookie-new')).toBeGreaterThan(0);
    expect(await metric('cookie-valid')).toBeGreaterThan(0);
  });

  it.skipIf(!installed('dig'))('gives dig a cookie that dig finds good', async () => {
    const { stdout } = await run('dig', [
      '@127.0.0.1',
      '-p',
      String(node.dnsPort),
      '+tries=1',
      'ns1.example.org',
      'A',
    ]);
    expect(stdout).toMatch(/COOKIE: [0-9a-f]{16}01000000[0-9a-f]{24} \(good\)/);
    expect(stdout).toMatch(/192\.0\.2\.53/);
  });

  it.skipIf(!installed('kdig'))('sends a client over its limit to TCP', async () => {
    const told = await Promise.all(Array.from({ length: 12 }, () => kdig('+ignore')));
    expect(told.some((text) => /^;; Flags: qr aa tc/m.test(text))).toBe(true);
    // Without +ignore kdig goes on over TCP, where there is no limit.
    expect(await kdig()).toMatch(/192\.0\.2\.53/);
    expect(await metric('limited-slipped')).toBeGreaterThan(0);
  });

  it.skipIf(!installed('kdig'))('takes a new file on SIGHUP, and leaves a bad one', async () => {
    writeFileSync(file, 'access: { deny: [127.0.0.0/8], denied: refuse }\n');
    node.signal('SIGHUP');
    await eventually(async () => (/REFUSED/.test(await kdig()) ? true : undefined), {
      withinMs: 10_000,
      what: 'the access list',
    });
    writeFileSync(file, 'access: { deny: [everybody] }\n');
    node.signal('SIGHUP');
    await eventually(
      async () => (node.output().includes('protection file has mistakes') ? true : undefined),
      {
        withinMs: 10_000,
        what: 'the complaint',
      },
    );
    expect(node.output()).toContain('access/deny/0');
    expect(await kdig()).toMatch(/REFUSED/);
  });
});
