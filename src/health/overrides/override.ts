import { aboutTarget, type OverrideSubject } from '../../config/override-targets.ts';
import type { Override, OverrideState } from '../../config/resources/override.ts';

/** An override as the board takes it: an operator's own, or that of a maintenance window while it is open. */
export interface StandingOverride extends Override {
  /** Who wrote it. */
  readonly author?: string | undefined;
  /** Undefined means an operator's own; `id` is then the override's, else the window's name. */
  readonly from?: 'maintenance-window' | undefined;
}

/** An override for one endpoint is more specific than one for many; those for many are equal in that. */
const SPECIFICITY = { endpoint: 1, glob: 0, pool: 0, 'data-center': 0 } as const;

/** Among equals the most cautious wins: whoever takes something out of service has a reason to fear its use. */
const CAUTION: Readonly<Record<OverrideState, number>> = { down: 2, drain: 1, up: 0 };

/** Overrides by what they hold for, so that finding those of one endpoint does not walk them all. */
export interface OverrideIndex {
  readonly byTarget: ReadonlyMap<string, readonly StandingOverride[]>;
  /** Those with globs by `pool/endpoint`. */
  readonly byEndpoint: ReadonlyMap<string, readonly StandingOverride[]>;
}

/** The index of no overrides. */
export const NO_OVERRIDES: OverrideIndex = { byTarget: new Map(), byEndpoint: new Map() };

/** Sorts overrides by target; globs are held against all of the subjects here, and not again. */
export function indexOverrides(
  overrides: Iterable<StandingOverride>,
  subjects: Iterable<OverrideSubject>,
): OverrideIndex {
  const byTarget = new Map<string, StandingOverride[]>();
  const globs: StandingOverride[] = [];
  for (const override of overrides) {
    if (override.target.kind === 'glob') globs.push(override);
    else addTo(byTarget, targetKey(override.target), override);
  }
  const byEndpoint = new Map<string, StandingOverride[]>();
  if (globs.length === 0) return { byTarget, byEndpoint };
  const matchers = globs.map((glob) => ({ glob, isAbout: aboutTarget(glob.target) }));
  for (const subject of subjects)
    for (const { glob, isAbout } of matchers)
      if (isAbout(subject)) addTo(byEndpoint, `${subject.pool}/${subject.endpoint}`, glob);
  return { byTarget, byEndpoint };
}

/**
 * The override that holds for an endpoint, or undefined.
 *
 * What an operator says beats every maintenance window. Of equal origin, one for the endpoint itself beats those for
 * its pool, its data center and globs. Between these, none of which contains the others, down beats drain and drain
 * beats up: a data center drained for works stays drained though a pool in it is forced up. What is still equal goes
 * by id, so that every node decides alike. Expired ones are ignored.
 */
export function overrideFor(
  subject: OverrideSubject,
  index: OverrideIndex,
  nowMs: number,
): StandingOverride | undefined {
  const { byTarget, byEndpoint } = index;
  let best: StandingOverride | undefined;
  const consider = (overrides: readonly StandingOverride[] | undefined): void => {
    for (const override of overrides ?? []) {
      if (expiryMs(override) <= nowMs) continue;
      if (best === undefined || outranks(override, best)) best = override;
    }
  };
  if (byTarget.size > 0) for (const target of targetsOf(subject)) consider(byTarget.get(targetKey(target)));
  if (byEndpoint.size > 0) consider(byEndpoint.get(`${subject.pool}/${subject.endpoint}`));
  return best;
}

/** When an override ends, in milliseconds since the epoch; Infinity for one that has no expiry. */
export function expiryMs(override: Override): number {
  if (override.expiresAt === undefined) return Number.POSITIVE_INFINITY;
  const parsed = Date.parse(override.expiresAt);
  // The schema has checked the text; should it not parse all the same, an override that holds is the safer error.
  return Number.isNaN(parsed) ? Number.POSITIVE_INFINITY : parsed;
}

type PlainTarget = Exclude<Override['target'], { kind: 'glob' }>;

function targetsOf(subject: OverrideSubject): readonly PlainTarget[] {
  return [
    { kind: 'endpoint', pool: subject.pool, endpoint: subject.endpoint },
    { kind: 'pool', pool: subject.pool },
    { kind: 'data-center', dataCenter: subject.dataCenter },
  ];
}

/** Resource names hold no slash, so that no two targets share a key. */
function targetKey(target: PlainTarget): string {
  switch (target.kind) {
    case 'endpoint':
      return `endpoint/${target.pool}/${target.endpoint}`;
    case 'pool':
      return `pool/${target.pool}`;
    case 'data-center':
      return `data-center/${target.dataCenter}`;
  }
}

function addTo(index: Map<string, StandingOverride[]>, key: string, override: StandingOverride): void {
  const group = index.get(key);
  if (group === undefined) index.set(key, [override]);
  else group.push(override);
}

function outranks(one: StandingOverride, other: StandingOverride): boolean {
  if (one.from !== other.from) return one.from === undefined;
  const specificity = SPECIFICITY[one.target.kind] - SPECIFICITY[other.target.kind];
  if (specificity !== 0) return specificity > 0;
  const caution = CAUTION[one.state] - CAUTION[other.state];
  if (caution !== 0) return caution > 0;
  return one.id < other.id;
}
