import { attributionOf, type Leaf } from '../leaf.ts';
import type { Conflict, ConflictPlace, ConflictValue } from './conflict.ts';

/** The conflict between leaves, the one that counts first; undefined when all say the same. */
export function leafConflict(id: string, place: ConflictPlace, leaves: readonly Leaf[]): readonly Conflict[] {
  const different = differentLeaves(leaves);
  if (different.length < 2) return [];
  return [
    {
      id,
      place,
      values: different.map((leaf, index) => conflictValue(leaf, index === 0 ? 'counts' : 'waits')),
    },
  ];
}

export function conflictValue(leaf: Leaf, standing: 'counts' | 'waits'): ConflictValue {
  return {
    choice: leaf.revision,
    value: leaf.value,
    counts: standing === 'counts',
    ...attributionOf(leaf),
  };
}

/** The first of those that say the same. */
export function differentLeaves(leaves: readonly Leaf[]): readonly Leaf[] {
  const seen = new Map<string, Leaf>();
  for (const leaf of leaves) {
    // A zone of another life has other records, though its settings be the same.
    const said = leaf.value === undefined ? '' : JSON.stringify([leaf.value, leaf.life]);
    if (!seen.has(said)) seen.set(said, leaf);
  }
  return [...seen.values()];
}
