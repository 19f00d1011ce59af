import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CLUSTER_KEY_OCTETS } from './derived-secrets.ts';

const FOLDER = 'cluster';

export const CLUSTER_KEY_FILE = 'cluster.key';

/** Where a node keeps its part in a cluster. */
export function identityFolder(dataDirectory: string): string {
  return join(dataDirectory, FOLDER);
}

/** Strict: anything that is not base64 gives no octets. */
export function octetsOf(base64: string): Uint8Array {
  const trimmed = base64.trim();
  return /^[A-Za-z0-9+/]+={0,2}$/.test(trimmed)
    ? new Uint8Array(Buffer.from(trimmed, 'base64'))
    : new Uint8Array();
}

/**
 * The cluster key alone, for what starts before anything else and can wait for no library; undefined where there is
 * none. What is wrong with the files is told by who reads them all.
 */
export async function readClusterKey(dataDirectory: string): Promise<Uint8Array | undefined> {
  try {
    const key = octetsOf(await readFile(join(identityFolder(dataDirectory), CLUSTER_KEY_FILE), 'utf8'));
    return key.length === CLUSTER_KEY_OCTETS ? key : undefined;
  } catch {
    return undefined;
  }
}
