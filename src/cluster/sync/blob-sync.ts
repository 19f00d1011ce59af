import { createHash, type Hash } from 'node:crypto';
import type { ReplicatedStore } from '../../store/replicated-store.ts';
import type { PeerSession } from '../transport/transport.ts';
import { BlobFetch } from './blob-fetch.ts';
import {
  type BlobChunk,
  type BlobFrame,
  CHUNK_OCTETS,
  encodeBlobFrame,
  parseBlobFrame,
} from './blob-messages.ts';
import type { SyncClock } from './sync-clock.ts';

export interface BlobSyncParts {
  readonly store: Pick<ReplicatedStore, 'copyBlob' | 'putBlob' | 'missingBlobs'>;
  readonly clock: SyncClock;
  /** A blob has come that a zone refers to: the zone can be served now. */
  readonly arrived: (hash: string) => void;
  /** Something that no peer of ours would send, as a whole sentence. */
  readonly refused: (refusal: { readonly peer: string; readonly reason: string }) => void;
}

export interface BlobCounters {
  readonly fetched: number;
  readonly chunksServed: number;
  readonly refusals: number;
}

/** One after the other: each may be half a gigabyte, and is in memory until it is whole. */
const MAX_FETCHES = 1;

/** Whoever lacks a blob may have it itself by then. */
const LACK_MS = 1000;

/** Whose blob turned out to be another is asked again then: it may have been damaged on its way to the disk. */
const MISTRUST_MS = 60_000;

/** A chunk is there in milliseconds or, on a slow link, seconds; then somebody else is asked. */
const CHUNK_TIMEOUT_MS = 30_000;

/** A disk that refused a blob may have room again then. */
const DISK_RETRY_MS = 5000;

/** LMDB gives blobs whole, so the one that is asked for is kept for as long as questions come. */
const KEEP_SERVED_MS = 10_000;

/** Answers that wait for a session with no room; the peer asks for fewer. */
const MAX_WAITING_ANSWERS = 64;

/** As for documents. */
const MAX_REFUSALS = 8;

interface BlobPeer {
  readonly session: PeerSession;
  /** Not to be asked for a blob before this time, by hash. */
  readonly notBeforeMs: Map<string, number>;
  /** Questions of the peer that wait for room on the session. */
  readonly questions: { readonly hash: string; readonly at: number }[];
  refusals: number;
}

/** Fetches the blobs that zones refer to and this node lacks, and serves its own to others. */
export class BlobSync {
  readonly #parts: BlobSyncParts;
  readonly #peers = new Map<PeerSession, BlobPeer>();
  #fetch: { readonly blob: BlobFetch; readonly sum: Hash; progressAtMs: number } | undefined;
  #putting = 0;
  /** As the store said last; undefined when that may have changed. */
  #missing: readonly string[] | undefined;
  #served: { readonly hash: string; readonly bytes: Uint8Array; untilMs: number } | undefined;
  #cancelTimer: (() => void) | undefined;
  #closed = false;
  #counters = { fetched: 0, chunksServed: 0, refusals: 0 };

  constructor(parts: BlobSyncParts) {
    this.#parts = parts;
  }

  up(session: PeerSession): void {
    this.#peers.set(session, { session, notBeforeMs: new Map(), questions: [], refusals: 0 });
    this.#goOn();
  }

  /** `value`: of a frame on the channel of blobs. */
  receive(session: PeerSession, value: unknown): void {
    const peer = this.#peers.get(session);
    const frame = parseBlobFrame(value);
    if (peer === undefined) return;
    if (frame === undefined) this.#refuse(peer, 'A frame about blobs is malformed.');
    else if (frame.kind === 'ask') this.#answerLater(peer, frame);
    else if (frame.kind === 'chunk') this.#take(peer, frame);
    else if (frame.hash === this.#fetch?.blob.hash) this.#noteLack(peer, frame.hash, LACK_MS);
    this.#goOn();
  }

  drained(session: PeerSession): void {
    const peer = this.#peers.get(session);
    if (peer !== undefined) this.#answer(peer);
    this.#goOn();
  }

  down(session: PeerSession): void {
    this.#peers.delete(session);
    if (this.#fetch?.blob.peer === session.peer) this.#fetch.blob.askFrom(undefined);
    this.#goOn();
  }

  counters(): BlobCounters {
    return { ...this.#counters };
  }

  close(): void {
    this.#closed = true;
    this.#cancelTimer?.();
    this.#peers.clear();
    this.#fetch = undefined;
    this.#served = undefined;
  }

  /** Looks again at what the zones refer to: to be called when zones may have changed. */
  look(): void {
    this.#missing = undefined;
    this.#goOn();
  }

  #goOn(): void {
    if (this.#closed) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const nowMs = this.#parts.clock.nowMs();
    this.#missing ??= this.#parts.store.missingBlobs();
    const missing = this.#missing;
    this.#chooseFetch(missing, nowMs);
    this.#ask(nowMs);
    if (this.#served !== undefined && this.#served.untilMs <= nowMs) this.#served = undefined;
    this.#rest(missing.length > 0 && this.#peers.size > 0, nowMs);
  }

  /** A blob that some peer may have; the one under way goes on while it is needed. */
  #chooseFetch(missing: readonly string[], nowMs: number): void {
    if (this.#putting >= MAX_FETCHES) return;
    if (this.#fetch !== undefined && !missing.includes(this.#fetch.blob.hash)) this.#fetch = undefined;
    if (this.#fetch !== undefined) {
      const { blob, progressAtMs } = this.#fetch;
      if (blob.peer !== undefined && nowMs - progressAtMs >= CHUNK_TIMEOUT_MS) {
        for (const peer of this.#peers.values())
          if (peer.session.peer === blob.peer) this.#noteLack(peer, blob.hash, CHUNK_TIMEOUT_MS);
      }
      if (blob.peer !== undefined || this.#askSomebody(this.#fetch.blob, nowMs)) return;
      // What is here of it is kept, unless another could be had whole.
      if (blob.octetsHere > 0 && !missing.some((hash) => this.#whoHas(hash, nowMs) !== undefined)) return;
    }
    for (const hash of missing) {
      const blob = new BlobFetch(hash);
      if (!this.#askSomebody(blob, nowMs)) continue;
      this.#fetch = { blob, sum: createHash('sha256'), progressAtMs: nowMs };
      return;
    }
    if (this.#fetch?.blob.octetsHere === 0) this.#fetch = undefined;
  }

  #askSomebody(blob: BlobFetch, nowMs: number): boolean {
    const peer = this.#whoHas(blob.hash, nowMs);
    if (peer === undefined) return false;
    blob.askFrom(peer.session.peer);
    if (this.#fetch?.blob === blob) this.#fetch.progressAtMs = nowMs;
    return true;
  }

  #whoHas(hash: string, nowMs: number): BlobPeer | undefined {
    return [...this.#peers.values()].find(({ notBeforeMs }) => (notBeforeMs.get(hash) ?? 0) <= nowMs);
  }

  #ask(nowMs: number): void {
    const fetch = this.#fetch;
    const peer = [...this.#peers.values()].find(({ session }) => session.peer === fetch?.blob.peer);
    if (fetch === undefined || peer === undefined) return;
    for (let at = fetch.blob.wanted(); at !== undefined; at = fetch.blob.wanted()) {
      if (!peer.session.send(encodeBlobFrame({ kind: 'ask', hash: fetch.blob.hash, at }))) return;
      fetch.blob.asked();
      fetch.progressAtMs = nowMs;
    }
  }

  #take(peer: BlobPeer, chunk: BlobChunk): void {
    const fetch = this.#fetch;
    // Of a fetch that was given up: on its way already.
    if (fetch === undefined || fetch.blob.hash !== chunk.hash || fetch.blob.peer !== peer.session.peer)
      return;
    const took = fetch.blob.take(peer.session.peer, chunk);
    if (took === 'unexpected') {
      fetch.blob.askFrom(undefined);
      this.#noteLack(peer, chunk.hash, MISTRUST_MS);
      this.#refuse(peer, `A chunk of blob ${chunk.hash} is not the one that was asked for.`);
      return;
    }
    fetch.progressAtMs = this.#parts.clock.nowMs();
    // As it comes: to hash half a gigabyte at the end would stop everything for a second.
    fetch.sum.update(chunk.octets);
    if (took !== 'whole') return;
    this.#fetch = undefined;
    if (fetch.sum.digest('hex') === chunk.hash) void this.#put(chunk.hash, fetch.blob.join());
    else this.#mistrust(fetch.blob);
  }

  /** With several sources nobody knows whose chunk is wrong: each is asked for all of it, later. */
  #mistrust(blob: BlobFetch): void {
    for (const peer of this.#peers.values()) {
      if (!blob.sources.has(peer.session.peer)) continue;
      this.#noteLack(peer, blob.hash, blob.sources.size > 1 ? LACK_MS : MISTRUST_MS);
      this.#refuse(peer, `What came as blob ${blob.hash} has another hash.`);
    }
  }

  async #put(hash: string, bytes: Uint8Array): Promise<void> {
    this.#putting += 1;
    try {
      await this.#parts.store.putBlob(bytes, hash);
      this.#counters.fetched += 1;
      if (!this.#closed) this.#parts.arrived(hash);
    } catch {
      // A full disk says so at every commit, too; the blob is fetched again later.
      const untilMs = this.#parts.clock.nowMs() + DISK_RETRY_MS;
      for (const { notBeforeMs } of this.#peers.values()) notBeforeMs.set(hash, untilMs);
    }
    this.#putting -= 1;
    this.look();
  }

  #noteLack(peer: BlobPeer, hash: string, forMs: number): void {
    peer.notBeforeMs.set(hash, this.#parts.clock.nowMs() + forMs);
    if (this.#fetch?.blob.hash === hash && this.#fetch.blob.peer === peer.session.peer)
      this.#fetch.blob.askFrom(undefined);
  }

  #answerLater(peer: BlobPeer, { hash, at }: { readonly hash: string; readonly at: number }): void {
    if (peer.questions.length >= MAX_WAITING_ANSWERS) {
      this.#refuse(peer, 'More chunks are asked for than a node asks for.');
      return;
    }
    peer.questions.push({ hash, at });
    this.#answer(peer);
  }

  #answer(peer: BlobPeer): void {
    while (peer.questions[0] !== undefined) {
      if (!peer.session.send(encodeBlobFrame(this.#answerTo(peer.questions[0])))) return;
      peer.questions.shift();
      this.#counters.chunksServed += 1;
    }
  }

  #answerTo({ hash, at }: { readonly hash: string; readonly at: number }): BlobFrame {
    const bytes = this.#serve(hash);
    if (bytes === undefined || at > bytes.length) return { kind: 'lacks', hash };
    return { kind: 'chunk', hash, at, length: bytes.length, octets: bytes.subarray(at, at + CHUNK_OCTETS) };
  }

  #serve(hash: string): Uint8Array | undefined {
    const untilMs = this.#parts.clock.nowMs() + KEEP_SERVED_MS;
    if (this.#served?.hash === hash) {
      this.#served.untilMs = untilMs;
      return this.#served.bytes;
    }
    const bytes = this.#parts.store.copyBlob(hash);
    if (bytes !== undefined) this.#served = { hash, bytes, untilMs };
    return bytes;
  }

  #refuse(peer: BlobPeer, reason: string): void {
    this.#counters.refusals += 1;
    this.#parts.refused({ peer: peer.session.peer, reason });
    peer.refusals += 1;
    if (peer.refusals >= MAX_REFUSALS) peer.session.close(`sent ${MAX_REFUSALS} things that were refused`);
  }

  /** Looks again soon while something is missing, and lets go of what was served once nobody asks. */
  #rest(isMissing: boolean, nowMs: number): void {
    const servedMs = this.#served === undefined ? Infinity : this.#served.untilMs - nowMs;
    const waitMs = Math.min(isMissing ? LACK_MS : Infinity, servedMs);
    if (waitMs === Infinity) return;
    this.#cancelTimer = this.#parts.clock.after(Math.max(1, waitMs), () => this.#goOn());
  }
}
