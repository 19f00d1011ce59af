import type { Override, OverrideState } from '../config/resources/override.ts';

/** What an override may name of an endpoint. */
export interface OverrideSubject {
  readonly pool: string;
  readonly endpoint: string;
  readonly dataCenter: string;
}

/** An override for one endpoint is more specific than one for many; a pool and a data center are equal in that. */
const SPECIFICITY = { endpoint: 1, pool: 0, 'data-center': 0 } as const;

/** Among equals the most cautious wins: whoever takes something out of service has a reason to fear its use. */
const CAUTION: Readonly<Record<OverrideState, number>> = { down: 2, drain: 1, up: 0 };

/** Overrides by what they hold for, so that finding those of one endpoint does not walk them all. */
export type OverrideIndex = ReadonlyMap<string, readonly Override[]>;

/** Sorts overrides by target. */
export function indexOverrides(overrides: Iterable<Override>): OverrideIndex {
  const index = new Map<string, Override[]>();
  for (const override of overrides) {
    const key = targetKey(override.target);
    const group = index.get(key);
    if (group === undefined) index.set(key, [override]);
    else group.push(override);
  }
  return index;
}

/**
 * The override that holds for an endpoint, or undefined.
 *
 * One for the endpoint itself beats those for its pool and its data center. Between these two, neither of which
 * contains the other, down beats drain and drain beats up: a data center drained for maintenance stays drained though
 * a pool in it is forced up. What is still equal goes by id, so that every node decides alike. Expired ones are ignored.
 */
export function overrideFor(
  subject: OverrideSubject,
  index: OverrideIndex,
  nowMs: number,
): Override | undefined {
  if (index.size === 0) return undefined;
  let best: Override | undefined;
  for (const target of targetsOf(subject)) {
    for (const override of index.get(targetKey(target)) ?? []) {
      if (expiryMs(override) <= nowMs) continue;
      if (best === undefined || outranks(override, best)) best = override;
    }
  }
  return best;
}

/** When an override ends, in milliseconds since the epoch; Infinity for one that has no expiry. */
export function expiryMs(override: Override): number {
  if (override.expiresAt === undefined) return Number.POSITIVE_INFINITY;
  const parsed = Date.parse(override.expiresAt);
  // The schema has checked the text; should it not parse all the same, an override that holds is the safer error.
  return Number.isNaN(parsed) ? Number.POSITIVE_INFINITY : parsed;
}

function targetsOf(subject: OverrideSubject): readonly Override['target'][] {
  return [
    { kind: 'endpoint', pool: subject.pool, endpoint: subject.endpoint },
    { kind: 'pool', pool: subject.pool },
    { kind: 'data-center', dataCenter: subject.dataCenter },
  ];
}

/** Resource names hold no slash, so that no two targets share a key. */
function targetKey(target: Override['target']): string {
  switch (target.kind) {
    case 'endpoint':
      return `endpoint/${target.pool}/${target.endpoint}`;
    case 'pool':
      return `pool/${target.pool}`;
    case 'data-center':
      return `data-center/${target.dataCenter}`;
  }
}

function outranks(one: Override, other: Override): boolean {
  const specificity = SPECIFICITY[one.target.kind] - SPECIFICITY[other.target.kind];
  if (specificity !== 0) return specificity > 0;
  const caution = CAUTION[one.state] - CAUTION[other.state];
  if (caution !== 0) return caution > 0;
  return one.id < other.id;
}
