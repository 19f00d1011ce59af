import type { Collection, Stored } from '../../config/model.ts';

/**
 * Something that was written on several sides without knowledge of each other. One value counts, the same on every node;
 * the others wait beside it until somebody chooses, or writes anew.
 */
export interface Conflict {
  /** Its place as a path, such as `dataCenters/fra`, `pools/web/fra-v4` or `rrsets/example.org./www.example.org. A`. */
  readonly id: string;
  readonly place: ConflictPlace;
  /** Two at least; the one that counts first. */
  readonly values: readonly ConflictValue[];
}

export type ConflictPlace =
  /** A whole resource; of a pool its settings, or whether there is one. */
  | { readonly kind: 'resource'; readonly collection: Collection; readonly key: string }
  /** One endpoint of a pool. */
  | { readonly kind: 'endpoint'; readonly pool: string; readonly endpoint: string }
  /** The order of a pool's endpoints: names. */
  | { readonly kind: 'endpoint-order'; readonly pool: string }
  | { readonly kind: 'rrset'; readonly zone: string; readonly key: string }
  /** The records of a zone were written while the zone was deleted, made anew, or went over to a zone file. */
  | { readonly kind: 'zone-records'; readonly zone: string };

/**
 * One side of a conflict. A value has its secrets in clear, like that of a resource: whoever shows it hides them in the
 * same way.
 */
export interface ConflictValue extends Omit<Stored<unknown>, 'value' | 'revision'> {
  /** Names this value when it is chosen. */
  readonly choice: string;
  /** Undefined: it was deleted. */
  readonly value: unknown;
  /** Whether this is the one in use. */
  readonly counts: boolean;
  /** Of `zone-records`: keys of RRsets that come back with this choice as others wrote them; not all of many. */
  readonly rrsets?: readonly string[];
}

/** All conflicts, in such a way that what a write may have changed is soon found. */
export interface Conflicts {
  /** By `<collection>/<key>`; RRsets are not among them. */
  readonly resources: ReadonlyMap<string, readonly Conflict[]>;
  /** By apex and key. */
  readonly rrsets: ReadonlyMap<string, ReadonlyMap<string, Conflict>>;
}

export const noConflicts: Conflicts = { resources: new Map(), rrsets: new Map() };

/** All of them by id. */
export function listConflicts({ resources, rrsets }: Conflicts): readonly Conflict[] {
  const all = [
    ...[...resources.values()].flat(),
    ...[...rrsets.values()].flatMap((conflicts) => [...conflicts.values()]),
  ];
  return all.sort((a, b) => (a.id < b.id ? -1 : 1));
}
