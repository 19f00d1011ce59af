import { type ResolvedRule, resolveRule } from '../health-rule.ts';
import type { Endpoint } from '../resources/pool.ts';
import { type CheckScope, onlyWhenChanged, report } from './scope.ts';

/** Stands in for the endpoints of a monitor that no pool uses yet: 192.0.2.1 is for documentation (RFC 5737). */
const ANY_ENDPOINT: Endpoint = { name: 'any', dataCenter: 'any', address: '192.0.2.1', weight: 1 };

/** Composed monitors that lead nowhere, back to themselves, or too far. */
export const checkComposed = onlyWhenChanged(['pools', 'monitors'], (scope): void => {
  const { pools, monitors } = scope.config;
  const composed = new Set<string>();
  for (const [name, { value }] of monitors) if (value.kind === 'composed') composed.add(name);
  if (composed.size === 0) return;
  const told = new Set<string>();
  const unused = new Set(composed);
  for (const [pool, { value }] of pools) {
    for (const endpoint of value.endpoints) {
      const name = endpoint.monitor ?? value.monitor;
      const monitor = name === undefined ? undefined : monitors.get(name)?.value;
      if (name === undefined || monitor === undefined || !composed.has(name)) continue;
      unused.delete(name);
      tell(scope, resolveRule(scope.config, pool, endpoint, monitor), told);
    }
  }
  for (const name of unused) {
    const monitor = monitors.get(name)?.value;
    if (monitor !== undefined) tell(scope, resolveRule(scope.config, '', ANY_ENDPOINT, monitor), told);
  }
});

/** Thousands of endpoints may share a monitor, and a mistake in it is one mistake. */
function tell(scope: CheckScope, { mistakes }: ResolvedRule, told: Set<string>): void {
  for (const { code, monitor, message } of mistakes) {
    const name = `${code} ${monitor} ${code === 'composed-cycle' ? '' : message}`;
    if (told.has(name)) continue;
    told.add(name);
    const stored = scope.config.monitors.get(monitor);
    if (stored === undefined) continue;
    report(scope, stored.owner, code, `monitors/${monitor}/settings/rule`, message);
  }
}
