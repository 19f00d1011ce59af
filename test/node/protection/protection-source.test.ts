import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deriveSecret } from '../../../src/cluster/identity/derived-secrets.ts';
import { ProtectionSource } from '../../../src/node/protection/protection-source.ts';

const secret = 'e5e973e5a6b2a43f48e7dc849e37bfcf';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'meridian-protection-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** Notes the codes of what is wrong with the node's own secret in `said`. */
function source(file?: string, said: string[] = []): ProtectionSource {
  const protectionFile = file === undefined ? undefined : join(directory, file);
  return new ProtectionSource({ protectionFile, dataDirectory: join(directory, 'data') }, (problems) =>
    said.push(...problems.map(({ code }) => code)),
  );
}

function put(file: string, text: string): Promise<void> {
  return writeFile(join(directory, file), text);
}

/** Secrets as hex and the parts that are on, or the problems. */
async function told(from: ProtectionSource): Promise<unknown> {
  const read = await from.read();
  if (!read.ok) return read.problems.map(({ code, path }) => `${code} ${path.replace(directory, '')}`);
  const { cookies, rateLimit, access } = read.value;
  return {
    secrets: cookies?.secrets.map((octets) => Buffer.from(octets).toString('hex')) ?? 'off',
    rateLimit: rateLimit?.responsesPerSecond ?? 'off',
    access: access?.onDenied ?? 'off',
  };
}

describe('in a cluster', () => {
  it('has the same secret as every node of it, unless the file names one', async () => {
    await mkdir(join(directory, 'data', 'cluster'), { recursive: true });
    await put('data/cluster/cluster.key', `${Buffer.alloc(32, 7).toString('base64')}\n`);
    const derived = Buffer.from(deriveSecret(new Uint8Array(32).fill(7), 'cookies')).toString('hex');
    expect(await told(source())).toMatchObject({ secrets: [derived] });
    expect(await readdir(join(directory, 'data'))).toEqual(['cluster']);
    await put('protection.yaml', 'cookies:\n  secretFile: secret\n');
    await put('secret', secret);
    expect(await told(source('protection.yaml'))).toMatchObject({ secrets: [secret] });
  });

  it('has one of its own where the key of the cluster cannot be read', async () => {
    await mkdir(join(directory, 'data', 'cluster'), { recursive: true });
    await put('data/cluster/cluster.key', 'torn');
    const first = await told(source());
    expect(await told(source())).toEqual(first);
    expect(await readdir(join(directory, 'data'))).toContain('cookie-secret');
  });
});

describe('without a file', () => {
  it('draws a secret once, for its owner alone', async () => {
    const first = await told(source());
    const kept = await readFile(join(directory, 'data', 'cookie-secret'), 'utf8');
    expect(first).toEqual({ secrets: [kept.trim()], rateLimit: 'off', access: 'off' });
    expect(kept).toMatch(/^[0-9a-f]{32}\n$/);
    expect((await stat(join(directory, 'data', 'cookie-secret'))).mode & 0o777).toBe(0o600);
    expect(await told(source())).toEqual(first);
  });

  it.each([
    { name: 'is torn', text: 'e5e973', want: ['bad-cookie-secret'] },
    { name: 'is empty', text: '', want: ['bad-cookie-secret'] },
    { name: 'is something else', text: '\0'.repeat(33), want: ['bad-cookie-secret'] },
  ])('draws another and says so when its own $name', async ({ text, want }) => {
    await mkdir(join(directory, 'data'));
    await put('data/cookie-secret', text);
    const said: string[] = [];
    const first = await told(source(undefined, said));
    const kept = await readFile(join(directory, 'data', 'cookie-secret'), 'utf8');
    expect(kept).toMatch(/^[0-9a-f]{32}\n$/);
    expect(first).toMatchObject({ secrets: [kept.trim()] });
    expect(said).toEqual(want);
    expect(await told(source(undefined, said))).toEqual(first);
    expect(said).toEqual(want);
  });

  it('draws one that lives as long as the process, and says so, where it cannot be written', async () => {
    await mkdir(join(directory, 'data', 'cookie-secret'), { recursive: true });
    const said: string[] = [];
    expect(await told(source(undefined, said))).toMatchObject({
      secrets: [expect.stringMatching(/^[0-9a-f]{32}$/)],
    });
    expect(said).toEqual(['unreadable-cookie-secret', 'unwritable-cookie-secret']);
  });

  it('draws one for all that start at the same moment', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => told(source())));
    expect(new Set(all.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(await readdir(join(directory, 'data'))).toEqual(['cookie-secret']);
  });

  it('says so where the secret cannot be kept', async () => {
    await put('data', 'a file, not a directory');
    expect(await told(source())).toEqual(['unwritable-cookie-secret /data/cookie-secret']);
  });
});

describe('with a file', () => {
  it('reads secrets beside it, the first of which makes cookies', async () => {
    await put('protection.yaml', 'cookies: { secretFile: secret }\nrateLimit: { responsesPerSecond: 9 }\n');
    await put('secret', `# next\n${'AB'.repeat(16)}\n\n${secret}\n`);
    expect(await told(source('protection.yaml'))).toEqual({
      secrets: ['ab'.repeat(16), secret],
      rateLimit: 9,
      access: 'off',
    });
  });

  it('needs no secret where cookies are off', async () => {
    await put(
      'protection.yaml',
      'cookies: { enabled: false, secretFile: nowhere }\naccess: { deny: [192.0.2.0/24] }',
    );
    expect(await told(source('protection.yaml'))).toEqual({
      secrets: 'off',
      rateLimit: 'off',
      access: 'drop',
    });
  });

  it.each([
    { name: 'is not there', text: undefined, want: ['unreadable-protection --protection'] },
    { name: 'is no YAML', text: 'cookies: {', want: ['bad-yaml /protection.yaml'] },
    {
      name: 'has mistakes',
      text: 'rateLimit: {}\nextra: 1',
      want: [
        'invalid-value /protection.yaml: rateLimit/responsesPerSecond',
        'invalid-value /protection.yaml: extra',
      ],
    },
    { name: 'is a list', text: '- 1', want: ['invalid-value /protection.yaml'] },
    {
      name: 'names a secret that is not there',
      text: 'cookies: { secretFile: nowhere }',
      want: ['unreadable-cookie-secret /nowhere'],
    },
  ])('that $name gives problems', async ({ text, want }) => {
    if (text !== undefined) await put('protection.yaml', text);
    expect(await told(source('protection.yaml'))).toEqual(want);
  });

  it.each([
    { name: 'nothing', text: '# none\n' },
    { name: 'too few digits', text: secret.slice(1) },
    { name: 'something else', text: 'z'.repeat(32) },
    { name: 'three secrets', text: `${secret}\n`.repeat(3) },
  ])('refuses a secret file with $name', async ({ text }) => {
    await put('protection.yaml', 'cookies: { secretFile: secret }');
    await put('secret', text);
    expect(await told(source('protection.yaml'))).toEqual(['bad-cookie-secret /secret']);
  });

  it('keeps the accounts of the rate limit over a change', async () => {
    await put('protection.yaml', 'rateLimit: { responsesPerSecond: 5 }');
    const one = source('protection.yaml');
    const before = await one.read();
    await put('protection.yaml', 'rateLimit: { responsesPerSecond: 6 }');
    const after = await one.read();
    if (!before.ok || !after.ok) throw new Error('both are right');
    expect(after.value.rateLimit?.responsesPerSecond).toBe(6);
    expect(after.value.rateLimit?.table).toBe(before.value.rateLimit?.table);
    expect(after.value.rateLimit?.key).toBe(before.value.rateLimit?.key);
  });
});

describe('a start after the file went wrong', () => {
  const good = 'cookies: { secretFile: secret }\nrateLimit: { responsesPerSecond: 9 }\n';
  const before = { secrets: [secret], rateLimit: 9, access: 'off' };

  async function first(): Promise<unknown> {
    const read = await source('protection.yaml').readFirst();
    if (!read.ok) return read.problems.map(({ code }) => code);
    const { protection, problems } = read.value;
    return {
      secrets: protection.cookies?.secrets.map((octets) => Buffer.from(octets).toString('hex')),
      rateLimit: protection.rateLimit?.responsesPerSecond ?? 'off',
      access: protection.access?.onDenied ?? 'off',
      problems: problems.map(({ code }) => code),
    };
  }

  beforeEach(async () => {
    await put('protection.yaml', good);
    await put('secret', secret);
    const running = source('protection.yaml');
    await running.read();
    await running.keep();
  });

  it.each([
    { name: 'the file has mistakes', file: 'extra: 1', secretText: secret, want: ['invalid-value'] },
    { name: 'the secret has gone bad', file: good, secretText: 'ab', want: ['bad-cookie-secret'] },
    { name: 'nothing is wrong', file: good, secretText: secret, want: [] },
  ])('has the protection from before when $name', async ({ file, secretText, want }) => {
    await put('protection.yaml', file);
    await put('secret', secretText);
    expect(await first()).toEqual({ ...before, problems: want });
  });

  it.each([
    { name: 'no JSON', kept: '{' },
    { name: 'of another shape', kept: '[]' },
    { name: 'of settings that are not right', kept: '{"settings":{"extra":1},"secrets":[]}' },
    { name: 'without the secret it needs', kept: '{"settings":{},"secrets":[]}' },
    { name: 'of a secret that is too short', kept: '{"settings":{},"secrets":["ab"]}' },
  ])('is refused when what was kept is $name', async ({ kept }) => {
    await put('protection.yaml', 'extra: 1');
    await put('data/protection.json', kept);
    expect(await first()).toEqual(['invalid-value']);
  });

  it('keeps secrets for their owner alone', async () => {
    expect((await stat(join(directory, 'data', 'protection.json'))).mode & 0o777).toBe(0o600);
  });
});
