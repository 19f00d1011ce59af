import { createPrivateKey, randomBytes } from 'node:crypto';
import type { ClusterNode } from '../../config/resources/cluster-node.ts';
import { createAuthority, issueNodeCertificate, newKeyPair, privateKeyPem, serialOf } from './certificate.ts';
import { advertisedAddresses, type ClusterSettings } from './cluster-settings.ts';
import { CLUSTER_KEY_OCTETS } from './derived-secrets.ts';
import { type IdentityFiles, sealCaKey } from './identity-files.ts';

/** 128 bits in hexadecimal, for clusters and memberships alike. */
const ID_OCTETS = 16;

export function newId(): string {
  return randomBytes(ID_OCTETS).toString('hex');
}

/** A cluster of one node: a CA, a key for all who will join, and the first node's certificate. */
export function createCluster(
  node: Omit<ClusterSettings, 'version' | 'clusterId' | 'membership'>,
  nowMs: number,
): IdentityFiles {
  const settings: ClusterSettings = { version: 1, clusterId: newId(), membership: newId(), ...node };
  const { clusterId, name } = settings;
  const authority = createAuthority(clusterId, nowMs);
  const { certificatePem: caCertificatePem } = authority;
  const clusterKey = new Uint8Array(randomBytes(CLUSTER_KEY_OCTETS));
  const keys = newKeyPair();
  const signer = { certificatePem: caCertificatePem, privateKey: createPrivateKey(authority.privateKeyPem) };
  return {
    settings,
    caCertificatePem,
    certificatePem: issueNodeCertificate(signer, { clusterId, name, publicKey: keys.publicKey }, nowMs),
    privateKeyPem: privateKeyPem(keys.privateKey),
    clusterKey,
    sealedCaKey: sealCaKey(clusterKey, authority.privateKeyPem),
  };
}

/** The resource of the node whose files these are, as it begins. */
export function nodeOf({ settings, certificatePem }: IdentityFiles, now: Date): ClusterNode {
  return {
    name: settings.name,
    region: settings.region,
    addresses: [...advertisedAddresses(settings)],
    role: settings.role,
    membership: settings.membership,
    certificateSerial: serialOf(certificatePem),
    revokedSerials: [],
    joinedAt: now.toISOString(),
  };
}
