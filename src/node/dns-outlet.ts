import type { ProtectionMessage } from '../protection/protection.ts';
import { formatListenAddress, type ListenAddress } from '../server/listen-address.ts';
import type { DnsServer } from '../server/serve-dns.ts';
import type { SnapshotMessage } from '../snapshot/snapshot.ts';

/**
 * Where snapshots go: the first one starts the DNS server, each one after it goes to the server that runs. Protection
 * is put to each of them here, so that neither waits for the other's changes.
 */
export class DnsOutlet {
  readonly #start: (snapshot: SnapshotMessage) => Promise<DnsServer>;
  #server: DnsServer | undefined;
  #latest: SnapshotMessage | undefined;
  #protection: ProtectionMessage | undefined;
  #published: ((snapshot: SnapshotMessage) => void) | undefined;
  /** Publications take turns, so that the last one wins. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(start: (snapshot: SnapshotMessage) => Promise<DnsServer>) {
    this.#start = start;
  }

  /** Resolves when every DNS worker answers from the snapshot; rejects with a `ListenError` where none can listen. */
  publish(snapshot: SnapshotMessage): Promise<void> {
    return this.#inTurn(async () => {
      // Verdicts change in place: most overrides have nothing to send.
      if (this.#latest === undefined || !haveSameParts(this.#latest, snapshot)) await this.#send(snapshot);
      this.#latest = snapshot;
      this.#published?.(snapshot);
    });
  }

  /** Resolves when every DNS worker protects itself in this way. */
  protect(protection: ProtectionMessage): Promise<void> {
    return this.#inTurn(async () => {
      this.#protection = protection;
      if (this.#latest !== undefined) await this.#send(this.#latest);
    });
  }

  /** The server that runs; undefined before the first publication. */
  get server(): DnsServer | undefined {
    return this.#server;
  }

  /** Calls back after each publication, in the place of who was called back before. */
  onPublished(published: ((snapshot: SnapshotMessage) => void) | undefined): void {
    this.#published = published;
  }

  /** Where DNS is served; empty before it is. */
  get listening(): readonly ListenAddress[] {
    return this.#server?.addresses ?? [];
  }

  /** The same as text. */
  addresses(): readonly string[] {
    return this.listening.map(formatListenAddress);
  }

  /** Answers what has arrived, then frees the ports. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#latest = undefined;
    await server?.close();
  }

  async #send(snapshot: SnapshotMessage): Promise<void> {
    const whole = { ...snapshot, protection: this.#protection };
    if (this.#server === undefined) this.#server = await this.#start(whole);
    else await this.#server.publish(whole);
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(step);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

function haveSameParts(one: SnapshotMessage, other: SnapshotMessage): boolean {
  return (
    one.verdicts === other.verdicts &&
    one.spills === other.spills &&
    one.serverId === other.serverId &&
    areSame(one.zones, other.zones) &&
    areSame(one.maps, other.maps)
  );
}

function areSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((image, index) => image === other[index]);
}
