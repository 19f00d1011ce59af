import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { parseBody } from '../../config/contract.ts';
import { MAX_RESOURCES } from '../../config/limits.ts';
import type { ClusterNode } from '../../config/resources/cluster-node.ts';
import type { Invitation } from '../../config/resources/invitation.ts';
import { issueNodeCertificate, serialOf } from './certificate.ts';
import { advertisedAddresses } from './cluster-settings.ts';
import { deriveSecret } from './derived-secrets.ts';
import { type IdentityFiles, openCaKey } from './identity-files.ts';
import { standingOf } from './identity-problems.ts';
import { isProven } from './invitation-token.ts';
import {
  EXPORTER_LABEL,
  EXPORTER_OCTETS,
  encodeFrame,
  JoinProtocolError,
  type JoinReply,
  type JoinRequest,
  joinCallSchema,
  joinRequestSchema,
  MAX_REQUEST_OCTETS,
  MAX_SEAL_KEYS,
  MAX_WELCOME_PEERS,
  readFrame,
} from './join-messages.ts';
import {
  invitationChange,
  isRemoved,
  liveNodes,
  type MemberStore,
  nodeChange,
  nodeNamed,
  tryToWrite,
  withSerial,
} from './member-config.ts';

/** Nobody joins a cluster with more machines at once. */
const MAX_CONNECTIONS = 16;

/** Joining takes two; secrets cannot be guessed at any rate, so that this bounds the work alone. */
const MAX_CONNECTIONS_PER_MINUTE = 120;
const MINUTE_MS = 60_000;

/** Two round trips around the world and a write to a slow disk. */
const DEFAULT_TIME_LIMIT_MS = 15_000;

/** Says the same of every invitation that does not let in, so that nobody learns which secrets were once good. */
const NOT_ACCEPTED =
  'The invitation is not accepted: it is not known here, has ended, was used, or is not whole. Ask for a new one.';

const outcomes = ['asked', 'joined', 'not-accepted', 'refused', 'protocol', 'overload', 'failed'] as const;
type JoinOutcome = (typeof outcomes)[number];

export interface JoinListenerOptions {
  readonly identity: () => IdentityFiles;
  readonly members: MemberStore;
  /** Keys that open secrets in the configuration; the cluster's own comes before them. */
  readonly sealKeys: () => readonly Uint8Array[];
  readonly now: () => Date;
  readonly log: (
    level: 'info' | 'warn' | 'error',
    fields: Readonly<Record<string, unknown>>,
    message: string,
  ) => void;
  readonly timeLimitMs?: number;
}

/** How often machines that wanted to join were answered with what. */
export type JoinCounters = Readonly<Record<JoinOutcome, number>>;

/** Lets machines join that have an invitation. Takes connections of theirs, over TLS with our side proved. */
export class JoinListener {
  readonly #options: JoinListenerOptions;
  readonly #counters: Record<JoinOutcome, number> = {
    asked: 0,
    joined: 0,
    'not-accepted': 0,
    refused: 0,
    protocol: 0,
    overload: 0,
    failed: 0,
  };
  #open = 0;
  #minute = 0;
  #inMinute = 0;
  /** One admission at a time: each sees what the one before it has written. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: JoinListenerOptions) {
    this.#options = options;
  }

  counters(): JoinCounters {
    return { ...this.#counters };
  }

  /** Answers one connection and ends it; never throws. */
  readonly take = (socket: Duplex): void => {
    socket.on('error', () => undefined);
    if (!this.#hasRoom()) {
      this.#count('overload');
      socket.destroy();
      return;
    }
    this.#open++;
    void this.#answer(socket).finally(() => {
      this.#open--;
    });
  };

  async #answer(socket: Duplex): Promise<void> {
    const signal = AbortSignal.timeout(this.#options.timeLimitMs ?? DEFAULT_TIME_LIMIT_MS);
    const late = (): void => void socket.destroy();
    signal.addEventListener('abort', late);
    try {
      const reply = await this.#reply(
        socket,
        await readFrame(socket, { maxOctets: MAX_REQUEST_OCTETS, signal }),
      );
      await new Promise<void>((resolve) => {
        socket.once('close', resolve);
        socket.end(encodeFrame(reply));
        // What else it may send is thrown away, so that it cannot keep the connection.
        socket.resume();
      });
    } catch (error) {
      const expected = error instanceof JoinProtocolError || signal.aborted;
      this.#count(expected ? 'protocol' : 'failed');
      const level = expected ? 'warn' : 'error';
      this.#options.log(
        level,
        { err: error, from: addressOf(socket) },
        'a connection to join could not be answered',
      );
      socket.destroy();
    } finally {
      signal.removeEventListener('abort', late);
    }
  }

  async #reply(socket: Duplex, frame: unknown): Promise<JoinReply> {
    const call = parseBody(joinCallSchema, frame, 'call');
    if (!call.ok) throw new JoinProtocolError('the frame is no call of this protocol');
    if (call.value.kind === 'who') {
      this.#count('asked');
      return { kind: 'cluster', caCertificatePem: this.#options.identity().caCertificatePem };
    }
    if (!(socket instanceof TLSSocket)) throw new JoinProtocolError('the connection is not TLS of our own');
    const binding = socket.exportKeyingMaterial(EXPORTER_OCTETS, EXPORTER_LABEL, Buffer.alloc(0));
    const { request, proof } = call.value;
    const admitted = this.#turn.then(() => this.#admit(request, proof, binding, addressOf(socket)));
    this.#turn = admitted.catch(() => undefined);
    return admitted;
  }

  async #admit(text: string, proof: string, binding: Uint8Array, from: string): Promise<JoinReply> {
    const { members, now, log, identity } = this.#options;
    const request = parseRequest(text);
    const invitation = members.config.invitations.get(request.invitation)?.value;
    const isMember = standingOf(identity(), members.config) === 'member';
    const why = isMember ? closedBecause(invitation, now().getTime()) : 'this node is no member itself';
    if (
      invitation === undefined ||
      why !== undefined ||
      !isProven(invitation.verifier, proof, binding, text)
    ) {
      this.#count('not-accepted');
      const fields = { from, node: request.name, invitation: request.invitation, why: why ?? 'wrong secret' };
      log('warn', fields, 'a machine that wanted to join was not accepted');
      return { kind: 'refused', message: NOT_ACCEPTED };
    }
    const key = parsePublicKey(request.publicKey);
    const refusal = key === undefined ? 'The public key is not one on P-256.' : this.#refusal(request);
    if (key === undefined || refusal !== undefined) {
      this.#count('refused');
      log('warn', { from, node: request.name, why: refusal }, 'a machine with a good invitation was refused');
      return { kind: 'refused', message: refusal ?? '' };
    }
    const files = identity();
    const certificatePem = issueCertificate(files, request.name, key, now().getTime());
    const written = await this.#write(request, invitation, serialOf(certificatePem));
    if (written !== undefined) return written;
    this.#count('joined');
    log('info', { from, node: request.name, region: request.region }, 'a node has joined the cluster');
    return {
      kind: 'welcome',
      clusterId: files.settings.clusterId,
      certificatePem,
      caCertificatePem: files.caCertificatePem,
      clusterKey: Buffer.from(files.clusterKey).toString('base64'),
      sealedCaKey: Buffer.from(files.sealedCaKey).toString('base64'),
      sealKeys: this.#sealKeys(files),
      transport: files.settings.transport,
      peers: this.#peers(request.name),
    };
  }

  /** Why somebody who may come in cannot, so as they are. */
  #refusal({ name }: JoinRequest): string | undefined {
    const { config } = this.#options.members;
    const existing = nodeNamed(config, name);
    if (existing !== undefined && !isRemoved(config, existing))
      return `There is a node ${name} already; choose another name, or remove that one first: meridian cluster remove ${name}`;
    if (existing === undefined && config.nodes.size >= MAX_RESOURCES.nodes)
      return `The cluster has ${MAX_RESOURCES.nodes} nodes, and can have no more.`;
    return undefined;
  }

  /** The invitation is used and the node is there, on disk, before it has its certificate. */
  async #write(request: JoinRequest, invitation: Invitation, serial: string): Promise<JoinReply | undefined> {
    const { members, now, log } = this.#options;
    const before = nodeNamed(members.config, request.name);
    const at = now().toISOString();
    const node: ClusterNode = {
      name: request.name,
      region: request.region,
      addresses: request.addresses,
      role: request.role,
      membership: invitation.id,
      certificateSerial: serial,
      revokedSerials: before === undefined ? [] : withSerial(before.revokedSerials, before.certificateSerial),
      joinedAt: at,
    };
    const used: Invitation = { ...invitation, usedBy: request.name, usedAt: at };
    const outcome = await tryToWrite(members, [invitationChange(invitation.id, used), nodeChange(node)], {
      author: `node ${request.name}`,
      reason: `joined with an invitation of ${invitation.createdBy}`,
    });
    if (outcome.ok) return undefined;
    this.#count('failed');
    log(
      'error',
      { node: request.name, problems: outcome.problems },
      'a node that joins could not be written',
    );
    return {
      kind: 'refused',
      message: outcome.problems
        .map(({ message }) => message)
        .join(' ')
        .slice(0, 1000),
    };
  }

  /** What was sealed before there was a cluster is to be read on the new node, too. */
  #sealKeys({ clusterKey }: IdentityFiles): string[] {
    const keys = [deriveSecret(clusterKey, 'seal'), ...this.#options.sealKeys()];
    return [...new Set(keys.map((key) => Buffer.from(key).toString('base64')))].slice(0, MAX_SEAL_KEYS);
  }

  /** Where the new node finds the others, ourselves first. */
  #peers(newcomer: string): string[] {
    const { identity, members } = this.#options;
    const others = liveNodes(members.config).filter(({ name }) => name !== newcomer);
    const addresses = [
      advertisedAddresses(identity().settings),
      ...others.map((node) => node.addresses),
    ].flat();
    return [...new Set(addresses)].slice(0, MAX_WELCOME_PEERS);
  }

  #hasRoom(): boolean {
    const minute = Math.floor(this.#options.now().getTime() / MINUTE_MS);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#inMinute = 0;
    }
    this.#inMinute++;
    return this.#open < MAX_CONNECTIONS && this.#inMinute <= MAX_CONNECTIONS_PER_MINUTE;
  }

  #count(outcome: JoinOutcome): void {
    this.#counters[outcome]++;
  }
}

function parseRequest(text: string): JoinRequest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new JoinProtocolError('the request is not JSON');
  }
  const request = parseBody<JoinRequest>(joinRequestSchema, value, 'request');
  if (request.ok) return request.value;
  throw new JoinProtocolError(request.problems.map(({ message }) => message).join(' '));
}

function closedBecause(invitation: Invitation | undefined, nowMs: number): string | undefined {
  if (invitation === undefined) return 'unknown';
  if (invitation.usedBy !== undefined) return 'used';
  // A time that cannot be read is over.
  return Date.parse(invitation.expiresAt) > nowMs ? undefined : 'expired';
}

function issueCertificate(files: IdentityFiles, name: string, publicKey: KeyObject, nowMs: number): string {
  const caKey = openCaKey(files.clusterKey, files.sealedCaKey);
  if (caKey === undefined) throw new Error('the key of the CA does not open');
  const authority = { certificatePem: files.caCertificatePem, privateKey: createPrivateKey(caKey) };
  return issueNodeCertificate(authority, { clusterId: files.settings.clusterId, name, publicKey }, nowMs);
}

function parsePublicKey(base64: string): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' });
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : undefined;
  } catch {
    return undefined;
  }
}

function addressOf(socket: Duplex): string {
  return (socket instanceof TLSSocket ? socket.remoteAddress : undefined) ?? 'unknown';
}
