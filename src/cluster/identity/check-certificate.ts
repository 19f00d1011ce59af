import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { Problem } from '../../config/problem.ts';
import { nodeUri } from './certificate.ts';

/** Reads PEM or DER; undefined where it is neither. */
export function parseCertificate(certificate: string | Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(certificate);
  } catch {
    return undefined;
  }
}

/** Reads PKCS#8 PEM; undefined where it is none. */
export function parsePrivateKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

/** Whether a private key is the one of a certificate. */
export function belongsTo(certificate: X509Certificate, key: KeyObject): boolean {
  return certificate.publicKey.equals(createPublicKey(key));
}

interface CertificateClaim {
  readonly clusterId: string;
  readonly name: string;
  readonly authority: X509Certificate;
}

/**
 * What is wrong with a node's certificate, whenever it is used; its dates are another matter, because a node whose
 * certificate has ended makes itself a new one.
 */
export function checkNodeCertificate(
  certificate: X509Certificate,
  { clusterId, name, authority }: CertificateClaim,
  path: string,
): Problem[] {
  const problems: Problem[] = [];
  const refuse = (code: string, message: string): void => {
    problems.push({ code, path, message });
  };
  if (!certificate.checkIssued(authority) || !certificate.verify(authority.publicKey))
    refuse('foreign-certificate', "The certificate was not signed by the cluster's CA.");
  const uri = nodeUri(clusterId, name);
  if (certificate.subject !== `CN=${name}` || certificate.subjectAltName !== `URI:${uri}`) {
    const told = `${certificate.subject} with ${certificate.subjectAltName ?? 'no other name'}`;
    refuse('wrong-certificate-name', `The certificate is for ${told.slice(0, 200)}, not for ${uri}.`);
  }
  if (certificate.ca)
    refuse('wrong-certificate-use', 'The certificate is that of an authority, not of a node.');
  return problems;
}

/** What is wrong with a CA's certificate. */
export function checkAuthority(authority: X509Certificate, path: string): Problem[] {
  if (authority.ca && authority.checkIssued(authority) && authority.verify(authority.publicKey)) return [];
  return [
    {
      code: 'bad-authority',
      path,
      message: 'The certificate is not that of an authority that signs itself.',
    },
  ];
}

/** When a certificate ends, in ms since the epoch. */
export function endOf(certificate: X509Certificate): number {
  return certificate.validToDate.getTime();
}

/** From when it counts, in ms since the epoch. */
export function startOf(certificate: X509Certificate): number {
  return certificate.validFromDate.getTime();
}
