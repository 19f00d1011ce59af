import type { Zone } from '../config/resources/zone.ts';
import { ROOT_DOCUMENT, zoneDocument, zonePartDocument } from './document.ts';
import type { Documents } from './documents.ts';
import { type Leaf, parseLeaf } from './leaf.ts';
import { ZONE_PARTS } from './zone-leaves.ts';

/**
 * What a zone's leaf says of the lives that the zone had before. A life ends with the zone's deletion, and when its
 * records move to a blob; the note of it is what whoever ended it had seen of its records:
 *
 *     "life": 2, "lives": { "0": { "was": zone, "heads": { "": [head ...], "17": [head ...] } }, "1": ... }
 *                            life          as it was               document, part of it
 *
 * A document of that life with other heads holds what somebody wrote without knowing that the life had ended: a conflict
 * between the end of the zone and its records (`conflicts/zone-conflicts.ts`).
 */
export interface EndedLife {
  readonly was: Zone;
  readonly heads: ReadonlyMap<string, readonly string[]>;
}

export type EndedLives = ReadonlyMap<number, EndedLife>;

/** Nobody takes back what ended before more deletions than this. */
const MAX_LIVES = 4;

const FIRST_DOCUMENT = '';

/** The document of a life by its name in the note. */
export function lifeDocument(apex: string, life: number, name: string): string {
  return name === FIRST_DOCUMENT ? zoneDocument(apex, life) : zonePartDocument(apex, life, Number(name));
}

/** Heads of all documents that a life of a zone has. */
export function headsOfLife(
  documents: Documents,
  apex: string,
  life: number,
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  const names = [FIRST_DOCUMENT, ...Array.from({ length: ZONE_PARTS }, (_, part) => String(part))];
  for (const name of names) {
    const heads = documents.headsOf(lifeDocument(apex, life, name));
    if (heads !== undefined) found.set(name, heads);
  }
  return found;
}

/** All leaves of a zone that were written without knowledge of each other; the one that counts first. */
export function zoneLeaves(documents: Documents, apex: string): readonly Leaf[] {
  return documents.readAll(ROOT_DOCUMENT, 'zones', apex).flatMap((text) => parseLeaf(text) ?? []);
}

/** The ended lives that these leaves know of; what several have seen of one life is taken together. */
export function endedLives(leaves: readonly Leaf[]): EndedLives {
  const all = new Map<number, EndedLife>();
  for (const leaf of leaves) {
    for (const [life, ended] of parseLives(leaf.lives)) {
      const known = all.get(life);
      all.set(
        life,
        known === undefined ? ended : { was: known.was, heads: bothHeads(known.heads, ended.heads) },
      );
    }
  }
  return all;
}

/** A number that no life of the zone had; lives that met in a merge count too. */
export function nextLife(leaves: readonly Leaf[]): number {
  return 1 + Math.max(0, ...leaves.map(({ life }) => life), ...endedLives(leaves).keys());
}

/** The note as it lies in a leaf; undefined for none. The oldest lives are forgotten. */
export function formatLives(lives: EndedLives): unknown {
  const kept = [...lives].sort(([a], [b]) => b - a).slice(0, MAX_LIVES);
  if (kept.length === 0) return undefined;
  return Object.fromEntries(
    kept.map(([life, { was, heads }]) => [life, { was, heads: Object.fromEntries(heads) }]),
  );
}

function parseLives(json: unknown): EndedLives {
  const lives = new Map<number, EndedLife>();
  if (typeof json !== 'object' || json === null) return lives;
  for (const [key, ended] of Object.entries(json)) {
    const life = Number(key);
    if (!Number.isSafeInteger(life) || life < 0 || typeof ended !== 'object' || ended === null) continue;
    const { was, heads } = ended as { readonly was?: Zone; readonly heads?: unknown };
    if (was !== undefined) lives.set(life, { was, heads: parseHeads(heads) });
  }
  return lives;
}

function parseHeads(json: unknown): ReadonlyMap<string, readonly string[]> {
  if (typeof json !== 'object' || json === null) return new Map();
  return new Map(
    Object.entries(json).map(([name, heads]) => [name, Array.isArray(heads) ? heads.map(String) : []]),
  );
}

function bothHeads(
  one: ReadonlyMap<string, readonly string[]>,
  other: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, readonly string[]> {
  const both = new Map(one);
  for (const [name, heads] of other)
    both.set(name, [...new Set([...(both.get(name) ?? []), ...heads])].sort());
  return both;
}
