import { ROOT_DOCUMENT } from '../document.ts';
import type { Documents } from '../documents.ts';
import { attributionOf, type Leaf, parseLeaf } from '../leaf.ts';
import { endedLives, headsOfLife, lifeDocument, zoneLeaves } from '../zone-lives.ts';
import type { Conflict, ConflictValue } from './conflict.ts';
import { conflictValue, leafConflict } from './leaf-conflicts.ts';

/** Most keys of RRsets that a conflict names. */
const MAX_NAMED_RRSETS = 20;

/** The choice of a life that had ended. */
export function lifeChoice(life: number): string {
  return `life-${life}`;
}

/** What is in conflict of one zone: the zone itself, and records that were written to what others had ended. */
export function zoneConflicts(documents: Documents, apex: string): readonly Conflict[] {
  if (!documents.has(ROOT_DOCUMENT)) return [];
  const leaves = zoneLeaves(documents, apex);
  const place = { kind: 'resource', collection: 'zones', key: apex } as const;
  return [...leafConflict(`zones/${apex}`, place, leaves), ...recordsConflict(documents, apex, leaves)];
}

function recordsConflict(documents: Documents, apex: string, leaves: readonly Leaf[]): readonly Conflict[] {
  const [counting] = leaves;
  if (counting === undefined) return [];
  const edited: ConflictValue[] = [];
  const living = new Set(leaves.filter(({ value }) => value !== undefined).map(({ life }) => life));
  for (const [life, { was, heads }] of endedLives(leaves)) {
    // Where one side did not end it, the zone itself is in conflict, and that is told already.
    if (living.has(life)) continue;
    const unseen = unseenLeaves(documents, apex, life, heads);
    // Of one moment the greater revision: every node names the same.
    const moment = ({ updatedAt, revision }: Leaf): string => `${updatedAt} ${revision}`;
    const [latest] = [...unseen.values()].sort((a, b) => (moment(a) < moment(b) ? 1 : -1));
    if (latest === undefined) continue;
    const rrsets = [...unseen.keys()].sort().slice(0, MAX_NAMED_RRSETS);
    edited.push({ choice: lifeChoice(life), value: was, counts: false, ...attributionOf(latest), rrsets });
  }
  if (edited.length === 0) return [];
  const values = [conflictValue(counting, 'counts'), ...edited];
  return [{ id: `zones/${apex}/records`, place: { kind: 'zone-records', zone: apex }, values }];
}

/** RRsets of a life that were written by somebody who did not know that it had ended. */
function unseenLeaves(
  documents: Documents,
  apex: string,
  life: number,
  seen: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, Leaf> {
  const unseen = new Map<string, Leaf>();
  for (const [name, heads] of headsOfLife(documents, apex, life)) {
    const known = new Set(seen.get(name) ?? []);
    if (heads.every((head) => known.has(head))) continue;
    const document = lifeDocument(apex, life, name);
    for (const { map, key } of documents.leavesSince(document, [...known])) {
      const leaf = parseLeaf(documents.read(document, map, key));
      if (leaf !== undefined) unseen.set(key, leaf);
    }
  }
  return unseen;
}
