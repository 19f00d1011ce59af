import type { Logger } from '../../observe/log.ts';
import type { Tally } from './tally.ts';
import type { PeerSession, TransportListener } from './transport.ts';

/** The sessions that are up, one for each peer, and what their listener is told about them. */
export class SessionBook<Session extends PeerSession> {
  readonly #listener: TransportListener;
  readonly #tally: Tally;
  readonly #log: Logger;
  readonly #sessions = new Map<string, Session>();
  readonly #seenBefore = new Set<string>();

  constructor(listener: TransportListener, tally: Tally, log: Logger) {
    this.#listener = listener;
    this.#tally = tally;
    this.#log = log;
  }

  of(peer: string): Session | undefined {
    return this.#sessions.get(peer);
  }

  all(): readonly Session[] {
    return [...this.#sessions.values()];
  }

  /** One that is there already has to be closed first, so that the listener never sees two. */
  open(session: Session): void {
    const { peer, protocol, version } = session;
    this.#sessions.set(peer, session);
    this.#tally.sessionsOpened += 1;
    if (this.#seenBefore.has(peer)) this.#tally.reconnects += 1;
    this.#seenBefore.add(peer);
    this.#log.info({ peer, protocol, version }, 'session with a peer is up');
    this.#tell(session, () => this.#listener.onUp(session));
  }

  /** Whether it was a session. */
  close(session: Session, reason: string): boolean {
    if (this.#sessions.get(session.peer) !== session) return false;
    this.#sessions.delete(session.peer);
    this.#tally.sessionsClosed += 1;
    this.#log.info({ peer: session.peer, reason }, 'session with a peer has ended');
    this.#tell(session, () => this.#listener.onDown(session, reason));
    return true;
  }

  frame(session: Session, frame: Uint8Array): void {
    this.#tally.framesReceived += 1;
    this.#tell(session, () => this.#listener.onFrame(session, frame));
  }

  drain(session: Session): void {
    this.#tell(session, () => this.#listener.onDrain(session));
  }

  /** A peer that left the cluster is no reconnect when another of its name comes. */
  forgetAllBut(peers: ReadonlyMap<string, unknown>): void {
    for (const peer of this.#seenBefore) if (!peers.has(peer)) this.#seenBefore.delete(peer);
  }

  /** A listener that throws has a bug; its session ends, and the other peers' go on. */
  #tell(session: Session, tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#log.error({ peer: session.peer, err: error }, 'a listener of sessions failed');
      session.close('internal error');
    }
  }
}
