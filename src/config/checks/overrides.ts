import type { Override } from '../resources/override.ts';
import { type CheckScope, exists, onlyWhenChanged, report } from './scope.ts';

/** Overrides that hold for nothing: mostly a typing mistake, else a leftover. */
export const checkOverrides = onlyWhenChanged(['overrides', 'pools', 'dataCenters'], (scope): void => {
  for (const [id, { value, owner }] of scope.config.overrides) {
    const missing = missingTarget(scope, value);
    if (missing === undefined) continue;
    const message = `The override holds for ${missing}, which does not exist; delete it or name another target.`;
    report(scope, owner, 'unknown-override-target', `overrides/${id}/target`, message);
  }
});

function missingTarget(scope: CheckScope, { target }: Override): string | undefined {
  if (target.kind === 'data-center') {
    return exists(scope, 'dataCenters', target.dataCenter)
      ? undefined
      : `the data center "${target.dataCenter}"`;
  }
  if (!exists(scope, 'pools', target.pool)) return `the pool "${target.pool}"`;
  if (target.kind === 'pool') return undefined;
  const pool = scope.config.pools.get(target.pool);
  if (pool === undefined || pool.value.endpoints.some(({ name }) => name === target.endpoint))
    return undefined;
  return `the endpoint "${target.endpoint}" of the pool "${target.pool}"`;
}
