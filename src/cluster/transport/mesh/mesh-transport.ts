import { randomBytes } from 'node:crypto';
import type { SecureContext, TLSSocket } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '../../../observe/log.ts';
import { type Hello, type ProtocolRange, spokenProtocol } from '../hello.ts';
import { HostResolver } from '../host-resolver.ts';
import { defaultTransportLimits, type TransportLimits } from '../limits.ts';
import { type Judgement, quoted, Roster } from '../roster.ts';
import { secureContextOf } from '../secure-context.ts';
import { SessionBook } from '../session-book.ts';
import { Tally } from '../tally.ts';
import type {
  JoinListener,
  PeerAddress,
  PeerSpec,
  Transport,
  TransportCounters,
  TransportIdentity,
  TransportListener,
} from '../transport.ts';
import { dialPeer, judgeOtherEnd } from './dial.ts';
import { DialLoop } from './dial-loop.ts';
import { sayGoodbye } from './farewell.ts';
import { type ConnectionSurroundings, MeshConnection } from './mesh-connection.ts';
import { type ListenAddress, PeerListener } from './peer-listener.ts';
import { sourceAddressFor } from './source-address.ts';

export interface MeshOptions {
  readonly identity: TransportIdentity;
  readonly listen: ListenAddress;
  /** Of the software; peers show it. */
  readonly version: string;
  readonly log: Logger;
  /** Takes over connections of nodes that want to join; without it they are refused. */
  readonly onJoin?: JoinListener;
  readonly limits?: Partial<TransportLimits>;
  readonly protocol?: ProtocolRange;
  readonly resolver?: HostResolver;
}

/** A session that lasted this long was a good one: the waits before dialling start small again. */
const STEADY_MS = 5000;

/** Entropy of the ids that say which process, and which session: nobody draws one twice. */
const ID_OCTETS = 16;

/**
 * Every node has one mutual TLS 1.3 connection with every other. Both dial, since only one of two may be able to reach
 * the other. Of the connections that come of it the node with the lesser name takes one, and tells the other which.
 */
export class MeshTransport implements Transport {
  readonly #options: MeshOptions;
  readonly #limits: TransportLimits;
  readonly #roster: Roster;
  readonly #tally: Tally;
  readonly #server: PeerListener;
  readonly #resolver: HostResolver;
  readonly #around: ConnectionSurroundings;
  readonly #processNonce = randomBytes(ID_OCTETS).toString('hex');
  readonly #connections = new Map<MeshConnection, { settled: (isUp: boolean) => void }>();
  readonly #endedSessions = new Map<string, string>();
  readonly #openedAtMs = new Map<string, number>();
  readonly #loops = new Map<string, DialLoop>();
  readonly #candidates = new Map<string, { readonly loop: DialLoop; name?: string }>();
  #secureContext: SecureContext;
  #book: SessionBook<MeshConnection> | undefined;
  #port = 0;

  /** Throws when the identity's certificate and key cannot be used. */
  constructor(options: MeshOptions) {
    this.#options = options;
    this.#limits = { ...defaultTransportLimits, ...options.limits };
    this.#roster = new Roster(options.identity);
    this.#tally = new Tally(options.log);
    this.#resolver = options.resolver ?? new HostResolver();
    this.#secureContext = secureContextOf(options.identity);
    this.#server = new PeerListener({
      limits: this.#limits,
      tally: this.#tally,
      secureContext: () => this.#secureContext,
      onPeer: (socket, settled) => this.#takeIn(socket, settled),
      onJoin: options.onJoin,
    });
    this.#around = {
      roster: this.#roster,
      limits: this.#limits,
      tally: this.#tally,
      helloFor: (peer) => this.#helloFor(peer),
      onGreeted: (connection) => this.#choose(connection),
      onUp: (connection) => this.#opened(connection),
      onFrame: (connection, frame) => this.#book?.frame(connection, frame),
      onDrain: (connection) => this.#book?.drain(connection),
      onEnd: (connection, reason) => this.#ended(connection, reason),
    };
  }

  /** Where peers reach this node, once started. */
  get port(): number {
    return this.#port;
  }

  async start(listener: TransportListener): Promise<void> {
    this.#port = await this.#server.listen(this.#options.listen);
    this.#book = new SessionBook(listener, this.#tally, this.#options.log);
    for (const loop of this.#allLoops()) loop.start();
  }

  setPeers(peers: readonly PeerSpec[], others?: 'refused' | 'admitted'): void {
    const before = this.#roster.peers;
    this.#roster.setPeers(peers, others);
    const current = this.#roster.peers;
    for (const [name, loop] of this.#loops)
      if (!current.has(name)) {
        loop.stop();
        this.#loops.delete(name);
        this.#endedSessions.delete(name);
      }
    this.#book?.forgetAllBut(current);
    this.#judgeAgain();
    for (const [name, spec] of current) {
      const loop = this.#loops.get(name) ?? this.#loopFor(name);
      this.#loops.set(name, loop);
      // One that is where it was has its turn when its wait is over, however often the others change.
      if (this.#book !== undefined && !isDeepStrictEqual(spec, before.get(name))) loop.start();
    }
  }

  setCandidates(addresses: readonly PeerAddress[]): void {
    const wanted = new Map(addresses.map((address) => [`${address.host} ${address.port}`, address]));
    for (const [key, { loop }] of this.#candidates)
      if (!wanted.has(key)) {
        loop.stop();
        this.#candidates.delete(key);
      }
    for (const [key, address] of wanted) {
      if (this.#candidates.has(key)) continue;
      const loop = this.#loopForCandidate(key, address);
      this.#candidates.set(key, { loop });
      if (this.#book !== undefined) loop.start();
    }
  }

  useIdentity(identity: TransportIdentity): void {
    const secureContext = secureContextOf(identity);
    const isRenewed = identity.certificatePem !== this.#roster.identity.certificatePem;
    this.#roster.useIdentity(identity);
    this.#secureContext = secureContext;
    this.#judgeAgain();
    if (isRenewed) for (const connection of this.#connections.keys()) connection.renew(identity);
  }

  counters(): TransportCounters {
    return this.#tally.counters();
  }

  async close(): Promise<void> {
    for (const loop of this.#allLoops()) loop.stop();
    for (const connection of [...this.#connections.keys()]) connection.end('the node is stopping');
    await this.#server.close();
  }

  #allLoops(): readonly DialLoop[] {
    return [...this.#loops.values(), ...[...this.#candidates.values()].map(({ loop }) => loop)];
  }

  #judgeAgain(): void {
    const nowMs = Date.now();
    for (const connection of [...this.#connections.keys()]) connection.judgeAgain(nowMs);
  }

  #helloFor(peer: string): Hello {
    const { clusterId, name } = this.#roster.identity;
    const endedSession = this.#book?.of(peer) === undefined ? this.#endedSessions.get(peer) : undefined;
    const hello = {
      protocol: this.#options.protocol ?? spokenProtocol,
      clusterId,
      node: name,
      version: this.#options.version,
      sessionNonce: this.#processNonce,
    };
    return endedSession === undefined ? hello : { ...hello, endedSession };
  }

  /** A connection that somebody made to us. */
  #takeIn(socket: TLSSocket, settled: () => void): void {
    const judgement = judgeOtherEnd(socket, this.#roster);
    if (judgement.ok) {
      const connection = new MeshConnection(socket, judgement.proved, this.#around);
      this.#connections.set(connection, { settled });
    } else this.#sendAway(socket, judgement, socket.remoteAddress ?? 'unknown');
  }

  #sendAway(socket: TLSSocket, judgement: Exclude<Judgement, { ok: true }>, from: string): void {
    if (judgement.reason !== 'self') this.#tally.refuse(judgement.reason, from, judgement.detail);
    sayGoodbye(socket, `refused: ${judgement.reason}`);
  }

  #loopFor(name: string): DialLoop {
    return new DialLoop({
      limits: this.#limits,
      resolver: this.#resolver,
      addresses: () => this.#roster.peers.get(name)?.addresses ?? [],
      isWanted: () => this.#book?.of(name) === undefined,
      dial: async (address, signal) => (await this.#dial(address, signal, name)).isReached,
    });
  }

  /** Who is there is learned from the certificate; then it is dialled only while that peer has no session. */
  #loopForCandidate(key: string, address: PeerAddress): DialLoop {
    const nameHere = () => this.#candidates.get(key)?.name;
    return new DialLoop({
      limits: this.#limits,
      resolver: this.#resolver,
      addresses: () => [address],
      isWanted: () => {
        const name = nameHere();
        if (name === undefined) return true;
        return name !== this.#roster.identity.name && this.#book?.of(name) === undefined;
      },
      dial: async (at, signal) => {
        const { isReached, name } = await this.#dial(at, signal);
        const candidate = this.#candidates.get(key);
        if (candidate !== undefined && name !== undefined) candidate.name = name;
        return isReached;
      },
    });
  }

  async #dial(
    address: PeerAddress,
    stopped: AbortSignal,
    wanted?: string,
  ): Promise<{ readonly isReached: boolean; readonly name?: string }> {
    const late = AbortSignal.timeout(this.#limits.handshakeTimeoutMs);
    const signal = AbortSignal.any([stopped, late]);
    const from = sourceAddressFor(this.#options.listen.host, address.host);
    const dialled = await dialPeer(address, this.#secureContext, this.#roster, signal, from);
    const at = `${address.host} port ${address.port}`;
    if ('failure' in dialled) return this.#failed(at, dialled.failure);
    const { socket, judgement } = dialled;
    if (!judgement.ok) {
      this.#sendAway(socket, judgement, at);
      return judgement.reason === 'self'
        ? { isReached: true, name: this.#roster.identity.name }
        : this.#failed(at, judgement.reason);
    }
    const { name } = judgement.proved;
    if (wanted !== undefined && name !== wanted) {
      const detail = `${quoted(wanted)} was dialled, and ${quoted(name)} is there`;
      this.#sendAway(socket, { ok: false, reason: 'name-mismatch', detail }, at);
      return this.#failed(at, detail);
    }
    if (this.#book?.of(name) !== undefined || signal.aborted || socket.destroyed) {
      socket.destroy();
      return { isReached: this.#book?.of(name) !== undefined, name };
    }
    const connection = new MeshConnection(socket, judgement.proved, this.#around);
    const isUp = await new Promise<boolean>((settled) => {
      this.#connections.set(connection, { settled });
      signal.addEventListener('abort', () => connection.isUp || connection.end('no session in time'));
    });
    return isUp || this.#book?.of(name) !== undefined
      ? { isReached: true, name }
      : { ...this.#failed(at, 'no session came of it'), name };
  }

  #failed(at: string, reason: string): { readonly isReached: false } {
    this.#tally.failedDials += 1;
    this.#options.log.debug({ at, reason }, 'a peer could not be reached');
    return { isReached: false };
  }

  /**
   * Ours is the lesser name: is this connection the session? The one that is there already is kept, unless the peer has
   * started again or knows that it has ended: then it is dead, though we have not noticed yet.
   */
  #choose(connection: MeshConnection): void {
    const current = this.#book?.of(connection.peer);
    const { hello } = connection;
    const isDead =
      hello?.sessionNonce !== current?.hello?.sessionNonce || hello?.endedSession === current?.sessionId;
    if (this.#book === undefined) connection.end('the node is starting');
    else if (current === undefined || isDead) connection.accept(randomBytes(ID_OCTETS).toString('hex'));
    else connection.end('another connection is the session');
  }

  #opened(connection: MeshConnection): void {
    const { peer } = connection;
    this.#book?.of(peer)?.end('replaced by a newer session');
    this.#openedAtMs.set(peer, performance.now());
    this.#connections.get(connection)?.settled(true);
    this.#book?.open(connection);
  }

  #ended(connection: MeshConnection, reason: string): void {
    const entry = this.#connections.get(connection);
    this.#connections.delete(connection);
    const { peer, sessionId } = connection;
    const hasLasted = performance.now() - (this.#openedAtMs.get(peer) ?? 0) > STEADY_MS;
    if (this.#book?.close(connection, reason)) {
      if (this.#roster.peers.has(peer)) this.#endedSessions.set(peer, sessionId);
      this.#openedAtMs.delete(peer);
      const loops = [this.#loops.get(peer), ...this.#candidatesOf(peer)];
      for (const loop of loops) {
        if (hasLasted) loop?.reset();
        loop?.startLater();
      }
    }
    entry?.settled(false);
  }

  #candidatesOf(peer: string): readonly DialLoop[] {
    return [...this.#candidates.values()].filter(({ name }) => name === peer).map(({ loop }) => loop);
  }
}
