import type { SyncedStore } from '../../cluster/sync/cluster-sync.ts';
import type { ReplicatedStore } from '../../store/replicated-store.ts';
import type { NodeControlPlane } from '../control/control-plane.ts';

/**
 * The store as synchronisation sees it: what peers say is taken in in turn with writes. A write is checked against the
 * configuration of its turn, and what came between check and commit would not have been looked at: an edit of a zone
 * that a peer has just deleted would make the zone anew, without its records.
 */
export function turnedStore(store: ReplicatedStore, plane: Pick<NodeControlPlane, 'inTurn'>): SyncedStore {
  return {
    get config() {
      return store.config;
    },
    heads: () => store.heads(),
    openExchange: () => store.openExchange(),
    receive: (exchange, messages) => plane.inTurn(() => store.receive(exchange, messages)),
    generate: (exchange, document) => store.generate(exchange, document),
    onDurable: (listener) => store.onDurable(listener),
    copyBlob: (hash) => store.copyBlob(hash),
    hasBlob: (hash) => store.hasBlob(hash),
    putBlob: (bytes, hash) => store.putBlob(bytes, hash),
    missingBlobs: () => store.missingBlobs(),
  };
}
