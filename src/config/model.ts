import type { AlertChannel } from './resources/alert-channel.ts';
import type { ClusterNode, NodeRemoval } from './resources/cluster-node.ts';
import type { DataCenter } from './resources/data-center.ts';
import type { Invitation } from './resources/invitation.ts';
import type { MaintenanceWindow } from './resources/maintenance-window.ts';
import type { Monitor } from './resources/monitor.ts';
import type { Override } from './resources/override.ts';
import type { Policy } from './resources/policy.ts';
import type { Pool } from './resources/pool.ts';
import type { RRset } from './resources/rrset.ts';
import type { SteeredName } from './resources/steered-name.ts';
import type { Zone } from './resources/zone.ts';

/** Who may change a resource. What a directory owns follows its files; what the API owns stays. */
export type Owner =
  | { readonly kind: 'api' }
  | { readonly kind: 'directory'; readonly file: string; readonly line: number };

/** A resource as the store holds it. */
export interface Stored<T> {
  readonly value: T;
  readonly owner: Owner;
  /** Opaque; differs after every write of this resource. It is the HTTP ETag. */
  readonly revision: string;
  readonly author: string;
  readonly reason: string;
  /** RFC 3339, UTC; shown to people, never used to decide a winner. */
  readonly updatedAt: string;
  /** The node that wrote it; missing where that has no name. */
  readonly node?: string;
}

/** Resource type of each collection; the collection's key is the resource's name. */
export interface Resources {
  dataCenters: DataCenter;
  pools: Pool;
  monitors: Monitor;
  policies: Policy;
  zones: Zone;
  steeredNames: SteeredName;
  overrides: Override;
  maintenanceWindows: MaintenanceWindow;
  alertChannels: AlertChannel;
  nodes: ClusterNode;
  invitations: Invitation;
  removals: NodeRemoval;
}

export type Collection = keyof Resources;

export const collections: readonly Collection[] = [
  'dataCenters',
  'pools',
  'monitors',
  'policies',
  'zones',
  'steeredNames',
  'overrides',
  'maintenanceWindows',
  'alertChannels',
  'nodes',
  'invitations',
  'removals',
];

/** Collections that only the cluster's own operations write: no configuration directory, and no plain write of the API. */
export type ClusterCollection = 'nodes' | 'invitations' | 'removals';

/**
 * The whole configuration at one moment; immutable.
 *
 *     dataCenters   name -> data center          zones         apex -> zone
 *     pools         name -> pool                 rrsets        apex -> "owner type" -> RRset
 *     monitors      name -> monitor              steeredNames  owner name -> steered name
 *     policies      name -> policy               overrides     id -> override
 *     maintenanceWindows  name -> maintenance window
 *     alertChannels       name -> alert channel
 *     nodes               name -> member of the cluster
 *     invitations         id -> invitation
 *     removals            membership -> removal of a node
 *
 * Zone apexes and owner names are in presentation form: lower case, absolute, with the final dot.
 * A zone that a directory owns keeps its records in a blob (see `Zone.records`), not in `rrsets`.
 */
export type Config = {
  readonly [C in Collection]: ReadonlyMap<string, Stored<Resources[C]>>;
} & {
  readonly rrsets: ReadonlyMap<string, ReadonlyMap<string, Stored<RRset>>>;
  /**
   * How much was ever written to each zone, by apex: equal on nodes that have exchanged everything, and never smaller
   * after a write or a merge.
   */
  readonly zoneSerials: ReadonlyMap<string, number>;
  /** Counts up with every commit; equal numbers mean equal configuration on this node. */
  readonly generation: number;
};

/** One intended change. `value: undefined` deletes. */
export type Change =
  | {
      readonly [C in Collection]: {
        readonly collection: C;
        readonly key: string;
        readonly owner: Owner;
        readonly value: Resources[C] | undefined;
      };
    }[Collection]
  | {
      readonly collection: 'rrsets';
      readonly zone: string;
      /** See `rrsetKey`. */
      readonly key: string;
      readonly owner: Owner;
      readonly value: RRset | undefined;
    };

/** Who writes and why; kept with every change. */
export interface Authorship {
  readonly author: string;
  readonly reason: string;
}

/** The key of an RRset within its zone: `www.example.org. A`. */
export function rrsetKey(name: string, type: string): string {
  return `${name} ${type}`;
}
