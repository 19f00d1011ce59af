import { ROOT_DOCUMENT } from '../../store/document.ts';
import type { SyncExchange } from '../../store/sync-exchange.ts';
import type { PeerSession } from '../transport/transport.ts';
import { type DocumentEntry, entryOctets, parseDocumentFrame } from './document-messages.ts';
import { PartAssembly } from './part-assembly.ts';
import { MAX_ROOT_HOLD_MS, type PeerDocuments } from './peer-documents.ts';

/**
 * What a peer may send ahead of what we have taken in: it has 128 messages unanswered at the most, of some hundred
 * kilobytes each when whole documents travel.
 */
const MAX_INBOUND_OCTETS = 134_217_728;

/** What an entry takes in memory beside its octets: a frame may have thousands with next to none. */
const ENTRY_OCTETS = 512;

/**
 * One batch is taken in with one flush, and the event loop sees to others between two batches: whole documents, which
 * come compressed, have a thousand RRsets in 10 KB and take 50 ms each; of single changes there are hundreds in this.
 */
const MAX_BATCH_OCTETS = 65_536;

/** A version that nobody thought of may send something odd now and then; more is no peer. */
const MAX_REFUSALS = 8;

/** One document's entry, or the end of the first telling. */
export type Inbound = DocumentEntry | 'end';

/** What has come from one peer and waits to be taken in, or goes out to it; for the time of one session. */
export class DocumentPeer {
  readonly session: PeerSession;
  readonly documents: PeerDocuments;
  readonly exchange: SyncExchange;
  lastHeardMs: number;
  /** Ids that are still to be told in the first round. */
  untold: string[];
  /** Whether `last` has gone out. */
  toldAll = false;
  /** Frames that the transport did not take yet, in order. */
  readonly #outbound: Uint8Array[] = [];
  readonly #inbound: Inbound[] = [];
  /** What was said of the root document, which waits for what was said of the others. */
  readonly #inboundRoot: DocumentEntry[] = [];
  /** What is to be said of the root document, made but not sent yet, the oldest first. */
  readonly #madeRoot: DocumentEntry[] = [];
  #madeRootAtMs = 0;
  readonly #parts = new PartAssembly();
  #inboundOctets = 0;
  #refusals = 0;
  #ended = false;

  constructor(
    given: {
      readonly session: PeerSession;
      readonly documents: PeerDocuments;
      readonly exchange: SyncExchange;
    },
    untold: string[],
    nowMs: number,
  ) {
    this.session = given.session;
    this.documents = given.documents;
    this.exchange = given.exchange;
    this.untold = untold;
    this.lastHeardMs = nowMs;
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Whether frames wait for the transport: nothing more is made for this peer until they are gone. */
  get isBlocked(): boolean {
    return this.#outbound.length > 0;
  }

  get hasInbound(): boolean {
    return this.#inbound.length > 0;
  }

  get hasInboundRoot(): boolean {
    return this.#inboundRoot.length > 0;
  }

  /** Takes a frame in; false when it is none of ours. */
  accept(value: unknown): boolean {
    const frame = parseDocumentFrame(value);
    if (frame === undefined) return false;
    if (frame.kind === 'documents') {
      for (const entry of frame.entries) this.#push(entry);
      if (frame.last) this.#inbound.push('end');
    } else {
      const assembled = this.#parts.add(frame.part);
      if (assembled.kind === 'misfit') return false;
      if (assembled.kind === 'whole') this.#push(assembled.entry);
    }
    if (this.#inboundOctets + this.#parts.waitingOctets > MAX_INBOUND_OCTETS)
      this.end('sends more about documents than was asked for');
    return true;
  }

  /** What came first, up to a batch. */
  takeInbound(): readonly Inbound[] {
    let count = 0;
    let octets = 0;
    for (const item of this.#inbound) {
      octets += item === 'end' ? 0 : entryOctets(item);
      if (count > 0 && octets > MAX_BATCH_OCTETS) break;
      count += 1;
      this.#inboundOctets -= item === 'end' ? 0 : entryOctets(item) + ENTRY_OCTETS;
    }
    return this.#inbound.splice(0, count);
  }

  takeInboundRoot(): readonly DocumentEntry[] {
    for (const entry of this.#inboundRoot) this.#inboundOctets -= entryOctets(entry) + ENTRY_OCTETS;
    return this.#inboundRoot.splice(0);
  }

  /** Root may speak of zones that were made after it was found due: it waits until the peer has something of each. */
  keepMadeRoot(entry: DocumentEntry, nowMs: number): void {
    if (this.#madeRoot.length === 0) this.#madeRootAtMs = nowMs;
    this.#madeRoot.push(entry);
  }

  takeMadeRoot(nowMs: number): readonly DocumentEntry[] {
    const mustWait = this.documents.lacksZones && nowMs - this.#madeRootAtMs < MAX_ROOT_HOLD_MS;
    return mustWait ? [] : this.#madeRoot.splice(0);
  }

  /** When something may be due without anything happening. */
  wakeAtMs(nowMs: number): number {
    const madeRootAtMs = this.#madeRoot.length > 0 ? this.#madeRootAtMs + MAX_ROOT_HOLD_MS : Infinity;
    return Math.min(madeRootAtMs, this.documents.wakeAtMs(nowMs) ?? Infinity);
  }

  /** Sends frames, or keeps them until the transport has room. */
  send(frames: readonly Uint8Array[]): void {
    this.#outbound.push(...frames);
    this.flush();
  }

  flush(): void {
    while (!this.#ended && this.#outbound[0] !== undefined) {
      if (!this.session.send(this.#outbound[0])) return;
      this.#outbound.shift();
    }
  }

  /** Counts something that no peer of ours would send. */
  noteRefusal(): void {
    this.#refusals += 1;
    if (this.#refusals >= MAX_REFUSALS) this.end(`sent ${MAX_REFUSALS} things that were refused`);
  }

  /** Closes the session; a new one begins anew. */
  end(reason: string): void {
    if (this.#ended) return;
    this.forget();
    this.session.close(reason);
  }

  /** The session is gone. */
  forget(): void {
    this.#ended = true;
    this.#outbound.length = 0;
    this.#inbound.length = 0;
    this.#inboundRoot.length = 0;
    this.exchange.close();
  }

  #push(entry: DocumentEntry): void {
    (entry.document === ROOT_DOCUMENT ? this.#inboundRoot : this.#inbound).push(entry);
    this.#inboundOctets += entryOctets(entry) + ENTRY_OCTETS;
  }
}
