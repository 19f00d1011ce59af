import { type KeyObject, X509Certificate } from 'node:crypto';
import type { PeerSpec, RefusalReason, TransportIdentity } from './transport.ts';

/** A certificate that has proved a peer. */
export interface ProvedCertificate {
  readonly name: string;
  readonly serial: string;
  readonly expiresAtMs: number;
  readonly publicKey: KeyObject;
  readonly certificate: X509Certificate;
}

export type Judgement =
  | { readonly ok: true; readonly proved: ProvedCertificate }
  /** Our own certificate: we have reached ourselves, by a name that stands for all nodes. */
  | { readonly ok: false; readonly reason: 'self' }
  | { readonly ok: false; readonly reason: RefusalReason; readonly detail: string };

/** Who we are and who may talk to us: the one place that judges a certificate, for every transport. */
export class Roster {
  #identity: TransportIdentity;
  #authorities: readonly X509Certificate[];
  #ownSerial: string;
  #peers: ReadonlyMap<string, PeerSpec> = new Map();
  #others: 'refused' | 'admitted' = 'refused';

  constructor(identity: TransportIdentity) {
    this.#identity = identity;
    this.#authorities = authoritiesOf(identity);
    this.#ownSerial = new X509Certificate(identity.certificatePem).serialNumber;
  }

  get identity(): TransportIdentity {
    return this.#identity;
  }

  get peers(): ReadonlyMap<string, PeerSpec> {
    return this.#peers;
  }

  /** Throws when a certificate of our own cannot be read; nothing has changed then. */
  useIdentity(identity: TransportIdentity): void {
    const authorities = authoritiesOf(identity);
    this.#ownSerial = new X509Certificate(identity.certificatePem).serialNumber;
    this.#authorities = authorities;
    this.#identity = identity;
  }

  /** Our own name among them is left out. */
  setPeers(peers: readonly PeerSpec[], others: 'refused' | 'admitted' = 'refused'): void {
    this.#others = others;
    this.#peers = new Map(
      peers.filter(({ name }) => name !== this.#identity.name).map((peer) => [peer.name, peer]),
    );
  }

  /** Whether this certificate, of whom we speak to, is one of a peer at this time. Never throws. */
  judge(certificate: X509Certificate | undefined, nowMs: number): Judgement {
    if (certificate === undefined) return refuse('foreign-ca', 'no certificate was shown');
    try {
      return this.#judgeCertificate(certificate, nowMs);
    } catch (error) {
      // Such as a key of a kind that the library cannot read.
      return refuse('protocol', `the certificate cannot be judged: ${String(error)}`);
    }
  }

  #judgeCertificate(certificate: X509Certificate, nowMs: number): Judgement {
    // Node certificates are signed by the CA itself: there is no chain to build, and no other way to trust one.
    const authority = this.#authorities.find(
      (ca) => certificate.checkIssued(ca) && certificate.verify(ca.publicKey),
    );
    if (authority === undefined)
      return refuse('foreign-ca', `the certificate of ${quoted(certificate.subject)} is of another CA`);
    for (const each of [certificate, authority])
      if (!isValidAt(each, nowMs))
        return refuse('expired', `a certificate is valid from ${each.validFrom} to ${each.validTo} only`);
    return this.#judgeName(certificate);
  }

  #judgeName(certificate: X509Certificate): Judgement {
    const name = commonNameOf(certificate);
    const claimed = claimOf(certificate);
    const serial = certificate.serialNumber;
    if (claimed === undefined || name === undefined)
      return refuse('name-mismatch', 'the certificate names no node of a cluster');
    if (claimed.clusterId !== this.#identity.clusterId)
      return refuse('wrong-cluster', `it belongs to cluster ${quoted(claimed.clusterId)}`);
    if (claimed.name !== name)
      return refuse(
        'name-mismatch',
        `its certificate names both ${quoted(name)} and ${quoted(claimed.name)}`,
      );
    if (this.#identity.isRevoked(serial))
      return refuse('revoked', `certificate ${serial} of ${quoted(name)} is revoked`);
    if (name === this.#identity.name)
      return serial === this.#ownSerial
        ? { ok: false, reason: 'self' }
        : refuse('name-mismatch', `another node has our own name ${quoted(name)}`);
    if (!this.#peers.has(name) && this.#others === 'refused')
      return refuse('unknown-node', `${quoted(name)} is not a member`);
    const { publicKey } = certificate;
    const expiresAtMs = certificate.validToDate.getTime();
    return { ok: true, proved: { name, serial, expiresAtMs, publicKey, certificate } };
  }
}

function refuse(reason: RefusalReason, detail: string): Judgement {
  return { ok: false, reason, detail };
}

function authoritiesOf(identity: TransportIdentity): readonly X509Certificate[] {
  return identity.caCertificatesPem.map((pem) => new X509Certificate(pem));
}

function isValidAt(certificate: X509Certificate, nowMs: number): boolean {
  return certificate.validFromDate.getTime() <= nowMs && nowMs < certificate.validToDate.getTime();
}

function commonNameOf(certificate: X509Certificate): string | undefined {
  const names = certificate.subject.split('\n').filter((line) => line.startsWith('CN='));
  return names.length === 1 ? names[0]?.slice(3) : undefined;
}

/** From the one `URI:meridian://<clusterId>/<name>`; Node quotes an entry that has a comma in it, so a split is safe. */
function claimOf(
  certificate: X509Certificate,
): { readonly clusterId: string; readonly name: string } | undefined {
  const entries = (certificate.subjectAltName ?? '').split(', ');
  const claims = entries.filter((entry) => entry.startsWith('URI:meridian://'));
  const match = /^URI:meridian:\/\/([^/"]+)\/([^/"]+)$/.exec(claims.length === 1 ? (claims[0] ?? '') : '');
  return match === null ? undefined : { clusterId: match[1] ?? '', name: match[2] ?? '' };
}

/** What strangers say, for the log: short, and on one line. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
