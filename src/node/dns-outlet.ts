import { formatListenAddress } from '../server/listen-address.ts';
import type { DnsServer } from '../server/serve-dns.ts';
import type { SnapshotMessage } from '../snapshot/snapshot.ts';

/** Where snapshots go: kept until the DNS server exists, which starts from the first one, and then to the server. */
export class DnsOutlet {
  #latest: SnapshotMessage | undefined;
  #server: DnsServer | undefined;

  /** Resolves when every DNS worker answers from the snapshot; at once while there is no server. */
  async publish(snapshot: SnapshotMessage): Promise<void> {
    this.#latest = snapshot;
    await this.#server?.publish(snapshot);
  }

  /** The snapshot to start a server from; undefined before the first publication. */
  get latest(): SnapshotMessage | undefined {
    return this.#latest;
  }

  attach(server: DnsServer): void {
    this.#server = server;
  }

  /** Where DNS is served, as text; empty before it is. */
  addresses(): readonly string[] {
    return (this.#server?.addresses ?? []).map(formatListenAddress);
  }
}
