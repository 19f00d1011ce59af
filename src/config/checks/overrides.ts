import { MAX_GLOB_TARGETS } from '../limits.ts';
import type { Config } from '../model.ts';
import { aboutTarget } from '../override-targets.ts';
import type { OverrideTarget } from '../resources/override.ts';
import { type CheckScope, exists, onlyWhenChanged, report } from './scope.ts';

const TARGETED = ['overrides', 'maintenanceWindows'] as const;

/** Overrides and maintenance windows that hold for nothing: mostly a typing mistake, else a leftover. */
export const checkOverrides = onlyWhenChanged(
  ['overrides', 'maintenanceWindows', 'pools', 'dataCenters'],
  (scope): void => {
    const globs = new Map<string, boolean>();
    for (const collection of TARGETED) {
      const noun = collection === 'overrides' ? 'override' : 'maintenance window';
      for (const [id, { value, owner }] of scope.config[collection]) {
        const missing = missingTarget(scope, value.target, globs);
        if (missing === undefined) continue;
        const message = `The ${noun} holds for ${missing}; delete it or name another target.`;
        report(scope, owner, 'unknown-override-target', `${collection}/${id}/target`, message);
      }
    }
    checkGlobCount(scope);
  },
);

/** Every glob is held against every endpoint. */
function checkGlobCount(scope: CheckScope): void {
  let count = 0;
  for (const collection of TARGETED)
    for (const [id, { value, owner }] of scope.config[collection]) {
      if (value.target.kind !== 'glob') continue;
      count += 1;
      if (count <= MAX_GLOB_TARGETS) continue;
      const message = `Overrides and maintenance windows with globs are more than ${MAX_GLOB_TARGETS} by this one; name a pool or a data center instead.`;
      report(scope, owner, 'too-many-globs', `${collection}/${id}/target`, message);
    }
}

function missingTarget(
  scope: CheckScope,
  target: OverrideTarget,
  globs: Map<string, boolean>,
): string | undefined {
  switch (target.kind) {
    case 'data-center':
      return exists(scope, 'dataCenters', target.dataCenter)
        ? undefined
        : `the data center "${target.dataCenter}", which does not exist`;
    case 'glob': {
      const identity = `${target.pattern} ${target.dataCenter ?? ''}`;
      const found = globs.get(identity) ?? holdsForAny(scope.config, target);
      globs.set(identity, found);
      if (found || scope.broken.size > 0) return undefined;
      const within = target.dataCenter === undefined ? '' : ` in a data center "${target.dataCenter}"`;
      return `endpoints "${target.pattern}"${within}, and there is none`;
    }
    case 'pool':
    case 'endpoint':
      return missingOfPool(scope, target);
  }
}

function missingOfPool(
  scope: CheckScope,
  target: Extract<OverrideTarget, { kind: 'pool' | 'endpoint' }>,
): string | undefined {
  if (!exists(scope, 'pools', target.pool)) return `the pool "${target.pool}", which does not exist`;
  if (target.kind === 'pool') return undefined;
  const pool = scope.config.pools.get(target.pool);
  if (pool === undefined || pool.value.endpoints.some(({ name }) => name === target.endpoint))
    return undefined;
  return `the endpoint "${target.endpoint}" of the pool "${target.pool}", which does not exist`;
}

function holdsForAny({ pools }: Pick<Config, 'pools'>, target: OverrideTarget): boolean {
  const isAbout = aboutTarget(target);
  for (const [pool, { value }] of pools)
    for (const { name, dataCenter } of value.endpoints)
      if (isAbout({ pool, endpoint: name, dataCenter })) return true;
  return false;
}
