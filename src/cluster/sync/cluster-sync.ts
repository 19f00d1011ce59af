import type { Config } from '../../config/model.ts';
import { ROOT_DOCUMENT } from '../../store/document.ts';
import type { ReplicatedStore } from '../../store/replicated-store.ts';
import type { Frame } from '../frame.ts';
import type { PeerSession } from '../transport/transport.ts';
import { type BlobCounters, BlobSync } from './blob-sync.ts';
import { type DocumentCounters, DocumentSync, type Refusal } from './document-sync.ts';
import type { Behind } from './peer-documents.ts';
import type { SyncClock } from './sync-clock.ts';

/** What synchronisation needs of a store. */
export type SyncedStore = Pick<
  ReplicatedStore,
  | 'config'
  | 'heads'
  | 'openExchange'
  | 'receive'
  | 'generate'
  | 'onDurable'
  | 'copyBlob'
  | 'hasBlob'
  | 'putBlob'
  | 'missingBlobs'
>;

export interface ClusterSyncParts {
  readonly store: SyncedStore;
  readonly clock: SyncClock;
  /**
   * Called with the configuration after something was taken in; what is taken in while it is under way comes with the
   * next call. It must not reject.
   */
  readonly publish: (config: Config) => Promise<void> | void;
  /** A blob has come that a zone refers to: the zone can be served now. */
  readonly blobArrived: (hash: string) => void;
  /** Something that a peer sent was not taken in; to be logged. */
  readonly refused: (refusal: Refusal) => void;
}

/**
 * Keeps the documents and blobs of a store equal with those of all peers that have a session.
 * The caller hands on what the transport says; frames of other channels are none of ours.
 */
export class ClusterSync {
  readonly #documents: DocumentSync;
  readonly #blobs: BlobSync;
  readonly #stopListening: () => void;

  constructor(parts: ClusterSyncParts) {
    const { store, clock, publish, refused } = parts;
    this.#documents = new DocumentSync({ store, clock, publish, refused });
    this.#blobs = new BlobSync({
      store,
      clock,
      arrived: parts.blobArrived,
      refused: ({ peer, reason }) => refused({ peer, document: undefined, reason }),
    });
    this.#stopListening = store.onDurable((documents) => {
      if (documents.includes(ROOT_DOCUMENT)) this.#blobs.look();
    });
  }

  onUp(session: PeerSession): void {
    this.#documents.up(session);
    this.#blobs.up(session);
  }

  onFrame(session: PeerSession, { channel, value }: Frame): void {
    if (channel === 'documents') this.#documents.receive(session, value);
    if (channel === 'blobs') this.#blobs.receive(session, value);
  }

  onDrain(session: PeerSession): void {
    this.#documents.drained(session);
    this.#blobs.drained(session);
  }

  onDown(session: PeerSession): void {
    this.#documents.down(session);
    this.#blobs.down(session);
  }

  /** How far apart each peer with a session is, by name; `sinceMs` is by the clock that was given. */
  behind(): ReadonlyMap<string, Behind> {
    return this.#documents.behind();
  }

  counters(): { readonly documents: DocumentCounters; readonly blobs: BlobCounters } {
    return { documents: this.#documents.counters(), blobs: this.#blobs.counters() };
  }

  close(): void {
    this.#stopListening();
    this.#documents.close();
    this.#blobs.close();
  }
}
