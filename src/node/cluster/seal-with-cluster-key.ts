import { deriveSecret } from '../../cluster/identity/derived-secrets.ts';
import { putSealKeyFirst, readSealKeys } from '../../store/seal/seal-keys.ts';

/** From now on secrets in documents are sealed with the cluster's key, which every node has. */
export function sealWithClusterKey(directory: string, clusterKey: Uint8Array): void {
  const key = deriveSecret(clusterKey, 'seal');
  const present = readSealKeys(directory)?.[0];
  if (present === undefined || !Buffer.from(present).equals(key)) putSealKeyFirst(directory, key);
}
