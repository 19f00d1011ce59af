import type { Member } from '../cluster/members/member-view.ts';

/** What the API needs of the cluster that this node belongs to. */
export interface ClusterSource {
  /** This node's name in it. */
  readonly node: string;
  readonly clusterId: string;
  /** Every node, this one included, in the order of their names. */
  members(): readonly Member[];
  /** Most nodes that may be away of their own will, those that cannot be reached included. */
  readonly mostWithdrawn: number;
  /** Asks for this node's withdrawal with a reason, or takes that back. */
  askWithdrawal(reason: string | undefined): void;
  /** Whether a BGP speaker beside this node should announce its address. */
  isAnnounced(): boolean;
}
