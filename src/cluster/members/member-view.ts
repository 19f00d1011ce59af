import type { MemberStatus } from './member-status.ts';

/** A clock that differs by more is told: times in histories and expiries of overrides would mislead people. */
export const CLOCK_DIFFERS_MS = 5_000;

/** A node of the cluster, as configuration knows it. */
export interface KnownNode {
  readonly name: string;
  readonly region: string;
  readonly role: 'full' | 'delayed';
  readonly addresses: readonly string[];
}

/** What this node has seen of a peer since it started. */
export interface PeerSight {
  readonly isConnected: boolean;
  /** Since when it is so, in milliseconds since the epoch by this node's clock; undefined while it was never seen. */
  readonly sinceMs: number | undefined;
  /** Why the last connection ended; empty while there is one, or none ever was. */
  readonly downReason: string;
  readonly roundTripMs: number | undefined;
  readonly certificateExpiresAtMs: number | undefined;
  /** Documents in which the peer and this node differ, and since when. */
  readonly behind: { readonly documents: number; readonly sinceMs: number | undefined };
  /** Its newest word, and when it arrived by this node's clock. */
  readonly status: { readonly value: MemberStatus; readonly arrivedAtMs: number } | undefined;
}

/** One line of the membership view. */
export interface Member {
  readonly name: string;
  readonly isSelf: boolean;
  readonly region: string;
  readonly role: 'full' | 'delayed';
  readonly addresses: readonly string[];
  readonly state: 'up' | 'down' | 'never-seen';
  readonly sinceMs: number | undefined;
  readonly downReason: string;
  readonly roundTripMs: number | undefined;
  readonly behindDocuments: number;
  readonly behindSinceMs: number | undefined;
  readonly version: string | undefined;
  readonly generation: number | undefined;
  readonly certificateExpiresAtMs: number | undefined;
  /** Whether it answers queries from a complete snapshot and has not withdrawn; undefined while it is not heard. */
  readonly isServing: boolean | undefined;
  readonly withdrawal: MemberStatus['withdrawal'] | undefined;
  readonly reason: string;
  /** How far its clock is ahead of this node's, in milliseconds, to half a round trip; undefined while not heard. */
  readonly clockAheadMs: number | undefined;
}

/** This node's own line. */
export function selfMember(node: KnownNode, status: MemberStatus, certificateExpiresAtMs: number): Member {
  return {
    ...node,
    isSelf: true,
    state: 'up',
    sinceMs: status.startedAtMs,
    downReason: '',
    roundTripMs: undefined,
    behindDocuments: 0,
    behindSinceMs: undefined,
    version: status.version,
    generation: status.generation,
    certificateExpiresAtMs,
    isServing: status.isReady && status.withdrawal !== 'taken',
    withdrawal: status.withdrawal,
    reason: status.reason,
    clockAheadMs: 0,
  };
}

/** A peer's line. What was heard of a peer that is down is told no longer: nobody knows whether it still holds. */
export function peerMember(node: KnownNode, sight: PeerSight): Member {
  const { isConnected, sinceMs, behind } = sight;
  const heard = isConnected ? sight.status : undefined;
  const said = heard?.value;
  return {
    ...node,
    isSelf: false,
    state: isConnected ? 'up' : sinceMs === undefined ? 'never-seen' : 'down',
    sinceMs,
    downReason: sight.downReason,
    roundTripMs: isConnected ? sight.roundTripMs : undefined,
    behindDocuments: isConnected ? behind.documents : 0,
    behindSinceMs: isConnected ? behind.sinceMs : undefined,
    version: said?.version,
    generation: said?.generation,
    certificateExpiresAtMs: sight.certificateExpiresAtMs,
    isServing: said === undefined ? undefined : said.isReady && said.withdrawal !== 'taken',
    withdrawal: said?.withdrawal,
    reason: said?.reason ?? '',
    clockAheadMs:
      heard === undefined
        ? undefined
        : Math.round(heard.value.clockMs - heard.arrivedAtMs + (sight.roundTripMs ?? 0) / 2),
  };
}
