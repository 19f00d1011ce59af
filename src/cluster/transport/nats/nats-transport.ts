import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import type { Logger } from '../../../observe/log.ts';
import { parseCertificate } from '../../identity/check-certificate.ts';
import { CLUSTER_KEY_OCTETS, deriveSecret } from '../../identity/derived-secrets.ts';
import { Backoff } from '../backoff.ts';
import { commonProtocol, faultOf, type Hello, type ProtocolRange, spokenProtocol } from '../hello.ts';
import { defaultTransportLimits, natsWaitingOctets, type TransportLimits } from '../limits.ts';
import { isSignedWith, signWith } from '../renewal.ts';
import { type ProvedCertificate, quoted, Roster } from '../roster.ts';
import { secureContextOf } from '../secure-context.ts';
import { SessionBook } from '../session-book.ts';
import { Tally } from '../tally.ts';
import type {
  PeerAddress,
  PeerSpec,
  Transport,
  TransportCounters,
  TransportIdentity,
  TransportListener,
} from '../transport.ts';
import { Broker, type BrokerCredentials } from './broker.ts';
import { NatsSession, type NatsSessionSurroundings } from './nats-session.ts';
import { SealedChannel, sessionIdOf } from './sealed-channel.ts';
import {
  openStatement,
  publicKeyOf,
  rawPublicKey,
  type SignedStatement,
  STATEMENT_KIND,
  type StatementType,
  sealStatement,
} from './statement.ts';

export interface NatsOptions {
  readonly identity: TransportIdentity;
  /** 32 octets that the members of the cluster share. */
  readonly clusterKey: Uint8Array;
  /** Servers of one NATS cluster, tried in turn. */
  readonly servers: readonly PeerAddress[];
  readonly credentials?: BrokerCredentials;
  /** Of the broker's certificate; without it, those that the system trusts. */
  readonly brokerCaCertificatesPem?: readonly string[];
  /** Of the software; peers show it. */
  readonly version: string;
  readonly log: Logger;
  readonly limits?: Partial<TransportLimits>;
  readonly protocol?: ProtocolRange;
}

const NONCE_OCTETS = 16;

/** Statements of one peer that are checked in a second: a session needs three, and a signature costs 0.2 ms. */
const MAX_STATEMENTS_PER_SECOND = 20;

interface Offer {
  readonly nonce: Uint8Array;
  readonly privateKey: KeyObject;
  readonly octets: Uint8Array;
}

/** What is between us and one peer while there is no session. */
interface Courtship {
  readonly backoff: Backoff;
  timer: NodeJS.Timeout | undefined;
  /** Ours, until it is answered or replaced by the next. */
  offer?: Offer;
  /** What we answered last, until its first message. */
  answered?: NatsSession | undefined;
  secondStartMs: number;
  statements: number;
}

/** Nodes that reach each other through a NATS broker: for more of them than a mesh serves, or where none can dial another. */
export class NatsTransport implements Transport {
  readonly #options: NatsOptions;
  readonly #limits: TransportLimits;
  readonly #roster: Roster;
  readonly #tally: Tally;
  readonly #broker: Broker;
  readonly #prefix: string;
  readonly #statementKey: Uint8Array;
  readonly #around: NatsSessionSurroundings;
  readonly #processNonce = randomBytes(NONCE_OCTETS).toString('hex');
  readonly #courtships = new Map<string, Courtship>();
  #book: SessionBook<NatsSession> | undefined;

  /** Throws when the identity cannot be used, or the cluster's key is not one. */
  constructor(options: NatsOptions) {
    if (options.clusterKey.length !== CLUSTER_KEY_OCTETS)
      throw new RangeError('the cluster key has 32 octets');
    // Nothing else would say so before a broker is there.
    secureContextOf(options.identity);
    this.#options = options;
    this.#limits = { ...defaultTransportLimits, waitingOctets: natsWaitingOctets, ...options.limits };
    this.#roster = new Roster(options.identity);
    this.#tally = new Tally(options.log);
    this.#statementKey = deriveSecret(options.clusterKey, 'messages');
    // A cluster's id may have characters that are not for subjects.
    const cluster = createHash('sha256').update(options.identity.clusterId).digest('base64url');
    this.#prefix = `meridian.${cluster}`;
    this.#around = {
      roster: this.#roster,
      limits: this.#limits,
      tally: this.#tally,
      publish: (peer, message) => this.#publish(peer, message),
      maxPayloadOctets: () => this.#broker.maxPayloadOctets,
      onUp: (session) => this.#opened(session),
      onFrame: (session, frame) => this.#book?.frame(session, frame),
      onDrain: (session) => this.#book?.drain(session),
      onEnd: (session, reason) => this.#ended(session, reason),
    };
    this.#broker = this.#createBroker();
  }

  #createBroker(): Broker {
    const { servers, log, credentials = { kind: 'none' }, brokerCaCertificatesPem } = this.#options;
    return new Broker({
      servers,
      credentials,
      log,
      limits: this.#limits,
      tls: () => ({
        cert: this.#roster.identity.certificatePem,
        key: this.#roster.identity.privateKeyPem,
        ...(brokerCaCertificatesPem === undefined ? {} : { ca: brokerCaCertificatesPem.join('\n') }),
      }),
      subject: `${this.#prefix}.${this.#roster.identity.name}.*`,
      onConnected: () => this.#courtAll(),
      onLost: (reason) => this.#lost(reason),
      onFailedDial: () => {
        this.#tally.failedDials += 1;
      },
      onMessage: (subject, octets) => this.#receive(subject.split('.').at(-1) ?? '', octets),
    });
  }

  async start(listener: TransportListener): Promise<void> {
    this.#book = new SessionBook(listener, this.#tally, this.#options.log);
    this.#broker.start();
  }

  setPeers(peers: readonly PeerSpec[], others: 'refused' | 'admitted' = 'refused'): void {
    this.#roster.setPeers(peers, others);
    const current = this.#roster.peers;
    for (const [name, courtship] of this.#courtships)
      if (!current.has(name) && others === 'refused') {
        clearTimeout(courtship.timer);
        courtship.answered?.finish('not a peer');
        this.#courtships.delete(name);
      }
    for (const session of this.#book?.all() ?? []) session.judgeAgain(Date.now());
    this.#book?.forgetAllBut(current);
    // Those that were known have their turn when their wait is over.
    for (const name of current.keys()) if (!this.#courtships.has(name)) this.#meet(name);
  }

  /** Peers are found by name on the broker; addresses are of no use. */
  setCandidates(): void {}

  useIdentity(identity: TransportIdentity): void {
    secureContextOf(identity);
    const isRenewed = identity.certificatePem !== this.#roster.identity.certificatePem;
    this.#roster.useIdentity(identity);
    for (const session of this.#book?.all() ?? []) {
      session.judgeAgain(Date.now());
      if (isRenewed) session.renew(identity);
    }
  }

  counters(): TransportCounters {
    return this.#tally.counters();
  }

  async close(): Promise<void> {
    for (const { timer } of this.#courtships.values()) clearTimeout(timer);
    this.#courtships.clear();
    for (const session of this.#book?.all() ?? []) session.close('the node is stopping');
    await this.#broker.close();
  }

  #publish(peer: string, message: Uint8Array): boolean {
    return this.#broker.publish(`${this.#prefix}.${peer}.${this.#roster.identity.name}`, message);
  }

  #lost(reason: string): void {
    for (const session of this.#book?.all() ?? []) session.finish(`the broker is lost: ${reason}`);
    for (const { timer } of this.#courtships.values()) clearTimeout(timer);
  }

  #courtAll(): void {
    for (const name of this.#roster.peers.keys()) {
      if (this.#courtships.has(name)) this.#court(name);
      else this.#meet(name);
    }
  }

  #meet(peer: string): void {
    this.#courtshipWith(peer);
    this.#court(peer);
  }

  #courtshipWith(peer: string): Courtship {
    const known = this.#courtships.get(peer);
    if (known !== undefined) return known;
    const backoff = new Backoff(this.#limits.firstBackoffMs, this.#limits.longestBackoffMs);
    const courtship: Courtship = { backoff, timer: undefined, secondStartMs: 0, statements: 0 };
    this.#courtships.set(peer, courtship);
    return courtship;
  }

  /** Asks for a session, now and again after growing waits, until there is one. */
  #court(peer: string): void {
    const courtship = this.#courtships.get(peer);
    if (courtship === undefined || this.#book === undefined || !this.#broker.isConnected) return;
    clearTimeout(courtship.timer);
    if (this.#book.of(peer) !== undefined) return;
    if (this.#offersTo(peer)) this.#offer(peer, courtship);
    else this.#say(peer, 'call', generateKeyPairSync('x25519').publicKey, randomBytes(NONCE_OCTETS));
    courtship.timer = setTimeout(() => this.#court(peer), courtship.backoff.nextMs());
  }

  #offersTo(peer: string): boolean {
    return this.#roster.identity.name < peer;
  }

  #offer(peer: string, courtship: Courtship): void {
    const { publicKey, privateKey } = generateKeyPairSync('x25519');
    const nonce = new Uint8Array(randomBytes(NONCE_OCTETS));
    courtship.offer = { nonce, privateKey, octets: this.#say(peer, 'offer', publicKey, nonce) };
  }

  /** Publishes a statement, and gives the octets that it signed. */
  #say(peer: string, type: StatementType, publicKey: KeyObject, nonce: Uint8Array): Uint8Array {
    const { identity } = this.#roster;
    const certificate = new Uint8Array(new X509Certificate(identity.certificatePem).raw);
    const session = this.#book?.of(peer)?.sessionId;
    const said = { type, to: peer, hello: this.#hello(), certificate, key: rawPublicKey(publicKey), nonce };
    const statement = session === undefined ? said : { ...said, session };
    const privateKey = createPrivateKey(identity.privateKeyPem);
    const { message, octets } = sealStatement(this.#statementKey, statement, (text) =>
      signWith(privateKey, text),
    );
    this.#publish(peer, message);
    return octets;
  }

  #hello(): Hello {
    const { clusterId, name: node } = this.#roster.identity;
    const { protocol = spokenProtocol, version } = this.#options;
    return { protocol, clusterId, node, version, sessionNonce: this.#processNonce };
  }

  #receive(from: string, message: Uint8Array): void {
    if (message[0] === STATEMENT_KIND) {
      const signed = openStatement(this.#statementKey, message);
      if (signed === undefined) this.#tally.refuse('protocol', quoted(from), 'no statement of this cluster');
      else if (this.#mayBeChecked(from)) this.#judge(from, signed);
      return;
    }
    const id = sessionIdOf(message);
    if (id === '') this.#tally.refuse('protocol', quoted(from), 'no message of a node');
    const session = this.#book?.of(from);
    const answered = this.#courtships.get(from)?.answered;
    // Of any other session it may be what was under way when that ended.
    if (session?.sessionId === id) session.receive(message);
    else if (answered?.sessionId === id) answered.receive(message);
  }

  #mayBeChecked(from: string): boolean {
    const courtship = this.#courtships.get(from);
    if (courtship === undefined) return true;
    const nowMs = performance.now();
    if (nowMs - courtship.secondStartMs > 1000)
      Object.assign(courtship, { secondStartMs: nowMs, statements: 0 });
    courtship.statements += 1;
    return courtship.statements <= MAX_STATEMENTS_PER_SECOND;
  }

  #judge(from: string, signed: SignedStatement): void {
    const { statement, octets, signature } = signed;
    const certificate = parseCertificate(statement.certificate);
    const judgement = this.#roster.judge(certificate, Date.now());
    if (!judgement.ok) {
      if (judgement.reason !== 'self') this.#tally.refuse(judgement.reason, quoted(from), judgement.detail);
      return;
    }
    const { proved } = judgement;
    const fault = faultOf(statement.hello, this.#hello(), proved.name);
    if (fault !== undefined) this.#tally.refuse(fault.reason, quoted(from), fault.detail);
    else if (from !== proved.name)
      this.#tally.refuse('name-mismatch', quoted(from), `it is ${quoted(proved.name)} and sends as another`);
    else if (
      statement.to !== this.#roster.identity.name ||
      !isSignedWith(proved.publicKey, octets, signature)
    )
      this.#tally.refuse('protocol', quoted(from), 'a statement that is not signed, or for another node');
    else this.#take(proved, signed);
  }

  #take(proved: ProvedCertificate, signed: SignedStatement): void {
    // Who is admitted without being known is answered, and met for the first time.
    const courtship = this.#courtshipWith(proved.name);
    const { type, session } = signed.statement;
    const current = this.#book?.of(proved.name)?.sessionId;
    if (type === 'answer') this.#takeAnswer(courtship, proved, signed);
    // A call that was recorded can be repeated: the offer says which session we have, and a peer that has it is silent.
    else if (type === 'call' && this.#offersTo(proved.name)) this.#offer(proved.name, courtship);
    else if (
      type === 'offer' &&
      !this.#offersTo(proved.name) &&
      (current === undefined || current !== session)
    )
      this.#answer(courtship, proved, signed);
  }

  #answer(courtship: Courtship, proved: ProvedCertificate, offer: SignedStatement): void {
    const { publicKey, privateKey } = generateKeyPairSync('x25519');
    const octets = this.#say(proved.name, 'answer', publicKey, offer.statement.nonce);
    courtship.answered = this.#createSession('answering', privateKey, proved, offer, [offer.octets, octets]);
  }

  #takeAnswer(courtship: Courtship, proved: ProvedCertificate, answer: SignedStatement): void {
    const { offer } = courtship;
    if (offer === undefined || Buffer.compare(offer.nonce, answer.statement.nonce) !== 0) return;
    delete courtship.offer;
    this.#createSession('offering', offer.privateKey, proved, answer, [
      offer.octets,
      answer.octets,
    ])?.becomeUp();
  }

  /** Undefined when the peer's key is not one that keys can be agreed on with. */
  #createSession(
    side: 'offering' | 'answering',
    privateKey: KeyObject,
    proved: ProvedCertificate,
    { statement: { hello, key } }: SignedStatement,
    said: readonly [Uint8Array, Uint8Array],
  ): NatsSession | undefined {
    const transcript = createHash('sha256');
    for (const octets of said) transcript.update(createHash('sha256').update(octets).digest());
    const { clusterKey, protocol: ours = spokenProtocol } = this.#options;
    try {
      const peerPublicKey = publicKeyOf(key);
      const secrets = { side, privateKey, peerPublicKey, clusterKey, transcript: transcript.digest() };
      const protocol = commonProtocol(ours, hello.protocol) ?? ours.min;
      return new NatsSession({ proved, hello, protocol, channel: new SealedChannel(secrets) }, this.#around);
    } catch {
      // RFC 7748 section 6.1: points of small order give no shared secret.
      this.#tally.refuse('protocol', proved.name, 'its key cannot be used');
      return undefined;
    }
  }

  #opened(session: NatsSession): void {
    const courtship = this.#courtships.get(session.peer);
    this.#book?.of(session.peer)?.finish('replaced by a newer session');
    clearTimeout(courtship?.timer);
    courtship?.backoff.reset();
    if (courtship !== undefined) delete courtship.answered;
    this.#book?.open(session);
  }

  #ended(session: NatsSession, reason: string): void {
    const wasSession = this.#book?.close(session, reason) ?? false;
    const courtship = this.#courtships.get(session.peer);
    if (!wasSession || courtship === undefined) return;
    clearTimeout(courtship.timer);
    courtship.timer = setTimeout(() => this.#court(session.peer), courtship.backoff.nextMs());
  }
}
