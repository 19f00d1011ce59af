import type {
  PeerAddress,
  PeerSpec,
  Transport,
  TransportCounters,
  TransportIdentity,
  TransportListener,
} from '../../cluster/transport/transport.ts';

/** Nobody comes in by the door as a peer: it has none, so it refuses all but those who join. */
const nobody: TransportListener = {
  onUp: () => undefined,
  onFrame: () => undefined,
  onDrain: () => undefined,
  onDown: () => undefined,
};

/**
 * A transport over a broker, with a mesh beside it that has no peers: machines that want to join know the address of a
 * node, and nothing of a broker yet.
 */
export class TransportWithDoor implements Transport {
  readonly #transport: Transport;
  readonly #door: Transport;

  constructor(transport: Transport, door: Transport) {
    this.#transport = transport;
    this.#door = door;
  }

  async start(listener: TransportListener): Promise<void> {
    await this.#door.start(nobody);
    await this.#transport.start(listener);
  }

  setPeers(peers: readonly PeerSpec[], others?: 'refused' | 'admitted'): void {
    this.#transport.setPeers(peers, others);
  }

  setCandidates(addresses: readonly PeerAddress[]): void {
    this.#transport.setCandidates(addresses);
  }

  useIdentity(identity: TransportIdentity): void {
    this.#transport.useIdentity(identity);
    this.#door.useIdentity(identity);
  }

  counters(): TransportCounters {
    return this.#transport.counters();
  }

  async close(): Promise<void> {
    await Promise.all([this.#transport.close(), this.#door.close()]);
  }
}
