import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../until.ts';
import { apiClient } from './api-client.ts';
import { type MemberLine, PATIENCE_MS } from './cluster-nodes.ts';
import { addressesOf } from './dns-client.ts';
import { freePort } from './endpoint-process.ts';
import { type NodeProcess, runMeridian, startNodeProcess, temporaryDirectory } from './node-process.ts';

/* The life of a cluster as an operator sees it: every step by the command line, every node a process. */

const scratch = temporaryDirectory();
const running = new Map<string, NodeProcess>();
const ports = new Map<string, number>();

beforeAll(async () => {
  for (const name of ['fra', 'iad', 'sin', 'fresh']) ports.set(name, await freePort('127.0.0.1'));
});

afterAll(async () => {
  await Promise.all([...running.values()].map((node) => node.stop('SIGKILL')));
  scratch.remove();
});

function dataOf(name: string): string {
  return join(scratch.path, name);
}

function node(name: string): NodeProcess {
  const found = running.get(name);
  if (found === undefined) throw new Error(`${name} does not run`);
  return found;
}

function newNode(name: string): readonly string[] {
  const listen = `127.0.0.1:${ports.get(name)}`;
  return ['--name', name, '--region', 'eu', '--listen', listen, '--data', dataOf(name)];
}

/** Runs `meridian cluster …`, which must end well; what it said. */
async function cluster(...args: readonly string[]): Promise<string> {
  const { code, output } = await runMeridian(['cluster', ...args]);
  if (code !== 0) throw new Error(`meridian cluster ${args.join(' ')} ended with ${code}:\n${output}`);
  return output;
}

/** With a configuration directory, or as one who gives none. */
async function serve(name: string, config?: string): Promise<void> {
  const given = config === undefined ? [] : ['--config', config];
  const flags = [...given, '--data', dataOf(name), '--dns-workers', '1', '--log-level', 'warn'];
  running.set(name, await startNodeProcess(flags));
}

/** A file with a token that `by` gives out, as it stands alone on standard output. */
async function invitation(by: string): Promise<string> {
  const output = await cluster('invite', '--api', node(by).api);
  const token = output.split('\n').find((line) => line.length > 100 && !line.includes(' ')) ?? '';
  const file = join(scratch.path, 'token');
  writeFileSync(file, token);
  return file;
}

/** Resolves when a node sees exactly these, in this state. */
async function sees(name: string, want: string): Promise<void> {
  let last = '';
  await eventually(
    async () => {
      const { members } = await apiClient(node(name).api).get<{ members: readonly MemberLine[] }>(
        '/v1/cluster/members',
      );
      last = members.map((member) => `${member.name} ${member.state}`).join(', ');
      return last === want ? true : undefined;
    },
    { withinMs: PATIENCE_MS / 2, what: `${name} sees ${want}` },
  ).catch((error) => {
    throw new Error(`${error instanceof Error ? error.message : error}; it sees: ${last}`);
  });
}

async function answers(name: string, question: string, want: string): Promise<void> {
  await eventually(
    async () => {
      const found = await addressesOf(node(name).dnsPort, { name: question, type: 'A' });
      return found.join() === want ? true : undefined;
    },
    { withinMs: PATIENCE_MS / 2, what: `${name} answers ${question} with ${want || 'nothing'}` },
  );
}

/** Resolves when a node has written so into its log. */
async function logs(name: string, pattern: RegExp): Promise<void> {
  await eventually(async () => (pattern.test(node(name).output()) ? true : undefined), {
    withinMs: PATIENCE_MS / 2,
    what: `the log of ${name} has ${pattern}:\n${node(name).output()}`,
  });
}

function put(name: string, host: string, address: string): Promise<unknown> {
  const body = { name: host, type: 'A', ttlSeconds: 60, records: [address] };
  return apiClient(node(name).api).put(`/v1/zones/example.org/rrsets/${host}/A`, body);
}

async function serialOf(name: string): Promise<string> {
  const { certificateSerial } = await apiClient(node(name).api).get<{ certificateSerial: string }>(
    '/v1/cluster',
  );
  return certificateSerial;
}

describe('the life of a cluster', { timeout: 2 * PATIENCE_MS }, () => {
  it('begins with one node, and others join it with nothing but a token', async () => {
    const config = join(scratch.path, 'config');
    mkdirSync(config);
    const zone = '$TTL 60\n@ IN SOA ns1 hostmaster 1 3600 600 86400 60\n@ IN NS ns1\nns1 IN A 192.0.2.53\n';
    writeFileSync(join(config, 'example.net.zone'), `${zone}www IN A 192.0.2.80\n`);
    await cluster('init', ...newNode('fra'));
    await serve('fra', config);
    await apiClient(node('fra').api).put('/v1/zones/example.org', { nameServers: ['ns1.example.org'] });
    await put('fra', 'before.example.org', '192.0.2.1');
    const token = await invitation('fra');
    await cluster('join', '--invitation-file', token, ...newNode('iad'));
    await serve('iad');
    await sees('iad', 'fra up, iad up');
    await answers('iad', 'before.example.org', '192.0.2.1');
    // A zone of a file travels as a blob, apart from the documents.
    await answers('iad', 'www.example.net', '192.0.2.80');

    const used = await runMeridian(['cluster', 'join', '--invitation-file', token, ...newNode('sin')]);
    expect([used.code, existsSync(join(dataOf('sin'), 'cluster'))]).toEqual([1, false]);
    await cluster('join', '--invitation-file', await invitation('iad'), ...newNode('sin'));
    await serve('sin');
    for (const name of ['fra', 'iad', 'sin']) await sees(name, 'fra up, iad up, sin up');
    await put('sin', 'from-sin.example.org', '192.0.2.2');
    for (const name of ['fra', 'iad', 'sin']) await answers(name, 'from-sin.example.org', '192.0.2.2');
  });

  it('goes on while a node changes its certificate', async () => {
    const before = await serialOf('iad');
    await cluster('rotate', '--api', node('iad').api);
    expect(await serialOf('iad')).not.toBe(before);
    await put('iad', 'rotated.example.org', '192.0.2.3');
    for (const name of ['fra', 'iad', 'sin']) await answers(name, 'rotated.example.org', '192.0.2.3');
    await node('iad').stop();
    await serve('iad');
    for (const name of ['fra', 'iad', 'sin']) await sees(name, 'fra up, iad up, sin up');
  });

  it('ends every session with a node that is removed, and refuses it', async () => {
    await node('sin').stop();
    await cluster('remove', 'sin', '--api', node('fra').api);
    for (const name of ['fra', 'iad']) await sees(name, 'fra up, iad up');
    // It does not know yet, and calls.
    await serve('sin');
    for (const name of ['fra', 'iad']) await logs(name, /"reason":"revoked".*"refused a peer"/);
    const metrics = await (await fetch(`${node('fra').api}/metrics`)).text();
    expect(
      Number(/^meridian_cluster_refused_total\{reason="revoked"\} (\d+)$/m.exec(metrics)?.[1]),
    ).toBeGreaterThan(0);
    await put('fra', 'without-sin.example.org', '192.0.2.4');
    await answers('iad', 'without-sin.example.org', '192.0.2.4');
    await answers('sin', 'without-sin.example.org', '');
    await answers('sin', 'from-sin.example.org', '192.0.2.2');
  });

  it('goes on without a node that leaves', async () => {
    await cluster('leave', '--api', node('iad').api);
    await sees('fra', 'fra up');
    await put('fra', 'without-iad.example.org', '192.0.2.5');
    await answers('fra', 'without-iad.example.org', '192.0.2.5');
    await answers('iad', 'without-iad.example.org', '');
    expect(existsSync(join(dataOf('iad'), 'cluster'))).toBe(false);
    await put('iad', 'alone.example.org', '192.0.2.7');
    // Without --config neither a member nor one that was takes up the demo.
    await node('iad').stop();
    await serve('iad');
    await answers('iad', 'alone.example.org', '192.0.2.7');
    await answers('iad', 'from-sin.example.org', '192.0.2.2');
    expect((await fetch(`${node('iad').api}/v1/zones/meridian.test`)).status).toBe(404);
    await answers('fra', 'alone.example.org', '');
  });

  it('ends at once for a node that is removed while it runs', async () => {
    await cluster('join', '--invitation-file', await invitation('fra'), ...newNode('fresh'));
    await serve('fresh');
    await sees('fra', 'fra up, fresh up');
    await cluster('remove', 'fresh', '--api', node('fra').api);
    await sees('fra', 'fra up');
    await put('fra', 'without-fresh.example.org', '192.0.2.6');
    await answers('fresh', 'without-fresh.example.org', '');
    await answers('fresh', 'without-iad.example.org', '192.0.2.5');
  });
});
