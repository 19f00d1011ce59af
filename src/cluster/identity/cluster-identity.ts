import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import type { Authorship } from '../../config/model.ts';
import { type Parsed, type Problem, parsed, reasonOf, refused } from '../../config/problem.ts';
import { MAX_NODE_ADDRESSES } from '../../config/resources/cluster-node.ts';
import type { TransportIdentity } from '../transport/transport.ts';
import {
  fingerprintOf,
  issueNodeCertificate,
  newKeyPair,
  normalSerial,
  privateKeyPem as pemOf,
  serialOf,
} from './certificate.ts';
import { advertisedAddresses } from './cluster-settings.ts';
import { newId, nodeOf } from './create-cluster.ts';
import { deriveSecret, type SecretPurpose } from './derived-secrets.ts';
import { type IdentityFiles, openCaKey, putIdentityAside, replaceCertificate } from './identity-files.ts';
import { identityProblems, isRenewalDue, type Standing, standingOf } from './identity-problems.ts';
import { formatToken, INVITATION_SECRET_OCTETS, verifierOf } from './invitation-token.ts';
import {
  invitationChange,
  isRemoved,
  liveNodes,
  type MemberStore,
  nodeChange,
  nodeNamed,
  oldInvitationChanges,
  removalChanges,
  revokedSerials,
  tryToWrite,
  withCertificate,
} from './member-config.ts';

/** Of what a node writes of itself. */
const OWN_AUTHOR = 'cluster';

export interface ClusterIdentityOptions {
  readonly dataDirectory: string;
  readonly files: IdentityFiles;
  readonly members: MemberStore;
  readonly now: () => Date;
  readonly log: (
    level: 'info' | 'warn' | 'error',
    fields: Readonly<Record<string, unknown>>,
    message: string,
  ) => void;
  /** After the node has a new certificate: connections go over to it. */
  readonly onRenewed: () => void;
  /** After the node has left; it has told all peers that it could reach, and may end its connections. */
  readonly onLeft: () => void;
}

/** What operators are told of a node's part in its cluster. */
interface Overview {
  readonly clusterId: string;
  readonly name: string;
  readonly region: string;
  readonly role: 'full' | 'delayed';
  readonly addresses: readonly string[];
  readonly standing: Standing | 'left';
  readonly certificateSerial: string;
  readonly certificateExpiresAt: string;
  readonly caExpiresAt: string;
}

/** This node's part in its cluster: who it is, and what it does about who belongs. */
export class ClusterIdentity {
  readonly #options: ClusterIdentityOptions;
  #files: IdentityFiles;
  #hasLeft = false;
  /** One change of the files at a time. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Why the last renewal failed. */
  #renewalFailure: string | undefined;

  constructor(options: ClusterIdentityOptions) {
    this.#options = options;
    this.#files = options.files;
  }

  get files(): IdentityFiles {
    return this.#files;
  }

  get standing(): Standing {
    return standingOf(this.#files, this.#options.members.config);
  }

  /** What the transport shows to peers, and by what it judges theirs. */
  transportIdentity(): TransportIdentity {
    const { settings, certificatePem, privateKeyPem, caCertificatePem } = this.#files;
    return {
      name: settings.name,
      clusterId: settings.clusterId,
      certificatePem,
      privateKeyPem,
      caCertificatesPem: [caCertificatePem],
      isRevoked: (serial) => revokedSerials(this.#options.members.config).has(normalSerial(serial)),
    };
  }

  /** When this node's certificate ends, in ms since the epoch. */
  get certificateExpiresAtMs(): number {
    return new X509Certificate(this.#files.certificatePem).validToDate.getTime();
  }

  /** A secret that every node of the cluster derives alike. */
  secret(purpose: SecretPurpose): Uint8Array {
    return deriveSecret(this.#files.clusterKey, purpose);
  }

  problems(): readonly Problem[] {
    if (this.#hasLeft) return [];
    const { members, now } = this.#options;
    const problems = identityProblems(this.#files, members.config, now().getTime());
    if (this.#renewalFailure === undefined) return problems;
    const message = `The certificate could not be renewed: ${this.#renewalFailure}.`;
    return [...problems, { code: 'certificate-not-renewed', path: `nodes/${this.#name}`, message }];
  }

  overview(): Overview {
    const { settings, certificatePem, caCertificatePem } = this.#files;
    return {
      clusterId: settings.clusterId,
      name: settings.name,
      region: settings.region,
      role: settings.role,
      addresses: advertisedAddresses(settings),
      standing: this.#hasLeft ? 'left' : this.standing,
      certificateSerial: serialOf(certificatePem),
      certificateExpiresAt: new X509Certificate(certificatePem).validToDate.toISOString(),
      caExpiresAt: new X509Certificate(caCertificatePem).validToDate.toISOString(),
    };
  }

  /**
   * Brings what the cluster knows of this node to what its files say, once it is in touch: where it is reached, and
   * its certificate. To be called at the start and when the configuration has changed; does nothing most times.
   */
  announce(): Promise<void> {
    return this.#inTurn(async () => {
      const { members, now } = this.#options;
      const known = nodeNamed(members.config, this.#name);
      if (this.#hasLeft || known === undefined || this.standing !== 'member') return;
      const { certificateSerial, region, addresses, role } = nodeOf(this.#files, now());
      // Files from a backup may hold a certificate that has been replaced since.
      if (revokedSerials(members.config).has(certificateSerial)) {
        await this.#renew({ author: OWN_AUTHOR, reason: 'the certificate on disk was replaced before' });
        return;
      }
      const wanted = { ...withCertificate(known, certificateSerial), region, addresses, role };
      if (JSON.stringify(wanted) === JSON.stringify(known)) return;
      await tryToWrite(this.#options.members, [nodeChange(wanted)], {
        author: OWN_AUTHOR,
        reason: 'as its own files say',
      });
    });
  }

  /** Renews the certificate where it is time; whether it did. To be called every few minutes. */
  renewIfDue(): Promise<boolean> {
    return this.#inTurn(async () => {
      const isMember = this.standing === 'member' || this.standing === 'unknown';
      const due = isRenewalDue(this.#files, this.#options.now().getTime());
      if (this.#hasLeft || !isMember || !due) return false;
      await this.#renew({
        author: OWN_AUTHOR,
        reason: 'the certificate was to end before long',
      });
      return this.#renewalFailure === undefined;
    });
  }

  async rotate(authorship: Authorship): Promise<Parsed<Overview>> {
    return this.#inTurn(async () => {
      if (!this.#isMember()) return noMember(this.#name);
      await this.#renew(authorship);
      if (this.#renewalFailure === undefined) return parsed(this.overview());
      return refused(
        'not-rotated',
        `nodes/${this.#name}`,
        `There is no new certificate: ${this.#renewalFailure}.`,
      );
    });
  }

  async invite(
    lifetimeSeconds: number,
    authorship: Authorship,
  ): Promise<Parsed<{ readonly id: string; readonly token: string; readonly expiresAt: string }>> {
    const { members, now } = this.#options;
    if (!this.#isMember()) return noMember(this.#name);
    const others = liveNodes(members.config).filter(({ name }) => name !== this.#name);
    const known = [advertisedAddresses(this.#files.settings), ...others.map((node) => node.addresses)].flat();
    const addresses = [...new Set(known)].slice(0, MAX_NODE_ADDRESSES);
    if (addresses.length === 0)
      return refused(
        'no-address',
        `nodes/${this.#name}`,
        'No node says where it is reached; write addresses into "advertise" of cluster.json and start the node again.',
      );
    const secret = new Uint8Array(randomBytes(INVITATION_SECRET_OCTETS));
    const nowMs = now().getTime();
    const expiresAtMs = nowMs + lifetimeSeconds * 1000;
    const expiresAt = new Date(expiresAtMs).toISOString();
    const id = newId();
    const invitation = { id, verifier: verifierOf(secret), expiresAt, createdBy: authorship.author };
    const changes = [...oldInvitationChanges(members.config, nowMs), invitationChange(id, invitation)];
    const written = await tryToWrite(members, changes, authorship);
    if (!written.ok) return written;
    const { clusterId } = this.#files.settings;
    const caFingerprint = fingerprintOf(this.#files.caCertificatePem);
    const token = formatToken({ addresses, clusterId, caFingerprint, invitation: id, secret, expiresAtMs });
    return parsed({ id, token, expiresAt });
  }

  async withdraw(invitation: string, authorship: Authorship): Promise<Parsed<undefined>> {
    const path = `invitations/${invitation}`;
    const known = this.#options.members.config.invitations.get(invitation)?.value;
    if (known === undefined)
      return refused('unknown-invitation', path, `There is no invitation ${invitation}.`);
    if (known.usedBy !== undefined) {
      const message = `The node ${known.usedBy} has come with it already; to take that back: meridian cluster remove ${known.usedBy}`;
      return refused('invitation-used', path, message);
    }
    return tryToWrite(this.#options.members, [invitationChange(invitation, undefined)], authorship);
  }

  async remove(name: string, authorship: Authorship): Promise<Parsed<undefined>> {
    const { members, now } = this.#options;
    const path = `nodes/${name}`;
    const node = nodeNamed(members.config, name);
    if (node === undefined) return refused('unknown-node', path, `There is no node ${name}.`);
    if (isRemoved(members.config, node)) return parsed(undefined);
    if (name === this.#name)
      return refused('own-node', path, 'A node does not remove itself; it leaves: meridian cluster leave');
    return tryToWrite(this.#options.members, removalChanges(node, now()), authorship);
  }

  /** The membership ends on disk here, and so for every peer in touch, before the files are put aside. */
  async leave(authorship: Authorship): Promise<Parsed<{ readonly aside: string }>> {
    return this.#inTurn(async () => {
      const { members, now, dataDirectory, onLeft, log } = this.#options;
      if (this.#hasLeft) return noMember(this.#name);
      const node = nodeNamed(members.config, this.#name);
      if (node !== undefined && this.standing === 'member') {
        const written = await tryToWrite(this.#options.members, removalChanges(node, now()), authorship);
        if (!written.ok) return written;
      }
      const aside = await putIdentityAside(dataDirectory, now());
      this.#hasLeft = true;
      log('info', { aside }, 'this node has left the cluster');
      onLeft();
      return parsed({ aside });
    });
  }

  get #name(): string {
    return this.#files.settings.name;
  }

  #isMember(): boolean {
    return !this.#hasLeft && (this.standing === 'member' || this.standing === 'unknown');
  }

  /** Files first: a certificate that the cluster knows must not be one that a loss of power has taken. */
  async #renew(authorship: Authorship): Promise<void> {
    const { dataDirectory, members, now, onRenewed, log } = this.#options;
    try {
      const { settings, clusterKey, sealedCaKey, caCertificatePem } = this.#files;
      const caKey = openCaKey(clusterKey, sealedCaKey);
      if (caKey === undefined) throw new Error('the key of the CA does not open');
      const authority = { certificatePem: caCertificatePem, privateKey: createPrivateKey(caKey) };
      const keys = newKeyPair();
      const subject = { clusterId: settings.clusterId, name: settings.name, publicKey: keys.publicKey };
      const certificatePem = issueNodeCertificate(authority, subject, now().getTime());
      const pair = { certificatePem, privateKeyPem: pemOf(keys.privateKey) };
      await replaceCertificate(dataDirectory, pair);
      this.#files = { ...this.#files, ...pair };
      this.#renewalFailure = undefined;
    } catch (error) {
      this.#renewalFailure = reasonOf(error);
      log('error', { err: error }, 'the certificate of this node could not be renewed');
      return;
    }
    const { certificateSerial, certificateExpiresAt } = this.overview();
    log('info', { certificateSerial, certificateExpiresAt }, 'this node has a new certificate');
    onRenewed();
    const known = nodeNamed(members.config, this.#name);
    if (known === undefined || this.standing !== 'member') return;
    const written = await tryToWrite(
      this.#options.members,
      [nodeChange(withCertificate(known, certificateSerial))],
      authorship,
    );
    if (!written.ok)
      log('warn', { problems: written.problems }, 'the cluster is told of the new certificate later');
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(step);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

function noMember(name: string): Parsed<never> {
  return refused('no-member', `nodes/${name}`, 'This node is no member of the cluster any more.');
}
