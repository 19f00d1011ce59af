import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  issueNodeCertificate,
  newKeyPair,
  privateKeyPem,
} from '../../../src/cluster/identity/certificate.ts';
import { parsePrivateKey } from '../../../src/cluster/identity/check-certificate.ts';
import { createCluster } from '../../../src/cluster/identity/create-cluster.ts';
import {
  createIdentityFiles,
  openCaKey,
  readIdentityFiles,
  replaceCertificate,
} from '../../../src/cluster/identity/identity-files.ts';
import { node, Stage } from './given.ts';

/** Calls to the file system until the process is dead: from then on it changes nothing any more. */
const life = vi.hoisted(() => ({ calls: Number.POSITIVE_INFINITY }));

vi.mock('node:fs/promises', async (load) => {
  const real = await load<typeof import('node:fs/promises')>();
  const mortal = <A extends readonly unknown[], R>(call: (...given: A) => Promise<R>) => {
    return (...given: A): Promise<R> => {
      if (life.calls <= 0) return Promise.reject(new Error('the process is dead'));
      life.calls--;
      return call(...given);
    };
  };
  return {
    ...real,
    mkdir: mortal(real.mkdir),
    writeFile: mortal(real.writeFile),
    rename: mortal(real.rename),
    rm: mortal(real.rm),
    open: mortal(real.open),
  };
});

const stage = new Stage();
afterEach(() => {
  life.calls = Number.POSITIVE_INFINITY;
  return stage.clear();
});

const files = createCluster(node('fra-1'), Date.now());

/** How many calls a step makes when nothing happens to it. */
async function callsOf(step: () => Promise<void>): Promise<number> {
  life.calls = 1000;
  await step();
  const made = 1000 - life.calls;
  life.calls = Number.POSITIVE_INFINITY;
  return made;
}

async function dieAfter(calls: number, step: () => Promise<void>): Promise<void> {
  life.calls = calls;
  await step().catch(() => undefined);
  life.calls = Number.POSITIVE_INFINITY;
}

describe('a process that dies at any moment', () => {
  it('leaves the whole folder or none, and the next one makes it', async () => {
    const total = await callsOf(() => createIdentityFiles(stage.directory(), files));
    expect(total).toBeGreaterThan(9);
    const seen = new Set<string>();
    for (let calls = 0; calls <= total; calls++) {
      const directory = stage.directory();
      await dieAfter(calls, () => createIdentityFiles(directory, files));
      const read = await readIdentityFiles(directory);
      expect(read.ok).toBe(true);
      const isWhole = read.ok && read.value !== undefined;
      seen.add(isWhole ? 'whole' : 'none');
      if (isWhole) expect(read).toEqual({ ok: true, value: files });
      else await createIdentityFiles(directory, files);
      expect(readdirSync(directory)).toEqual(['cluster']);
    }
    expect([...seen].sort()).toEqual(['none', 'whole']);
  });

  it('leaves the old certificate with its key, or the new one with its own', async () => {
    const { publicKey, privateKey } = newKeyPair();
    const caKey = parsePrivateKey(openCaKey(files.clusterKey, files.sealedCaKey) ?? '');
    if (caKey === undefined) throw new Error('our own key');
    const signer = { certificatePem: files.caCertificatePem, privateKey: caKey };
    const certificatePem = issueNodeCertificate(signer, { ...files.settings, publicKey }, Date.now());
    const pair = { certificatePem, privateKeyPem: privateKeyPem(privateKey) };
    const whole = stage.directory();
    await createIdentityFiles(whole, files);
    const total = await callsOf(() => replaceCertificate(whole, pair));
    const seen = new Set<string>();
    for (let calls = 0; calls <= total; calls++) {
      const directory = stage.directory();
      await createIdentityFiles(directory, files);
      await dieAfter(calls, () => replaceCertificate(directory, pair));
      const read = await readIdentityFiles(directory);
      const isNew = read.ok && read.value?.certificatePem === certificatePem;
      seen.add(isNew ? 'new' : 'old');
      expect(read).toEqual({ ok: true, value: isNew ? { ...files, ...pair } : files });
    }
    expect([...seen].sort()).toEqual(['new', 'old']);
  });
});
