import { signal } from '@preact/signals';
import { getJson } from './get-json.ts';

/** A node of the cluster as the asked one sees it. */
export interface MemberView {
  readonly name: string;
  readonly self: boolean;
  readonly region: string;
  readonly role: 'full' | 'delayed';
  readonly state: 'up' | 'down' | 'never-seen';
  readonly since?: string;
  readonly downReason?: string;
  readonly roundTripMs?: number;
  readonly behind: { readonly documents: number; readonly since?: string };
  readonly version?: string;
  readonly certificateExpiresAt?: string;
  readonly serving?: boolean;
  readonly withdrawal?: 'none' | 'wanted' | 'taken';
  readonly reason?: string;
  readonly clockAheadSeconds?: number;
}

interface ClusterView {
  readonly node: string;
  readonly members: readonly MemberView[];
}

/** One of the values of a conflict. */
export interface ConflictValueView {
  readonly choice: string;
  readonly counts: boolean;
  readonly deleted: boolean;
  readonly value?: unknown;
  readonly author: string;
  readonly reason: string;
  readonly node?: string;
  readonly updatedAt: string;
  readonly rrsets?: readonly string[];
}

/** What was written on several nodes that did not know of each other. */
export interface ConflictView {
  readonly id: string;
  readonly kind: string;
  readonly values: readonly ConflictValueView[];
}

interface ConflictsView {
  readonly total: number;
  readonly items: readonly ConflictView[];
}

/** Undefined where the node is in no cluster. */
export const cluster = signal<ClusterView | undefined>(undefined);
export const conflicts = signal<ConflictsView>({ total: 0, items: [] });
/** Why the last choice was not taken; empty where it was. */
export const choiceProblem = signal('');

export async function loadCluster(): Promise<void> {
  // A node that is alone has this list, too, so that no browser tells its user of a page that was not found.
  const nodes = await getJson<{ readonly items: readonly unknown[] }>('./v1/nodes?limit=1');
  const isAlone = nodes === undefined || nodes.items.length === 0;
  const [view, list] = await Promise.all([
    isAlone ? undefined : getJson<ClusterView>('./v1/cluster/members'),
    getJson<ConflictsView>('./v1/conflicts'),
  ]);
  cluster.value = view;
  conflicts.value = list ?? { total: 0, items: [] };
}

/** What changes without an event. */
export async function loadMembers(): Promise<void> {
  if (cluster.value === undefined) return;
  try {
    cluster.value = await getJson<ClusterView>('./v1/cluster/members');
  } catch {
    // The event stream tells whether the node is there.
  }
}

/** Writes one of the values over all of them, on every node. */
export async function chooseValue(id: string, choice: string): Promise<void> {
  try {
    const response = await fetch('./v1/conflicts/resolve', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id, choice }),
    });
    const body = response.ok ? undefined : await response.json();
    choiceProblem.value = response.ok ? '' : String(body.detail ?? body.title);
    await loadCluster();
  } catch {
    choiceProblem.value = 'The node did not answer; whether the value was chosen shows once it does.';
  }
}
