/**
 * A node that cannot serve well may withdraw: its answer to `/anycast` tells the BGP speaker beside it to take its
 * address back, and resolvers go to another node. If every node did so at once, nobody would answer, so the number is
 * bounded, and each node decides alone from what it sees of the others:
 *
 *     none --has a reason--> wanted --the others had time to hear, and there is room--> taken --reason gone--> none
 *
 * A peer that cannot be reached counts as withdrawn. So a node that is cut off from all others keeps serving, however
 * bad it finds itself, and so does a single node.
 */
export type Withdrawal = 'none' | 'wanted' | 'taken';

/** Two statuses of every peer have passed by then. */
export const WITHDRAWAL_NOTICE_MS = 5_000;

/** What is seen of one peer. */
export interface WithdrawalPeer {
  readonly name: string;
  readonly isConnected: boolean;
  readonly withdrawal: Withdrawal;
}

/** What decides this node's next step. */
export interface WithdrawalQuestion {
  readonly self: string;
  readonly peers: readonly WithdrawalPeer[];
  /** Whether this node has a reason. */
  readonly isWanted: boolean;
  /** How long it has been wanting, in milliseconds on a clock that never goes back. */
  readonly wantedForMs: number;
  readonly before: Withdrawal;
  /** Most nodes that may be away at a time, those that cannot be reached included. */
  readonly atMost: number;
}

/** A third of the nodes, and never all but none: 0 of one, 1 of two to five, 2 of six. */
export function defaultMostWithdrawn(nodes: number): number {
  return nodes < 2 ? 0 : Math.max(1, Math.floor(nodes / 3));
}

/**
 * The node's next step. One that has withdrawn stays so while it has the reason and the bound is kept; of several that
 * want it at a time, or took it at a time, those with the smaller names go first, on every node the same.
 */
export function nextWithdrawal(question: WithdrawalQuestion): Withdrawal {
  const { peers, isWanted, wantedForMs, before, atMost } = question;
  if (!isWanted) return 'none';
  const ahead = peers.filter((peer) => goesFirst(peer, question)).length;
  // Whatever the bound says: one that is left serves.
  if (ahead >= Math.min(atMost, peers.length)) return 'wanted';
  return before === 'taken' || wantedForMs >= WITHDRAWAL_NOTICE_MS ? 'taken' : 'wanted';
}

/** Whether a peer's absence counts before this node's. */
function goesFirst(peer: WithdrawalPeer, { self, before }: WithdrawalQuestion): boolean {
  if (!peer.isConnected) return true;
  switch (peer.withdrawal) {
    case 'none':
      return false;
    case 'wanted':
      return before !== 'taken' && peer.name < self;
    case 'taken':
      return before !== 'taken' || peer.name < self;
  }
}
