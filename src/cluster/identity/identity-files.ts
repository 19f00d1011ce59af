import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Parsed, type Problem, parsed, reasonOf } from '../../config/problem.ts';
import { replaceFile } from '../../disk/replace-file.ts';
import type { CertifiedKey } from './certificate.ts';
import {
  belongsTo,
  checkAuthority,
  checkNodeCertificate,
  parseCertificate,
  parsePrivateKey,
} from './check-certificate.ts';
import { CLUSTER_KEY_FILE, identityFolder, octetsOf } from './cluster-key.ts';
import { type ClusterSettings, formatClusterSettings, parseClusterSettings } from './cluster-settings.ts';
import { CLUSTER_KEY_OCTETS, deriveSecret, seal, unseal } from './derived-secrets.ts';

/**
 * What a node of a cluster has on disk, in `<data>/cluster/`, for its owner alone:
 *
 *     cluster.json    which cluster, which node, how it is reached
 *     ca.crt          certificate of the cluster's CA
 *     ca.key.sealed   the CA's private key, sealed with the cluster key, base64
 *     node.crt        this node's certificate
 *     node.key        its private key
 *     cluster.key     32 random octets that all nodes share, base64
 *
 * The folder comes into being whole, by one rename. Later only the certificate and its key are replaced, and the
 * settings by hand.
 */
export interface IdentityFiles extends CertifiedKey {
  readonly settings: ClusterSettings;
  readonly caCertificatePem: string;
  readonly clusterKey: Uint8Array;
  readonly sealedCaKey: Uint8Array;
}

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

export const SETTINGS_FILE = 'cluster.json';
const CA_FILE = 'ca.crt';
const CA_KEY_FILE = 'ca.key.sealed';
const CERTIFICATE_FILE = 'node.crt';
const KEY_FILE = 'node.key';

/** A certificate that waits for its key to be in place. */
const NEXT_CERTIFICATE_FILE = 'node.crt.next';

/** No file of ours comes near it. */
const MAX_FILE_OCTETS = 1 << 20;

/** Whether a data directory belongs to a node of a cluster. */
export function hasIdentity(dataDirectory: string): boolean {
  return existsSync(join(identityFolder(dataDirectory), SETTINGS_FILE));
}

/** The CA's private key as it lies on disk and travels to a node that joins. */
export function sealCaKey(clusterKey: Uint8Array, privateKeyPem: string): Uint8Array {
  return seal(deriveSecret(clusterKey, 'caKey'), Buffer.from(privateKeyPem));
}

/** PKCS#8 PEM; undefined where the cluster key is not the one it was sealed with. */
export function openCaKey(clusterKey: Uint8Array, sealedCaKey: Uint8Array): string | undefined {
  const plain = unseal(deriveSecret(clusterKey, 'caKey'), sealedCaKey);
  return plain === undefined ? undefined : Buffer.from(plain).toString('utf8');
}

/**
 * Puts the folder in place, whole and on disk; rejects where one is there already, and then changes nothing.
 * What a process that died left half done is taken away.
 */
export async function createIdentityFiles(dataDirectory: string, files: IdentityFiles): Promise<void> {
  const half = `${identityFolder(dataDirectory)}.${randomBytes(4).toString('hex')}.new`;
  await mkdir(dataDirectory, { recursive: true });
  await removeHalves(dataDirectory);
  await mkdir(half, { mode: FOLDER_MODE });
  try {
    for (const [name, text] of textsOf(files))
      await writeFile(join(half, name), text, { flag: 'wx', mode: FILE_MODE, flush: true });
    await syncFolder(half);
    await rename(half, identityFolder(dataDirectory));
    await syncFolder(dataDirectory);
  } catch (error) {
    await rm(half, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Replaces certificate and key. A loss of power in between leaves the old pair, or the new key with the new
 * certificate beside it, which the next reading puts in place.
 */
export async function replaceCertificate(dataDirectory: string, pair: CertifiedKey): Promise<void> {
  const folder = identityFolder(dataDirectory);
  const how = { mode: FILE_MODE, sync: 'wait' } as const;
  await replaceFile(join(folder, NEXT_CERTIFICATE_FILE), pair.certificatePem, how);
  await syncFolder(folder);
  await replaceFile(join(folder, KEY_FILE), pair.privateKeyPem, how);
  await syncFolder(folder);
  await rename(join(folder, NEXT_CERTIFICATE_FILE), join(folder, CERTIFICATE_FILE));
  await syncFolder(folder);
}

/** Takes the node out of its cluster: the folder gets another name, which is returned. */
export async function putIdentityAside(dataDirectory: string, now: Date): Promise<string> {
  const aside = `${identityFolder(dataDirectory)}.left-${now.toISOString().replace(/[:.]/g, '-')}`;
  await rename(identityFolder(dataDirectory), aside);
  await syncFolder(dataDirectory);
  return aside;
}

/** Reads and checks everything; all mistakes at once. Undefined where the node is in no cluster. */
export async function readIdentityFiles(dataDirectory: string): Promise<Parsed<IdentityFiles | undefined>> {
  const folder = identityFolder(dataDirectory);
  if (!existsSync(folder)) return parsed(undefined);
  const problems: Problem[] = [];
  const texts = new Map<string, string>();
  for (const name of [SETTINGS_FILE, CA_FILE, CA_KEY_FILE, CERTIFICATE_FILE, KEY_FILE, CLUSTER_KEY_FILE]) {
    const text = await readText(join(folder, name));
    if (text.ok) texts.set(name, text.value);
    else problems.push(...text.problems);
  }
  const text = (name: string): string => texts.get(name) ?? '';
  const at = (name: string): string => join(folder, name);
  if (problems.length > 0) return { ok: false, problems };
  const settings = parseClusterSettings(text(SETTINGS_FILE), at(SETTINGS_FILE));
  if (!settings.ok) problems.push(...settings.problems);
  const clusterKey = octetsOf(text(CLUSTER_KEY_FILE));
  if (clusterKey.length !== CLUSTER_KEY_OCTETS)
    problems.push(
      mistake(at(CLUSTER_KEY_FILE), `The file must have ${CLUSTER_KEY_OCTETS} octets in base64.`),
    );
  const pair = await readPair(folder, text(CERTIFICATE_FILE), text(KEY_FILE));
  problems.push(...pair.problems);
  const authority = parseCertificate(text(CA_FILE));
  if (authority === undefined) problems.push(mistake(at(CA_FILE), 'The file is no certificate in PEM.'));
  else problems.push(...checkAuthority(authority, at(CA_FILE)));
  const certificate = parseCertificate(pair.certificatePem);
  if (settings.ok && authority !== undefined && certificate !== undefined)
    problems.push(
      ...checkNodeCertificate(certificate, { ...settings.value, authority }, at(CERTIFICATE_FILE)),
    );
  const sealedCaKey = octetsOf(text(CA_KEY_FILE));
  const caKey = parsePrivateKey(openCaKey(clusterKey, sealedCaKey) ?? '');
  if (caKey === undefined || (authority !== undefined && !belongsTo(authority, caKey)))
    problems.push(
      mistake(
        at(CA_KEY_FILE),
        `The key does not open with ${CLUSTER_KEY_FILE}, or is not that of ${CA_FILE}.`,
      ),
    );
  if (!settings.ok || problems.length > 0) return { ok: false, problems };
  return parsed({
    settings: settings.value,
    certificatePem: pair.certificatePem,
    privateKeyPem: text(KEY_FILE),
    caCertificatePem: text(CA_FILE),
    clusterKey,
    sealedCaKey,
  });
}

/** The certificate that belongs to the key; a replacement that was cut off is carried to its end. */
async function readPair(
  folder: string,
  certificatePem: string,
  keyPem: string,
): Promise<{ readonly certificatePem: string; readonly problems: readonly Problem[] }> {
  const key = parsePrivateKey(keyPem);
  const certificate = parseCertificate(certificatePem);
  const problems: Problem[] = [];
  if (key === undefined) problems.push(mistake(join(folder, KEY_FILE), 'The file is no private key in PEM.'));
  if (certificate === undefined)
    problems.push(mistake(join(folder, CERTIFICATE_FILE), 'The file is no certificate in PEM.'));
  if (key === undefined || certificate === undefined || belongsTo(certificate, key))
    return { certificatePem, problems };
  const next = join(folder, NEXT_CERTIFICATE_FILE);
  const nextText = existsSync(next) ? await readText(next) : undefined;
  const nextCertificate = nextText?.ok ? parseCertificate(nextText.value) : undefined;
  if (nextText?.ok && nextCertificate !== undefined && belongsTo(nextCertificate, key)) {
    await rename(next, join(folder, CERTIFICATE_FILE));
    await syncFolder(folder);
    return { certificatePem: nextText.value, problems };
  }
  const message = `The key is not that of the certificate in ${CERTIFICATE_FILE}.`;
  return { certificatePem, problems: [mistake(join(folder, KEY_FILE), message)] };
}

function textsOf(files: IdentityFiles): readonly (readonly [string, string])[] {
  return [
    [SETTINGS_FILE, formatClusterSettings(files.settings)],
    [CA_FILE, files.caCertificatePem],
    [CA_KEY_FILE, `${Buffer.from(files.sealedCaKey).toString('base64')}\n`],
    [CERTIFICATE_FILE, files.certificatePem],
    [KEY_FILE, files.privateKeyPem],
    [CLUSTER_KEY_FILE, `${Buffer.from(files.clusterKey).toString('base64')}\n`],
  ];
}

async function readText(file: string): Promise<Parsed<string>> {
  try {
    const octets = await readFile(file);
    if (octets.length <= MAX_FILE_OCTETS) return parsed(octets.toString('utf8'));
    return { ok: false, problems: [mistake(file, 'The file is too large to be ours.')] };
  } catch (error) {
    const why = reasonOf(error);
    return { ok: false, problems: [mistake(file, `The file cannot be read: ${why}.`)] };
  }
}

function mistake(path: string, message: string): Problem {
  return { code: 'bad-cluster-file', path, message };
}

async function removeHalves(dataDirectory: string): Promise<void> {
  for (const name of await readdir(dataDirectory))
    if (/^cluster\.[0-9a-f]{8}\.new$/.test(name))
      await rm(join(dataDirectory, name), { recursive: true, force: true });
}

/** A rename is on disk when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
