import { once } from 'node:events';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { parseBody } from '../../config/contract.ts';
import { type Parsed, type Problem, parsed, refused } from '../../config/problem.ts';
import { fingerprintOf, newKeyPair, nodeUri, privateKeyPem } from './certificate.ts';
import {
  belongsTo,
  checkAuthority,
  checkNodeCertificate,
  parseCertificate,
  parsePrivateKey,
} from './check-certificate.ts';
import { advertisedAddresses, type ClusterSettings } from './cluster-settings.ts';
import { CLUSTER_KEY_OCTETS } from './derived-secrets.ts';
import { type IdentityFiles, openCaKey } from './identity-files.ts';
import { type InvitationToken, proveSecret } from './invitation-token.ts';
import {
  EXPORTER_LABEL,
  EXPORTER_OCTETS,
  encodeFrame,
  JOIN_PROTOCOL,
  type JoinCall,
  type JoinReply,
  type JoinRequest,
  joinReplySchema,
  MAX_REPLY_OCTETS,
  readFrame,
} from './join-messages.ts';
import { splitAddress } from './peer-address.ts';

/** Longer than the other side takes at most, so that it is the one to say what went wrong. */
const TIME_LIMIT_MS = 20_000;

/** What the operator decides of the new node; the cluster decides the rest. */
export type NewNode = Pick<ClusterSettings, 'name' | 'region' | 'role' | 'listen' | 'advertise'>;

/** What a new node has of its cluster. */
export interface Joined {
  readonly files: IdentityFiles;
  /** Keys that open secrets in the configuration; the first seals. */
  readonly sealKeys: readonly [Uint8Array, ...Uint8Array[]];
}

/** AES-256. */
const SEAL_KEY_OCTETS = 32;

type Welcome = Extract<JoinReply, { kind: 'welcome' }>;

/**
 * Joins the cluster that the token names, through the first of its nodes that answers. The files are checked, and
 * belong to the node from then on: the invitation is used.
 */
export async function joinCluster(token: InvitationToken, node: NewNode): Promise<Parsed<Joined>> {
  const problems: Problem[] = [];
  for (const address of token.addresses) {
    const authority = await askForAuthority(address, token);
    if (authority.ok) return joinThrough(address, authority.value, token, node);
    problems.push(...authority.problems);
  }
  return { ok: false, problems };
}

/** The certificate of the CA that the token names; nobody is believed until it is compared. */
async function askForAuthority(address: string, token: InvitationToken): Promise<Parsed<string>> {
  const reply = await ask(address, { rejectUnauthorized: false }, () => ({ kind: 'who' }));
  if (!reply.ok) return reply;
  const pem = reply.value.kind === 'cluster' ? reply.value.caCertificatePem : '';
  const authority = parseCertificate(pem);
  if (authority === undefined || checkAuthority(authority, address).length > 0)
    return refused('no-node', address, `${address} does not answer as a node of a cluster.`);
  if (Buffer.compare(fingerprintOf(pem), token.caFingerprint) === 0) return parsed(pem);
  return refused('foreign-cluster', address, `${address} belongs to another cluster than the token.`);
}

async function joinThrough(
  address: string,
  caCertificatePem: string,
  token: InvitationToken,
  node: NewNode,
): Promise<Parsed<Joined>> {
  const keys = newKeyPair();
  const request: JoinRequest = {
    invitation: token.invitation,
    name: node.name,
    region: node.region,
    role: node.role,
    addresses: [...advertisedAddresses({ ...settingsOf(token, node), peers: [] })],
    publicKey: keys.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
  };
  const text = JSON.stringify(request);
  const trust: ConnectionOptions = {
    ca: caCertificatePem,
    // The name is a node's of this cluster, whichever: its address says nothing.
    checkServerIdentity: (_, { subjectaltname }) =>
      subjectaltname?.startsWith(`URI:${nodeUri(token.clusterId, '')}`)
        ? undefined
        : new Error('the certificate is not that of a node of this cluster'),
  };
  const reply = await ask(address, trust, (socket) => {
    const binding = socket.exportKeyingMaterial(EXPORTER_OCTETS, EXPORTER_LABEL, Buffer.alloc(0));
    return { kind: 'join', request: text, proof: proveSecret(token.secret, binding, text) };
  });
  if (!reply.ok) return reply;
  if (reply.value.kind === 'refused') return refused('refused', address, reply.value.message);
  if (reply.value.kind !== 'welcome') return unknownReply(address);
  return checkedFiles(reply.value, caCertificatePem, privateKeyPem(keys.privateKey), token, node, address);
}

/** What a node of the cluster sends is believed, and yet must fit together before it is kept. */
function checkedFiles(
  welcome: Welcome,
  caCertificatePem: string,
  keyPem: string,
  token: InvitationToken,
  node: NewNode,
  address: string,
): Parsed<Joined> {
  const clusterKey = new Uint8Array(Buffer.from(welcome.clusterKey, 'base64'));
  const sealedCaKey = new Uint8Array(Buffer.from(welcome.sealedCaKey, 'base64'));
  const authority = parseCertificate(caCertificatePem);
  const certificate = parseCertificate(welcome.certificatePem);
  const key = parsePrivateKey(keyPem);
  const caKey = parsePrivateKey(openCaKey(clusterKey, sealedCaKey) ?? '');
  const fits =
    authority !== undefined &&
    certificate !== undefined &&
    key !== undefined &&
    caKey !== undefined &&
    belongsTo(certificate, key) &&
    belongsTo(authority, caKey) &&
    clusterKey.length === CLUSTER_KEY_OCTETS &&
    welcome.clusterId === token.clusterId &&
    checkNodeCertificate(certificate, { clusterId: token.clusterId, name: node.name, authority }, '')
      .length === 0;
  const [sealKey, ...olderKeys] = welcome.sealKeys.map((key) => new Uint8Array(Buffer.from(key, 'base64')));
  const areKeys = [sealKey, ...olderKeys].every((key) => key?.length === SEAL_KEY_OCTETS);
  if (!fits || sealKey === undefined || !areKeys) return unknownReply(address);
  const files: IdentityFiles = {
    settings: { ...settingsOf(token, node), transport: welcome.transport, peers: welcome.peers },
    caCertificatePem,
    certificatePem: welcome.certificatePem,
    privateKeyPem: keyPem,
    clusterKey,
    sealedCaKey,
  };
  return parsed({ files, sealKeys: [sealKey, ...olderKeys] });
}

function settingsOf(token: InvitationToken, node: NewNode): ClusterSettings {
  return {
    version: 1,
    clusterId: token.clusterId,
    membership: token.invitation,
    ...node,
    transport: { kind: 'mesh' },
    peers: [],
  };
}

/** One question on one connection. */
async function ask(
  address: string,
  trust: ConnectionOptions,
  callOf: (socket: TLSSocket) => JoinCall,
): Promise<Parsed<JoinReply>> {
  const signal = AbortSignal.timeout(TIME_LIMIT_MS);
  const socket = connect({
    ...splitAddress(address),
    ...trust,
    ALPNProtocols: [JOIN_PROTOCOL],
    minVersion: 'TLSv1.3',
  });
  try {
    await once(socket, 'secureConnect', { signal });
    if (socket.alpnProtocol !== JOIN_PROTOCOL)
      return refused('no-node', address, `${address} does not answer as a node of a cluster.`);
    socket.write(encodeFrame(callOf(socket)));
    const reply = parseBody(
      joinReplySchema,
      await readFrame(socket, { maxOctets: MAX_REPLY_OCTETS, signal }),
      '',
    );
    return reply.ok ? reply : unknownReply(address);
  } catch (error) {
    return refused('unreachable', address, `${address} cannot be asked: ${reasonOf(error, signal)}.`);
  } finally {
    socket.on('error', () => undefined);
    socket.destroy();
  }
}

function unknownReply(address: string): Parsed<never> {
  return refused('unknown-reply', address, `${address} answers in a way that this version does not know.`);
}

/** Words for what OpenSSL and the system say by code. */
function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return `no answer within ${TIME_LIMIT_MS / 1000} seconds`;
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? error.code : undefined;
  if (code === 'CERT_NOT_YET_VALID') return "its certificate is not valid yet; look at this machine's clock";
  if (code === 'CERT_HAS_EXPIRED')
    return "its certificate has ended; look at this machine's clock, and at that node";
  return error.message;
}
