import type { Authorship } from '../config/model.ts';
import type { Parsed } from '../config/problem.ts';

/** What the API asks of the node's part in its cluster; whatever cannot be done is told as problems. */
export interface ClusterControl {
  overview(): ClusterOverview;
  /** Makes an invitation for one node. */
  invite(lifetimeSeconds: number, authorship: Authorship): Promise<Parsed<IssuedInvitation>>;
  /** Ends an invitation that nobody has used. */
  withdraw(invitation: string, authorship: Authorship): Promise<Parsed<undefined>>;
  /** A new key and certificate for this node; connections stay. */
  rotate(authorship: Authorship): Promise<Parsed<ClusterOverview>>;
  /** Ends another node's membership: its certificates count no more, on any node. */
  remove(node: string, authorship: Authorship): Promise<Parsed<undefined>>;
  /** Ends this node's own membership; its files are put aside, and it goes on alone. Gives where they are. */
  leave(authorship: Authorship): Promise<Parsed<{ readonly aside: string }>>;
}

/** This node's part in its cluster. */
export interface ClusterOverview {
  readonly clusterId: string;
  readonly name: string;
  readonly region: string;
  readonly role: 'full' | 'delayed';
  /** Where peers are told that it is. */
  readonly addresses: readonly string[];
  /** `unknown` before it has heard from the others, `left` until it starts again, in no cluster then. */
  readonly standing: 'member' | 'unknown' | 'removed' | 'replaced' | 'left';
  readonly certificateSerial: string;
  readonly certificateExpiresAt: string;
  readonly caExpiresAt: string;
}

export interface IssuedInvitation {
  readonly id: string;
  /** Shown this once. */
  readonly token: string;
  readonly expiresAt: string;
}
