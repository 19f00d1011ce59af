import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createApp } from '../../src/api/create-app.ts';
import { runCommandLine } from '../../src/cli/run-command-line.ts';
import { readIdentityFiles } from '../../src/cluster/identity/identity-files.ts';
import { formatToken, parseToken } from '../../src/cluster/identity/invitation-token.ts';
import { openStore } from '../../src/store/open-store.ts';
import { readSealKeys } from '../../src/store/seal/seal-keys.ts';
import { appOptions } from '../api/started-api.ts';
import { createTestPlane } from '../api/test-plane.ts';
import { alice, Stage } from '../cluster/identity/given.ts';

const stage = new Stage();
const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await stage.clear();
});

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(...argv: readonly string[]): Promise<Outcome> {
  const out: string[] = [];
  const err: string[] = [];
  const terminal = { env: {}, out: (line: string) => out.push(line), err: (line: string) => err.push(line) };
  const code = await runCommandLine(['cluster', ...argv], terminal);
  return { code, out: out.join('\n'), err: err.join('\n') };
}

const lon = ['--name', 'lon-1', '--region', 'eu', '--listen', '192.0.2.2:7053'];

describe('meridian cluster init', () => {
  it('makes a cluster that openssl believes, and the first node in the store', async () => {
    const data = join(stage.directory(), 'new');
    const outcome = await run(
      'init',
      '--name',
      'fra-1',
      '--region',
      'eu',
      '--listen',
      '192.0.2.1:7053',
      '--data',
      data,
    );
    expect(outcome).toMatchObject({ code: 0, err: '' });
    const folder = join(data, 'cluster');
    const verify = ['verify', '-x509_strict', '-CAfile', join(folder, 'ca.crt'), join(folder, 'node.crt')];
    expect(execFileSync('openssl', verify, { encoding: 'utf8' })).toContain('OK');
    expect(outcome.out).not.toContain(readFileSync(join(folder, 'cluster.key'), 'utf8').trim());
    const store = await openStore({ directory: data, now: stage.now });
    expect([...store.config.nodes.keys()]).toEqual(['fra-1']);
    // One of its own from before, and the cluster's in front of it.
    expect(readSealKeys(data)?.length).toBe(2);
    await store.close();
    expect(await run('init', ...lon, '--data', data)).toMatchObject({
      code: 1,
      err: expect.stringContaining('belongs to a node of a cluster already'),
    });
  });

  it('keeps configuration, and forgets an earlier cluster', async () => {
    const first = await stage.firstNode();
    await first.identity.leave(alice);
    const fra = { name: 'fra', latitude: 50, longitude: 8 };
    const change = { collection: 'dataCenters', key: 'fra', owner: { kind: 'api' }, value: fra } as const;
    await first.members.write([change], alice);
    await stage.close();
    expect(await run('init', ...lon, '--data', first.dataDirectory)).toMatchObject({ code: 0 });
    const store = await openStore({ directory: first.dataDirectory, now: stage.now });
    expect([
      [...store.config.dataCenters.keys()],
      [...store.config.nodes.keys()],
      store.config.removals.size,
    ]).toEqual([['fra'], ['lon-1'], 0]);
    await store.close();
  });

  it('says everything that is wrong with its flags at once, and does nothing', async () => {
    const data = join(stage.directory(), 'new');
    const outcome = await run(
      'init',
      '--name',
      'Fra_1',
      '--listen',
      'x',
      '--nats',
      'http://x',
      '--data',
      data,
    );
    expect(outcome.code).toBe(2);
    for (const text of ['--region is needed', '--name: ', '--listen: ']) expect(outcome.err).toContain(text);
    expect(existsSync(data)).toBe(false);
    const open = await run(
      'init',
      '--name',
      'a',
      '--region',
      'eu',
      '--listen',
      '0.0.0.0:7053',
      '--data',
      data,
    );
    expect(open).toMatchObject({ code: 2, err: expect.stringContaining('--advertise') });
  });

  it('leaves a running node alone', async () => {
    const first = await stage.firstNode();
    await first.identity.leave(alice);
    const outcome = await run('init', ...lon, '--data', first.dataDirectory);
    expect(outcome).toMatchObject({ code: 1, err: expect.stringContaining('in use') });
    expect(existsSync(join(first.dataDirectory, 'cluster'))).toBe(false);
  });
});

describe('meridian cluster join', () => {
  interface Invited {
    readonly file: string;
    readonly joined: () => readonly string[];
    readonly secret: () => Uint8Array;
  }

  async function invitation(): Promise<Invited> {
    const first = await stage.firstNode();
    const { address } = await stage.listen(first.files, first.members);
    const issued = await first.identity.invite(600, alice);
    const token = parseToken(issued.ok ? issued.value.token : '');
    if (!token.ok) throw new Error('our own token');
    const file = join(stage.directory(), 'token');
    writeFileSync(file, `${formatToken({ ...token.value, addresses: [address] })}\n`);
    return {
      file,
      joined: () => [...first.members.config.nodes.keys()],
      secret: () => first.identity.secret('seal'),
    };
  }

  it('makes a node of an empty directory', async () => {
    const { file, joined, secret } = await invitation();
    const data = stage.directory();
    const outcome = await run('join', '--invitation-file', file, ...lon, '--role', 'delayed', '--data', data);
    expect(outcome).toMatchObject({ code: 0, err: '' });
    expect(joined()).toEqual(['fra-1', 'lon-1']);
    expect(readSealKeys(data)).toEqual([Buffer.from(secret())]);
    expect(await readIdentityFiles(data)).toMatchObject({
      ok: true,
      value: { settings: { name: 'lon-1', role: 'delayed' } },
    });
  });

  it('takes the token as a word, and never tells it again', async () => {
    const { file } = await invitation();
    const token = readFileSync(file, 'utf8').trim();
    const data = stage.directory();
    expect(await run('join', token, ...lon, '--data', data)).toMatchObject({ code: 0 });
    const again = await run('join', token, ...lon, '--data', stage.directory());
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining('The invitation is not accepted') });
    expect(again.err).not.toContain(token);
  });

  it('refuses a directory with configuration, and keeps the invitation', async () => {
    const { file, joined } = await invitation();
    const data = stage.directory();
    const store = await openStore({ directory: data, now: stage.now });
    const fra = { name: 'fra', latitude: 50, longitude: 8 };
    await store.commit(
      [{ collection: 'dataCenters', key: 'fra', owner: { kind: 'api' }, value: fra }],
      alice,
    );
    await store.close();
    const outcome = await run('join', '--invitation-file', file, ...lon, '--data', data);
    expect(outcome).toMatchObject({ code: 1, err: expect.stringContaining('configuration of its own') });
    expect([joined(), readdirSync(data).includes('cluster')]).toEqual([['fra-1'], false]);
  });

  it.each([
    { name: 'no token', argv: [], says: 'give the token' },
    { name: 'a piece of one', argv: ['abc'], says: 'The token is not whole' },
    { name: 'a file that is not there', argv: ['--invitation-file', '/none'], says: 'cannot read the token' },
  ])('refuses $name', async ({ argv, says }) => {
    expect((await run('join', ...argv, ...lon, '--data', stage.directory())).err).toContain(says);
  });
});

describe('a running node', () => {
  async function api(): Promise<readonly string[]> {
    const first = await stage.firstNode();
    const plane = createTestPlane();
    plane.config = { ...plane.config, nodes: first.members.config.nodes };
    const server = createServer(createApp(appOptions(plane, { cluster: first.identity })));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    return [
      '--api',
      `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`,
    ];
  }

  it('invites: the token alone on standard output', async () => {
    const outcome = await run('invite', '--expires', '30m', ...(await api()));
    expect(outcome).toMatchObject({ code: 0, err: expect.stringContaining('good for one node until') });
    expect(parseToken(outcome.out).ok).toBe(true);
  });

  it('rotates, refuses to remove itself, and leaves', async () => {
    const at = await api();
    expect(await run('rotate', ...at)).toMatchObject({ code: 0, out: expect.stringContaining('fra-1') });
    expect(await run('remove', 'fra-1', ...at)).toMatchObject({
      code: 1,
      err: expect.stringContaining('leave'),
    });
    expect(await run('leave', ...at)).toMatchObject({
      code: 0,
      out: expect.stringContaining('cluster.left-'),
    });
  });

  it.each([
    { argv: ['invite', '--expires', 'soon'], says: '30m' },
    { argv: ['remove'], says: 'name the node' },
    { argv: ['levae'], says: 'Did you mean "leave"?' },
    { argv: [], says: 'init, invite, join' },
  ])('is not asked by $argv', async ({ argv, says }) => {
    expect(await run(...argv)).toMatchObject({ code: 2, err: expect.stringContaining(says) });
  });
});
