import { createPrivateKey } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  issueNodeCertificate,
  newKeyPair,
  privateKeyPem,
} from '../../../src/cluster/identity/certificate.ts';
import { identityFolder } from '../../../src/cluster/identity/cluster-key.ts';
import { createCluster } from '../../../src/cluster/identity/create-cluster.ts';
import {
  createIdentityFiles,
  hasIdentity,
  type IdentityFiles,
  openCaKey,
  putIdentityAside,
  readIdentityFiles,
  replaceCertificate,
} from '../../../src/cluster/identity/identity-files.ts';
import { node, Stage } from './given.ts';

const stage = new Stage();
afterEach(() => stage.clear());

const files = createCluster(node('fra-1'), Date.now());
const other = createCluster(node('fra-1'), Date.now());

async function written(): Promise<{ readonly directory: string; readonly folder: string }> {
  const directory = stage.directory();
  await createIdentityFiles(directory, files);
  return { directory, folder: identityFolder(directory) };
}

async function codes(directory: string): Promise<readonly string[]> {
  const read = await readIdentityFiles(directory);
  return read.ok ? ['good'] : read.problems.map(({ path }) => path.slice(path.lastIndexOf('/') + 1));
}

/** The same node with another certificate of the same CA. */
function renewed(): Pick<IdentityFiles, 'certificatePem' | 'privateKeyPem'> {
  const { publicKey, privateKey } = newKeyPair();
  const caKey = createPrivateKey(openCaKey(files.clusterKey, files.sealedCaKey) ?? '');
  const signer = { certificatePem: files.caCertificatePem, privateKey: caKey };
  const subject = { ...files.settings, publicKey };
  return {
    certificatePem: issueNodeCertificate(signer, subject, Date.now()),
    privateKeyPem: privateKeyPem(privateKey),
  };
}

describe('the files of a node', () => {
  it('are read as they were written, and are for their owner alone', async () => {
    const { directory, folder } = await written();
    expect(await readIdentityFiles(directory)).toEqual({ ok: true, value: files });
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const modes = readdirSync(folder).map((name) => statSync(join(folder, name)).mode & 0o777);
    expect(modes).toEqual(Array.from({ length: 6 }, () => 0o600));
  });

  it('hold the key of the CA in no readable form', async () => {
    const { folder } = await written();
    const text = readFileSync(join(folder, 'ca.key.sealed'), 'utf8');
    expect(Buffer.from(text, 'base64').toString('latin1')).not.toContain('PRIVATE KEY');
    expect(openCaKey(files.clusterKey, files.sealedCaKey)).toContain('PRIVATE KEY');
    expect(openCaKey(other.clusterKey, files.sealedCaKey)).toBeUndefined();
  });

  it('are none where there is no folder', async () => {
    expect(await readIdentityFiles(stage.directory())).toEqual({ ok: true, value: undefined });
  });

  it.each([
    { name: 'a missing key', spoil: { 'node.key': undefined }, want: ['node.key'] },
    {
      name: 'a foreign CA',
      spoil: { 'ca.crt': other.caCertificatePem },
      want: ['node.crt', 'ca.key.sealed'],
    },
    {
      name: 'a foreign cluster key',
      spoil: { 'cluster.key': Buffer.from(other.clusterKey).toString('base64') },
      want: ['ca.key.sealed'],
    },
    {
      name: 'the key of another certificate',
      spoil: { 'node.key': other.privateKeyPem },
      want: ['node.key'],
    },
    {
      name: 'garbage everywhere',
      spoil: {
        'cluster.json': '{',
        'ca.crt': 'x',
        'ca.key.sealed': '!',
        'node.crt': 'y',
        'node.key': 'z',
        'cluster.key': 'AAAA',
      },
      want: ['cluster.json', 'cluster.key', 'node.key', 'node.crt', 'ca.crt', 'ca.key.sealed'],
    },
  ])('are refused with every mistake at once: $name', async ({ spoil, want }) => {
    const { directory, folder } = await written();
    for (const [name, text] of Object.entries(spoil))
      if (text === undefined) rmSync(join(folder, name));
      else writeFileSync(join(folder, name), text);
    expect(await codes(directory)).toEqual(want);
  });

  it('name each wrong field of cluster.json', async () => {
    const { directory, folder } = await written();
    writeFileSync(
      join(folder, 'cluster.json'),
      JSON.stringify({ ...files.settings, region: 'EU!', listen: 'x', more: 1 }),
    );
    const read = await readIdentityFiles(directory);
    expect(read.ok ? [] : read.problems.map(({ path }) => path.replace(folder, ''))).toEqual([
      '/cluster.json/region',
      '/cluster.json/listen',
      '/cluster.json/more',
    ]);
  });
});

describe('making the folder', () => {
  it('changes nothing where there is one, and leaves no half', async () => {
    const { directory } = await written();
    await expect(createIdentityFiles(directory, other)).rejects.toThrow(/ENOTEMPTY|EEXIST/);
    expect(await readIdentityFiles(directory)).toEqual({ ok: true, value: files });
    expect(readdirSync(directory)).toEqual(['cluster']);
  });

  it('takes away what a process that died left, which is no identity before', async () => {
    const directory = stage.directory();
    const half = join(directory, 'cluster.0123abcd.new');
    mkdirSync(half);
    writeFileSync(join(half, 'node.key'), 'half');
    expect([hasIdentity(directory), await readIdentityFiles(directory)]).toEqual([
      false,
      { ok: true, value: undefined },
    ]);
    await createIdentityFiles(directory, files);
    expect(readdirSync(directory)).toEqual(['cluster']);
  });

  it('leaves nothing where the disk does not take it', async () => {
    const directory = stage.directory();
    const bad = { ...files, certificatePem: undefined as unknown as string };
    await expect(createIdentityFiles(directory, bad)).rejects.toThrow();
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe('another certificate', () => {
  it('takes the place of the first', async () => {
    const { directory, folder } = await written();
    const pair = renewed();
    await replaceCertificate(directory, pair);
    expect(await readIdentityFiles(directory)).toEqual({ ok: true, value: { ...files, ...pair } });
    expect(readdirSync(folder).length).toBe(6);
  });

  it.each(['before the key', 'between key and certificate'])('is whole after a crash %s', async (moment) => {
    const { directory, folder } = await written();
    const pair = renewed();
    writeFileSync(join(folder, 'node.crt.next'), pair.certificatePem);
    const isOld = moment === 'before the key';
    if (!isOld) writeFileSync(join(folder, 'node.key'), pair.privateKeyPem);
    const want = { ok: true, value: isOld ? files : { ...files, ...pair } };
    expect(await readIdentityFiles(directory)).toEqual(want);
    expect(await readIdentityFiles(directory)).toEqual(want);
    const again = renewed();
    await replaceCertificate(directory, again);
    expect(await readIdentityFiles(directory)).toEqual({ ok: true, value: { ...files, ...again } });
  });
});

it('is put aside whole', async () => {
  const { directory, folder } = await written();
  const aside = await putIdentityAside(directory, new Date('2026-01-01T00:00:00Z'));
  expect([existsSync(folder), readdirSync(aside).length]).toEqual([false, 6]);
  expect(aside).toBe(`${folder}.left-2026-01-01T00-00-00-000Z`);
});
