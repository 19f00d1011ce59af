import { checkAlertChannels } from './checks/alert-channels.ts';
import { checkComposed } from './checks/composed.ts';
import { checkLimits } from './checks/limits.ts';
import { checkOverrides } from './checks/overrides.ts';
import { checkPolicies } from './checks/policies.ts';
import { checkPools } from './checks/pools.ts';
import type { CheckScope } from './checks/scope.ts';
import { checkSteeredNames } from './checks/steered-names.ts';
import { checkZones } from './checks/zones.ts';
import type { Config } from './model.ts';
import type { Problem } from './problem.ts';
import type { ZoneShape } from './zone-shape.ts';

/** What the caller knows beyond the configuration. */
export interface CheckContext {
  /** Paths (`pools/web`) of resources that exist but did not parse: references to them do not dangle. */
  readonly broken?: ReadonlySet<string>;
  /** Shapes of zones whose records live in a blob, by apex; a zone without one is taken to have no conflicts. */
  readonly shapes?: ReadonlyMap<string, ZoneShape>;
}

/** Codes of problems that are there because something else is not. */
const absenceCodes: ReadonlySet<string> = new Set([
  'unknown-data-center',
  'unknown-pool',
  'unknown-monitor',
  'unknown-endpoint',
  'unknown-policy',
  'unknown-override-target',
  'outside-every-zone',
]);

/** Whether a problem says that something is missing, and so may follow from a file that could not be read. */
export function isAboutAbsence(code: string): boolean {
  return absenceCodes.has(code);
}

const NOTHING_BROKEN: ReadonlySet<string> = new Set();
const NO_SHAPES: ReadonlyMap<string, ZoneShape> = new Map();

/**
 * Everything that no single resource's schema can see: dangling references, loops, conflicts, totals.
 * All problems at once; those of what a directory owns carry its file and line.
 * The RRsets that are the same objects as in an earlier call are not parsed again.
 */
export function checkConfig(config: Config, context: CheckContext = {}): Problem[] {
  const scope: CheckScope = {
    config,
    broken: context.broken ?? NOTHING_BROKEN,
    shapes: context.shapes ?? NO_SHAPES,
    problems: [],
  };
  checkLimits(scope);
  checkPools(scope);
  checkComposed(scope);
  checkPolicies(scope);
  checkZones(scope);
  checkSteeredNames(scope);
  checkOverrides(scope);
  checkAlertChannels(scope);
  return scope.problems;
}
