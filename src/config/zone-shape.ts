import { TYPE_NS } from '../dns/type.ts';

/**
 * What of a zone decides whether a name can be steered in it. Names are in canonical presentation form.
 *
 *     typesAt   owner name -> types of the RRsets it owns
 *     cuts      owner names of NS RRsets below the apex: from there on another zone answers
 */
export interface ZoneShape {
  readonly typesAt: Pick<ReadonlyMap<string, readonly number[]>, 'get'>;
  readonly cuts: Pick<ReadonlySet<string>, 'has' | 'size'>;
}

/** A shape with all its names at hand. */
export interface WholeZoneShape extends ZoneShape {
  readonly typesAt: ReadonlyMap<string, readonly number[]>;
  readonly cuts: ReadonlySet<string>;
}

/** Gathers a zone's shape from its RRsets, in any order. */
export function zoneShape(
  apex: string,
  rrsets: Iterable<{ readonly owner: string; readonly type: number }>,
): WholeZoneShape {
  const typesAt = new Map<string, number[]>();
  const cuts = new Set<string>();
  for (const { owner, type } of rrsets) {
    const types = typesAt.get(owner);
    if (types === undefined) typesAt.set(owner, [type]);
    else types.push(type);
    if (type === TYPE_NS && owner !== apex) cuts.add(owner);
  }
  return { typesAt, cuts };
}
