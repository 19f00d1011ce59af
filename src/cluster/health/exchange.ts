import type { VantageSeat } from '../../health/consensus.ts';
import type { Observation } from '../../health/observation.ts';
import { encodeFrame } from '../frame.ts';
import type { PeerSession } from '../transport/transport.ts';
import { type Arrival, Inbox, type InboxCounts } from './inbox.ts';
import { type LiveVerdict, MAX_LIVE_NEWS, readLive, writeLive } from './live-news.ts';
import { Outbox, type SourceTargets } from './outbox.ts';
import { PeerLine, type SentCounts } from './peer-line.ts';
import { type ClusterNode, Presence } from './presence.ts';

/** What is not urgent waits so long for others: 20 frames a second, whatever the number of endpoints. */
export const FLUSH_MS = 50;

/** Two clocks, and timers; tests bring their own. */
export interface ExchangeClock {
  /** Milliseconds from an arbitrary start; only goes forward. */
  monotonicMs(): number;
  /** Milliseconds since the epoch, by the clock of the machine, which may be set. */
  epochMs(): number;
  /** Calls back once after `delayMs`, 0 for the next turn; the returned function cancels. */
  setTimer(delayMs: number, callback: () => void): () => void;
}

export interface ObservationExchangeOptions {
  /** This node's name. */
  readonly node: string;
  readonly clock: ExchangeClock;
  /** What other nodes have observed of sources that the configuration has. */
  readonly onObservations: (arrivals: readonly Arrival[]) => void;
  /** The nodes, or which of them are away, are others than before. */
  readonly onSeats: (seats: readonly VantageSeat[]) => void;
  /** A node answers by these verdicts. */
  readonly onLive: (node: string, news: readonly LiveVerdict[]) => void;
}

/** Since the start; `sources` and `peers` are of now. */
export interface ExchangeCounters extends Readonly<InboxCounts>, Readonly<SentCounts> {
  /** Own sources of which something was observed. */
  readonly sources: number;
  readonly peers: number;
}

interface Peer {
  readonly line: PeerLine;
  readonly inbox: Inbox;
}

/**
 * Shared health: what this node observes goes to all peers, and what they observe to the board.
 *
 *     own vantage --> takeOwn --> outbox --(FLUSH_MS, or the next turn)--> one frame --> line of each peer --> session
 *     board <-- onObservations <-- inbox of the session <-- onFrame <-- session
 *
 * Observations travel outside the documents and are never kept: whoever is new gets the newest of everything.
 */
export class ObservationExchange {
  readonly #options: ObservationExchangeOptions;
  readonly #outbox = new Outbox();
  readonly #presence: Presence;
  readonly #peers = new Map<PeerSession, Peer>();
  readonly #counts: InboxCounts = { rows: 0, again: 0, refused: 0, strange: 0 };
  readonly #sent: SentCounts = { framesSent: 0, octetsSent: 0 };
  #targets: SourceTargets = new Map();
  #live: LiveVerdict[] = [];
  #sequence = 0;
  #seatsTold = '';
  #cancelFlush: (() => void) | undefined;
  /** Whether the flush is due in the next turn. */
  #isSoon = false;
  #cancelTurn: (() => void) | undefined;
  #cancelPresence: (() => void) | undefined;

  constructor(options: ObservationExchangeOptions) {
    this.#options = options;
    this.#presence = new Presence(options.node);
  }

  /** Replaces the nodes that should vote, this one among them: those of the configuration that are not removed. */
  setNodes(nodes: readonly ClusterNode[]): void {
    this.#presence.follow(nodes, this.#monotonicMs());
    this.#tellSeats();
  }

  /** Follows the sources of the configuration, probed and pushed: what is observed where, by key. */
  setSources(targets: SourceTargets): void {
    this.#targets = targets;
    const gone = this.#outbox.follow(targets);
    const nowMs = this.#options.clock.epochMs();
    for (const { line, inbox } of this.#peers.values()) {
      line.forget(gone);
      this.#tell(inbox.follow(targets, nowMs));
      if (inbox.takeMissed()) line.ask();
    }
    this.#turn();
  }

  /** Takes in what this node's own vantage, or an endpoint that reports to it, has said. */
  takeOwn(observations: readonly Observation[]): void {
    const nowMs = this.#monotonicMs();
    let urgent = false;
    for (const observation of observations) if (this.#outbox.take(observation, nowMs)) urgent = true;
    if (!this.#outbox.isEmpty) this.#flushIn(urgent ? 0 : FLUSH_MS);
  }

  /** Tells the peers that this node answers by a verdict. */
  tellLive(news: LiveVerdict): void {
    this.#live.push(news);
    if (this.#live.length > MAX_LIVE_NEWS) this.#live.shift();
    this.#flushIn(0);
  }

  onUp(session: PeerSession): void {
    const line = new PeerLine(session, this.#sent);
    const inbox = new Inbox(session.peer, this.#targets, {
      nextSequence: () => this.#nextSequence(),
      counts: this.#counts,
    });
    this.#peers.set(session, { line, inbox });
    line.owe(this.#outbox.all());
    this.#turn();
    this.#presence.up(session.peer);
    this.#tellSeats();
  }

  /** `value` is that of a frame of channel `observations`. */
  onFrame(session: PeerSession, value: unknown): void {
    const peer = this.#peers.get(session);
    if (peer === undefined) return;
    if (!isObject(value)) {
      this.#counts.refused += 1;
      return;
    }
    const nowMs = this.#options.clock.epochMs();
    if (value.kind === 'observations') this.#tell(peer.inbox.take(value, nowMs));
    else if (value.kind === 'live') {
      const { news, refused } = readLive(value, nowMs);
      this.#counts.refused += refused;
      if (news.length > 0) this.#options.onLive(session.peer, news);
    }
    if (value.kind === 'ask') {
      peer.line.answer(this.#outbox.all(), this.#monotonicMs());
      this.#turn();
    }
    // Any other kind is of a newer version, which does not count on being understood.
  }

  onDrain(session: PeerSession): void {
    this.#peers.get(session)?.line.drained();
    this.#turn();
  }

  onDown(session: PeerSession): void {
    if (!this.#peers.delete(session)) return;
    const stillUp = [...this.#peers.keys()].some(({ peer }) => peer === session.peer);
    if (!stillUp) this.#presence.down(session.peer, this.#monotonicMs());
    this.#tellSeats();
  }

  counters(): ExchangeCounters {
    return {
      ...this.#counts,
      ...this.#sent,
      sources: this.#outbox.size,
      peers: this.#peers.size,
    };
  }

  close(): void {
    this.#cancelFlush?.();
    this.#cancelTurn?.();
    this.#cancelPresence?.();
    this.#peers.clear();
  }

  #flushIn(delayMs: number): void {
    if (this.#cancelFlush !== undefined && (this.#isSoon || delayMs > 0)) return;
    this.#cancelFlush?.();
    this.#isSoon = delayMs === 0;
    this.#cancelFlush = this.#options.clock.setTimer(delayMs, () => {
      this.#cancelFlush = undefined;
      this.#flush();
    });
  }

  /** Encodes once what all peers get. */
  #flush(): void {
    const nowMs = this.#monotonicMs();
    const batches = this.#outbox.takeBatches(nowMs);
    const live = this.#live;
    this.#live = [];
    if (this.#peers.size === 0) return;
    for (const batch of batches) {
      const frame = encodeFrame('observations', batch.value);
      for (const { line } of this.#peers.values()) line.sendToAll(frame, batch);
    }
    if (live.length > 0) {
      const frame = encodeFrame('observations', writeLive(live, this.#options.clock.epochMs()));
      for (const { line } of this.#peers.values()) line.sendLive(frame, live);
    }
    this.#turn();
  }

  /** Sends what is owed, a part for each peer at a turn, so that a new peer does not hold up the others. */
  #turn(): void {
    if (this.#cancelTurn !== undefined) return;
    if (!Array.from(this.#peers.values()).some(({ line }) => line.wantsTurn)) return;
    this.#cancelTurn = this.#options.clock.setTimer(0, () => {
      this.#cancelTurn = undefined;
      const nowMs = this.#options.clock.epochMs();
      for (const { line } of this.#peers.values())
        if (line.wantsTurn) line.takeTurn(this.#monotonicMs(), nowMs);
      this.#turn();
    });
  }

  #tell(arrivals: readonly Arrival[]): void {
    if (arrivals.length > 0) this.#options.onObservations(arrivals);
  }

  #tellSeats(): void {
    const nowMs = this.#monotonicMs();
    const seats = this.#presence.seats(nowMs);
    const text = JSON.stringify(seats);
    if (text !== this.#seatsTold) {
      this.#seatsTold = text;
      this.#options.onSeats(seats);
    }
    this.#cancelPresence?.();
    const nextMs = this.#presence.nextChangeMs(nowMs);
    this.#cancelPresence =
      nextMs === undefined
        ? undefined
        : this.#options.clock.setTimer(Math.ceil(nextMs), () => this.#tellSeats());
  }

  #nextSequence(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  #monotonicMs(): number {
    return this.#options.clock.monotonicMs();
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
