import type { Config } from '../../config/model.ts';
import { reasonOf } from '../../config/problem.ts';
import { isDocumentId, ROOT_DOCUMENT } from '../../store/document.ts';
import type { ReplicatedStore } from '../../store/replicated-store.ts';
import type { PeerSession } from '../transport/transport.ts';
import {
  type DocumentEntry,
  encodeDocuments,
  type Heads,
  joinHeads,
  MAX_ENTRIES_PER_FRAME,
  ONLY_HEADS,
  REFUSED,
} from './document-messages.ts';
import { DocumentPeer, type Inbound } from './document-peer.ts';
import { type Behind, type Due, PeerDocuments } from './peer-documents.ts';
import { Publications } from './publications.ts';
import type { SyncClock } from './sync-clock.ts';

/** What is told about refusals; the caller logs it. */
export interface Refusal {
  readonly peer: string;
  /** Undefined for a frame of which no document could be made out. */
  readonly document: string | undefined;
  /** A whole sentence. */
  readonly reason: string;
}

export interface DocumentSyncParts {
  readonly store: Pick<ReplicatedStore, 'heads' | 'openExchange' | 'receive' | 'generate' | 'onDurable'>;
  readonly clock: SyncClock;
  /**
   * Called with the configuration after something was taken in; what is taken in while it is under way comes with the
   * next call. It must not reject.
   */
  readonly publish: (config: Config) => Promise<void> | void;
  readonly refused: (refusal: Refusal) => void;
}

export interface DocumentCounters {
  readonly messagesSent: number;
  readonly messagesReceived: number;
  /** Flushes' worth of them: many messages in one batch make one publication. */
  readonly batchesReceived: number;
  readonly refusals: number;
}

interface Batch {
  readonly peer: DocumentPeer;
  readonly entries: readonly Inbound[];
}

/** Messages made for one peer before the next peer has its turn. */
const MOST_PER_TURN = 16;

/** Large documents take a busy peer seconds; a minute of silence while it owes an answer is a broken peer. */
export const MAX_SILENCE_MS = 60_000;

/** Keeps the documents of a store equal with those of its peers; see `peer-documents.ts` for who is told what. */
export class DocumentSync {
  readonly #parts: DocumentSyncParts;
  readonly #peers = new Map<PeerSession, DocumentPeer>();
  /** Peers of whom messages about a document are being taken in. */
  readonly #takingIn = new Map<string, Set<DocumentPeer>>();
  readonly #publications: Publications;
  readonly #stopListening: () => void;
  #running = false;
  #again = false;
  #closed = false;
  #cancelTimer: (() => void) | undefined;
  #counters = { messagesSent: 0, messagesReceived: 0, batchesReceived: 0, refusals: 0 };

  constructor(parts: DocumentSyncParts) {
    this.#parts = parts;
    this.#publications = new Publications(parts.publish);
    this.#stopListening = parts.store.onDurable((documents, written) => this.#changed(documents, written));
  }

  up(session: PeerSession): void {
    const nowMs = this.#parts.clock.nowMs();
    const { store } = this.#parts;
    const documents = new PeerDocuments((document) => this.#heads(document));
    const peer = new DocumentPeer(
      { session, documents, exchange: store.openExchange() },
      [...store.heads().keys()],
      nowMs,
    );
    this.#peers.set(session, peer);
    this.#wake();
  }

  /** `value`: of a frame on the channel of documents. */
  receive(session: PeerSession, value: unknown): void {
    const peer = this.#peers.get(session);
    if (peer === undefined || peer.hasEnded) return;
    peer.lastHeardMs = this.#parts.clock.nowMs();
    if (!peer.accept(value)) this.#refuse(peer, undefined, 'A frame about documents is malformed.');
    this.#wake();
  }

  drained(session: PeerSession): void {
    this.#peers.get(session)?.flush();
    this.#wake();
  }

  down(session: PeerSession): void {
    this.#peers.get(session)?.forget();
    this.#peers.delete(session);
  }

  /** How far apart each peer with a session is; `sinceMs` is by the clock that was given. */
  behind(): ReadonlyMap<string, Behind> {
    return new Map([...this.#peers.values()].map((peer) => [peer.session.peer, peer.documents.behind()]));
  }

  counters(): DocumentCounters {
    return { ...this.#counters };
  }

  close(): void {
    this.#closed = true;
    this.#stopListening();
    this.#cancelTimer?.();
    for (const peer of this.#peers.values()) peer.forget();
    this.#peers.clear();
  }

  #heads(document: string): Heads {
    return joinHeads(this.#parts.store.heads().get(document));
  }

  /** Root last: it must not be told before the zones that came with it. */
  #changed(documents: readonly string[], written: ReadonlySet<string>): void {
    const nowMs = this.#parts.clock.nowMs();
    for (const peer of this.#peers.values()) {
      for (const document of documents) {
        // Whoever it came from is answered when the batch is through.
        if (this.#takingIn.get(document)?.has(peer) === true) continue;
        peer.documents.changed(document, written.has(document) ? 'own' : 'peer', nowMs);
      }
    }
    this.#wake();
  }

  #wake(): void {
    this.#again = true;
    if (this.#running || this.#closed) return;
    this.#running = true;
    void this.#run();
  }

  /** One at a time, so that what comes in the meantime is taken in together. */
  async #run(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    // Whatever else arrives in this turn of the event loop comes along.
    await Promise.resolve();
    while (this.#again && !this.#closed) {
      this.#again = false;
      if (await this.#takeIn()) this.#again = true;
      for (const peer of [...this.#peers.values()]) if (await this.#tell(peer)) this.#again = true;
    }
    this.#running = false;
    if (!this.#closed) this.#rest();
  }

  /** Sleeps until something is to be pulled, or somebody has been silent for too long. */
  #rest(): void {
    const nowMs = this.#parts.clock.nowMs();
    let wakeAtMs = Infinity;
    for (const peer of this.#peers.values()) {
      if (peer.hasEnded) continue;
      if (peer.documents.isAwaiting) {
        const silentAtMs = peer.lastHeardMs + MAX_SILENCE_MS;
        if (silentAtMs <= nowMs) peer.end(`owes an answer about documents for ${MAX_SILENCE_MS / 1000} s`);
        else wakeAtMs = Math.min(wakeAtMs, silentAtMs);
      }
      if (!peer.isBlocked) wakeAtMs = Math.min(wakeAtMs, peer.wakeAtMs(nowMs));
    }
    if (wakeAtMs === Infinity) return;
    this.#cancelTimer = this.#parts.clock.after(Math.max(1, wakeAtMs - nowMs), () => this.#wake());
  }

  /** Takes in what has come from all peers, together; of root after the rest. Whether there was anything. */
  async #takeIn(): Promise<boolean> {
    const peers = [...this.#peers.values()];
    const ofZones = peers.filter((peer) => peer.hasInbound);
    await this.#receive(ofZones.map((peer) => ({ peer, entries: peer.takeInbound() })));
    const nowMs = this.#parts.clock.nowMs();
    const ofRoot = peers.filter((peer) => peer.hasInboundRoot && !peer.documents.holdsRoot(nowMs));
    await this.#receive(ofRoot.map((peer) => ({ peer, entries: peer.takeInboundRoot() })));
    return ofZones.length + ofRoot.length > 0;
  }

  async #receive(batches: readonly Batch[]): Promise<void> {
    const taken = await Promise.all(batches.map((batch) => this.#receiveBatch(batch)));
    const newest = taken.flatMap((config) => config ?? []).at(-1);
    if (newest !== undefined) this.#publications.add(newest);
  }

  /** The configuration after it, where it changed something. */
  async #receiveBatch({ peer, entries }: Batch): Promise<Config | undefined> {
    const messages = entries.flatMap((entry) => {
      if (entry === 'end' || entry.content.kind !== 'message') return [];
      return isDocumentId(entry.document)
        ? [{ document: entry.document, message: entry.content.message }]
        : [];
    });
    let refused = new Map<string, string>();
    let config: Config | undefined;
    if (messages.length > 0) {
      for (const { document } of messages) this.#note(document, peer);
      try {
        const received = await this.#parts.store.receive(peer.exchange, messages);
        refused = new Map(received.refused.map(({ document, reason }) => [document, reason]));
        if (received.changed.length > 0) config = received.config;
        this.#counters.messagesReceived += messages.length;
        this.#counters.batchesReceived += 1;
      } catch (thrown) {
        // The disk refused. Whoever comes back later finds out by the heads what is missing.
        peer.end(`could not be taken in from: ${reasonOf(thrown)}`);
        return undefined;
      } finally {
        for (const { document } of messages) this.#takingIn.get(document)?.delete(peer);
        for (const { document } of messages)
          if (this.#takingIn.get(document)?.size === 0) this.#takingIn.delete(document);
      }
    }
    if (!peer.hasEnded) this.#hear(peer, entries, refused);
    return config;
  }

  #note(document: string, peer: DocumentPeer): void {
    const known = this.#takingIn.get(document);
    if (known === undefined) this.#takingIn.set(document, new Set([peer]));
    else known.add(peer);
  }

  #hear(peer: DocumentPeer, entries: readonly Inbound[], refused: ReadonlyMap<string, string>): void {
    const nowMs = this.#parts.clock.nowMs();
    const declined: DocumentEntry[] = [];
    for (const entry of entries) {
      if (entry === 'end') {
        peer.documents.hearEnd();
        continue;
      }
      const { document, heads, content } = entry;
      const isMessage = content.kind === 'message';
      const reason = isMessage ? refused.get(document) : undefined;
      // A newer version may have documents that this one does not know.
      const isKnown = isDocumentId(document);
      if (isKnown) {
        const hearing = reason === undefined ? content.kind : 'heads';
        if (peer.documents.hear(document, heads, hearing, nowMs) === 'full') {
          peer.end('told more documents than a node may have');
          return;
        }
      }
      if (reason !== undefined) {
        peer.documents.refuse(document);
        this.#refuse(peer, document, reason);
      }
      if (isMessage && (!isKnown || reason !== undefined))
        declined.push({ document, heads: this.#heads(document), content: REFUSED });
    }
    if (declined.length > 0) peer.send(encodeDocuments(declined, 'more'));
  }

  #refuse(peer: DocumentPeer, document: string | undefined, reason: string): void {
    this.#counters.refusals += 1;
    this.#parts.refused({ peer: peer.session.peer, document, reason });
    peer.noteRefusal();
  }

  /** One turn of telling a peer what is due. Whether there may be more. */
  async #tell(peer: DocumentPeer): Promise<boolean> {
    if (peer.hasEnded || peer.isBlocked) return false;
    const told = this.#tellHeads(peer);
    if (peer.isBlocked) return false;
    const entries: DocumentEntry[] = [];
    // Root is made first and goes last: whatever it says of zones, their documents are made after it.
    const due = peer.documents.take(MOST_PER_TURN, this.#parts.clock.nowMs());
    const root = due.find(({ document }) => document === ROOT_DOCUMENT);
    if (root !== undefined) await this.#make(peer, [root]);
    await this.#make(
      peer,
      due.filter((one) => one !== root),
      entries,
    );
    // Zones that were made while root was: they go along.
    if (root !== undefined) await this.#make(peer, peer.documents.takeZones(MOST_PER_TURN), entries);
    if (peer.hasEnded) return true;
    entries.push(...peer.takeMadeRoot(this.#parts.clock.nowMs()));
    if (entries.length > 0) peer.send(encodeDocuments(entries, 'more'));
    return told || entries.length > 0;
  }

  /** Makes what is due, in order; what is said of root is kept for its time. */
  async #make(peer: DocumentPeer, due: readonly Due[], entries: DocumentEntry[] = []): Promise<void> {
    for (const one of due) {
      const entry = await this.#entryFor(peer, one);
      if (peer.hasEnded || entry === undefined) continue;
      if (one.document === ROOT_DOCUMENT) peer.keepMadeRoot(entry, this.#parts.clock.nowMs());
      else entries.push(entry);
    }
  }

  /** The next page of the first telling. Whether there was one. */
  #tellHeads(peer: DocumentPeer): boolean {
    if (peer.toldAll) return false;
    const nowMs = this.#parts.clock.nowMs();
    const page = peer.untold.splice(0, MAX_ENTRIES_PER_FRAME).map((document): DocumentEntry => {
      const heads = this.#heads(document);
      peer.documents.sent({ document, kind: 'heads' }, 'heads', heads, nowMs);
      return { document, heads, content: ONLY_HEADS };
    });
    peer.toldAll = peer.untold.length === 0;
    peer.send(encodeDocuments(page, peer.toldAll ? 'last' : 'more'));
    return true;
  }

  /** What to say about one document; undefined when the peer needs nothing. */
  async #entryFor(peer: DocumentPeer, due: Due): Promise<DocumentEntry | undefined> {
    const { document, kind } = due;
    const { store, clock } = this.#parts;
    let message: Uint8Array | undefined;
    if (kind === 'exchange') {
      try {
        if (peer.documents.mustStartOver(document)) peer.exchange.restart(document);
        message = await store.generate(peer.exchange, document);
      } catch (thrown) {
        peer.end(`cannot be told of ${document}: ${reasonOf(thrown)}`);
        return undefined;
      }
    }
    const heads = this.#heads(document);
    if (message !== undefined) {
      this.#counters.messagesSent += 1;
      peer.documents.sent(due, 'message', heads, clock.nowMs());
      return { document, heads, content: { kind: 'message', message } };
    }
    const mustTell = peer.documents.mustTell(due, heads);
    peer.documents.sent(due, mustTell ? 'heads' : 'nothing', heads, clock.nowMs());
    return mustTell ? { document, heads, content: ONLY_HEADS } : undefined;
  }
}
