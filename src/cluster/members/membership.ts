import { encodeFrame } from '../frame.ts';
import type { PeerSession } from '../transport/transport.ts';
import { type MemberStatus, parseMemberStatus } from './member-status.ts';
import { type KnownNode, type Member, type PeerSight, peerMember, selfMember } from './member-view.ts';
import { defaultMostWithdrawn, nextWithdrawal, type Withdrawal } from './withdrawal.ts';

/** A node tells its status so often; a change of what it wants is told at once. */
export const STATUS_INTERVAL_MS = 2_000;

/** What this node knows of itself at a moment. */
export interface OwnStatus extends Omit<MemberStatus, 'type' | 'clockMs' | 'withdrawal'> {
  readonly certificateExpiresAtMs: number;
}

export interface MembershipOptions {
  readonly self: string;
  readonly own: () => OwnStatus;
  /** Documents in which a peer and this node differ, and since when. */
  readonly behind: (peer: string) => PeerSight['behind'];
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** Milliseconds on a clock that never goes back. */
  readonly steadyMs: () => number;
  /** Called when what is shown may differ. */
  readonly onChange: () => void;
}

interface Peer {
  session: PeerSession | undefined;
  sinceMs: number | undefined;
  downReason: string;
  certificateExpiresAtMs: number | undefined;
  status: PeerSight['status'];
}

/** Who belongs to the cluster, how each is seen from here, and whether this node may step aside. */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #peers = new Map<string, Peer>();
  #nodes: readonly KnownNode[] = [];
  #withdrawal: Withdrawal = 'none';
  #wantedSinceMs: number | undefined;
  /** What an operator asked for; outranks that the node itself finds nothing wrong. */
  #asked: string | undefined;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** Follows the nodes of the configuration, this one among them. */
  setNodes(nodes: readonly KnownNode[]): void {
    this.#nodes = [...nodes].sort((one, other) => (one.name < other.name ? -1 : 1));
    const names = new Set(nodes.map(({ name }) => name));
    for (const name of this.#peers.keys()) if (!names.has(name)) this.#peers.delete(name);
    this.#options.onChange();
  }

  onUp(session: PeerSession): void {
    const peer = this.#peer(session.peer);
    peer.session = session;
    peer.sinceMs = this.#options.nowMs();
    peer.downReason = '';
    peer.status = undefined;
    session.send(this.#statusFrame());
    this.#options.onChange();
  }

  onDown(session: PeerSession, reason: string): void {
    const peer = this.#peer(session.peer);
    if (peer.session !== session) return;
    peer.session = undefined;
    peer.sinceMs = this.#options.nowMs();
    peer.downReason = reason;
    peer.certificateExpiresAtMs = session.certificateExpiresAtMs;
    this.#step();
    this.#options.onChange();
  }

  /** Takes in a decoded frame; false for one that is no status. */
  onFrame(session: PeerSession, value: unknown): boolean {
    const status = parseMemberStatus(value);
    if (!status.ok) return false;
    const peer = this.#peer(session.peer);
    const before = peer.status?.value.withdrawal;
    peer.status = { value: status.value, arrivedAtMs: this.#options.nowMs() };
    if (before !== status.value.withdrawal) {
      this.#step();
      this.#options.onChange();
    }
    return true;
  }

  /** To be called every `STATUS_INTERVAL_MS`. */
  tick(): void {
    this.#step();
    this.#tell();
  }

  /** Asks for this node's withdrawal with a reason, or takes that back. */
  askWithdrawal(reason: string | undefined): void {
    this.#asked = reason;
    this.#step();
    this.#options.onChange();
  }

  get mostWithdrawn(): number {
    return defaultMostWithdrawn(this.#nodes.length);
  }

  /** Whether a BGP speaker beside this node should announce its address. */
  isAnnounced(): boolean {
    return this.#withdrawal !== 'taken';
  }

  /** Every node, this one included, in the order of their names. */
  members(): readonly Member[] {
    const own = this.#options.own();
    return this.#nodes.map((node) =>
      node.name === this.#options.self
        ? selfMember(node, this.#status(own), own.certificateExpiresAtMs)
        : peerMember(node, this.#sight(node.name)),
    );
  }

  /** The others. */
  peers(): readonly Member[] {
    return this.#others().map((node) => peerMember(node, this.#sight(node.name)));
  }

  #step(): void {
    const { self, steadyMs } = this.#options;
    const isWanted = this.#asked !== undefined || !this.#options.own().isReady;
    if (!isWanted) this.#wantedSinceMs = undefined;
    else this.#wantedSinceMs ??= steadyMs();
    const before = this.#withdrawal;
    this.#withdrawal = nextWithdrawal({
      self,
      peers: this.#others().map(({ name }) => {
        const peer = this.#peers.get(name);
        const isConnected = peer?.session !== undefined;
        return { name, isConnected, withdrawal: peer?.status?.value.withdrawal ?? 'none' };
      }),
      isWanted,
      wantedForMs: this.#wantedSinceMs === undefined ? 0 : steadyMs() - this.#wantedSinceMs,
      before,
      atMost: this.mostWithdrawn,
    });
    if (this.#withdrawal === before) return;
    this.#tell();
    this.#options.onChange();
  }

  #tell(): void {
    const frame = this.#statusFrame();
    // One that cannot take it now hears the next.
    for (const { session } of this.#peers.values()) session?.send(frame);
  }

  #statusFrame(): Uint8Array {
    return encodeFrame('members', this.#status(this.#options.own()));
  }

  #others(): readonly KnownNode[] {
    return this.#nodes.filter(({ name }) => name !== this.#options.self);
  }

  #status({ certificateExpiresAtMs: _, ...own }: OwnStatus): MemberStatus {
    return {
      ...own,
      type: 'status',
      clockMs: this.#options.nowMs(),
      reason: this.#asked ?? own.reason,
      withdrawal: this.#withdrawal,
    };
  }

  #sight(name: string): PeerSight {
    const peer = this.#peers.get(name);
    const session = peer?.session;
    return {
      isConnected: session !== undefined,
      sinceMs: peer?.sinceMs,
      downReason: peer?.downReason ?? '',
      roundTripMs: session?.roundTripMs,
      certificateExpiresAtMs: session?.certificateExpiresAtMs ?? peer?.certificateExpiresAtMs,
      behind: this.#options.behind(name),
      status: peer?.status,
    };
  }

  #peer(name: string): Peer {
    const known = this.#peers.get(name);
    if (known !== undefined) return known;
    const peer: Peer = {
      session: undefined,
      sinceMs: undefined,
      downReason: '',
      certificateExpiresAtMs: undefined,
      status: undefined,
    };
    this.#peers.set(name, peer);
    return peer;
  }
}
