import type { Config } from '../../config/model.ts';
import { policyTrees } from '../../config/policy-trees.ts';
import type { MapSource } from '../../steering/compile-map.ts';
import type { Candidate, PolicyNode } from '../../steering/policy.ts';
import { resolvePolicy } from '../../steering/resolve-policy.ts';
import { poolDataCenters } from '../zones/zone-sources.ts';

/**
 * The maps that a configuration needs. Pools with the same data centers and rules share one:
 *
 *     steered name -> (policy, data centers of its pool) -> key -> map
 *
 * A key is the map's whole content in words, so equal keys are equal maps, whichever configuration they come from.
 */
export interface MapSources {
  readonly byKey: ReadonlyMap<string, MapSource>;
  /** Undefined for a policy that does not exist or cannot be resolved, and for no data centers at all. */
  readonly keyOf: (policy: string, dataCenters: readonly string[]) => string | undefined;
}

/** Finds the maps of all steered names. */
export function mapSources(
  config: Config,
  dataCenterIndex: (name: string) => number | undefined,
): MapSources {
  const trees = policyTrees(config);
  const policies = new Map<string, { readonly node: PolicyNode; readonly text: string } | undefined>();
  const keys = new Map<string, string | undefined>();
  const byKey = new Map<string, MapSource>();

  const policyOf = (name: string): { readonly node: PolicyNode; readonly text: string } | undefined => {
    if (!policies.has(name)) {
      const resolved = resolvePolicy(name, trees);
      const known = resolved.ok ? { node: resolved.value, text: JSON.stringify(resolved.value) } : undefined;
      policies.set(name, known);
    }
    return policies.get(name);
  };

  const keyOf = (policyName: string, dataCenters: readonly string[]): string | undefined => {
    const question = `${policyName} ${dataCenters.join(' ')}`;
    if (keys.has(question)) return keys.get(question);
    const policy = policyOf(policyName);
    const candidates = candidatesOf(config, dataCenters, dataCenterIndex);
    let key: string | undefined;
    if (policy !== undefined && candidates.length > 0) {
      key = `${JSON.stringify(candidates)} ${policy.text}`;
      if (!byKey.has(key)) byKey.set(key, { policy: policy.node, candidates });
    }
    keys.set(question, key);
    return key;
  };

  for (const { value } of config.steeredNames.values()) {
    const pool = config.pools.get(value.pool)?.value;
    if (pool !== undefined) keyOf(value.policy, poolDataCenters(config, pool));
  }
  return { byKey, keyOf };
}

function candidatesOf(
  config: Config,
  names: readonly string[],
  dataCenterIndex: (name: string) => number | undefined,
): readonly Candidate[] {
  return names.flatMap((name): Candidate[] => {
    const dataCenter = config.dataCenters.get(name)?.value;
    const index = dataCenterIndex(name);
    if (dataCenter === undefined || index === undefined || index < 0) return [];
    return [{ index, name, latitude: dataCenter.latitude, longitude: dataCenter.longitude }];
  });
}
