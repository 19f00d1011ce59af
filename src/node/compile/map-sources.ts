import type { Config } from '../../config/model.ts';
import { policyTrees } from '../../config/policy-trees.ts';
import type { MapSource } from '../../steering/compile-map.ts';
import { fillMeasured, ranksByLatency } from '../../steering/fill-measured.ts';
import { type MeasuredFigures, NOTHING_MEASURED } from '../../steering/measured.ts';
import type { Candidate, PolicyNode } from '../../steering/policy.ts';
import { resolvePolicy } from '../../steering/resolve-policy.ts';
import { poolDataCenters } from '../zones/zone-sources.ts';

/**
 * The maps that a configuration needs. Pools with the same data centers and rules share one:
 *
 *     steered name -> (policy, data centers of its pool) -> key -> map
 *
 * A key is the map's whole content in words, so equal keys are equal maps, whichever configuration they come from; but
 * for what was measured: a map that ranks by it keeps its key, and so its number, when it is compiled anew.
 */
export interface MapSources {
  readonly byKey: ReadonlyMap<string, MapSource>;
  /** Keys of the maps that rank by what was measured. */
  readonly measuredKeys: ReadonlySet<string>;
  /** Undefined for a policy that does not exist or cannot be resolved, and for no data centers at all. */
  readonly keyOf: (policy: string, dataCenters: readonly string[]) => string | undefined;
}

/** Finds the maps of all steered names. */
export function mapSources(
  config: Config,
  dataCenterIndex: (name: string) => number | undefined,
  measured: MeasuredFigures = NOTHING_MEASURED,
): MapSources {
  const trees = policyTrees(config);
  const policies = new Map<string, ResolvedPolicy | undefined>();
  const keys = new Map<string, string | undefined>();
  const byKey = new Map<string, MapSource>();
  const measuredKeys = new Set<string>();

  const policyOf = (name: string): ResolvedPolicy | undefined => {
    if (!policies.has(name)) {
      const resolved = resolvePolicy(name, trees);
      policies.set(name, resolved.ok ? resolvedPolicy(resolved.value, measured) : undefined);
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
      if (policy.byLatency) measuredKeys.add(key);
    }
    keys.set(question, key);
    return key;
  };

  for (const { value } of config.steeredNames.values()) {
    const pool = config.pools.get(value.pool)?.value;
    if (pool !== undefined) keyOf(value.policy, poolDataCenters(config, pool));
  }
  return { byKey, measuredKeys, keyOf };
}

interface ResolvedPolicy {
  /** With what was measured. */
  readonly node: PolicyNode;
  /** Without it. */
  readonly text: string;
  readonly byLatency: boolean;
}

function resolvedPolicy(node: PolicyNode, measured: MeasuredFigures): ResolvedPolicy {
  const byLatency = ranksByLatency(node);
  return { node: byLatency ? fillMeasured(node, measured) : node, text: JSON.stringify(node), byLatency };
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
