import type { Config } from '../../config/model.ts';
import { policyTrees } from '../../config/policy-trees.ts';
import type { PolicyNode } from '../../steering/policy.ts';
import { resolvePolicy } from '../../steering/resolve-policy.ts';
import { groupSteeredNames } from './zone-sources.ts';

/** What a publication has to do about zones. */
export interface ZoneChanges {
  /** Apexes of new zones and of those of which any input changed, but for the ones in `edit`. */
  readonly compile: readonly string[];
  /** Apexes of zones of which nothing but RRsets and the serial changed. */
  readonly edit: readonly string[];
  /** Apexes of zones that are no more. */
  readonly drop: readonly string[];
}

/**
 * Compares two configurations by the identity of what each zone is made from: the zone, its RRsets, its steered
 * names, and of those the pools, policies and data centers. Unchanged parts keep their identity over commits, so
 * nothing is compared by value. Monitors and overrides change verdicts and no zone.
 */
export function changedZones(before: Config | undefined, after: Config): ZoneChanges {
  if (before === undefined) return { compile: [...after.zones.keys()], edit: [], drop: [] };
  const sameZones = before.zones === after.zones;
  const drop = sameZones ? [] : [...before.zones.keys()].filter((apex) => !after.zones.has(apex));
  const steeringMayDiffer =
    before.steeredNames !== after.steeredNames ||
    before.pools !== after.pools ||
    before.policies !== after.policies ||
    before.dataCenters !== after.dataCenters ||
    // A zone that comes or goes may take steered names from the zone above it.
    before.zones.size !== after.zones.size ||
    drop.length > 0;
  const steered = steeringMayDiffer ? changedSteering(before, after) : NO_ZONES;
  const compile = new Set(steered);
  if (!sameZones) {
    for (const [apex, zone] of after.zones) if (before.zones.get(apex) !== zone) compile.add(apex);
  }
  const edit = new Set<string>();
  for (const apex of [...changedRRsets(before, after), ...changedSerials(before, after)])
    if (after.zones.has(apex) && !compile.has(apex)) edit.add(apex);
  return { compile: [...compile].filter((apex) => after.zones.has(apex)), edit: [...edit], drop };
}

const NO_ZONES: ReadonlySet<string> = new Set();

function changedRRsets(before: Config, after: Config): readonly string[] {
  if (before.rrsets === after.rrsets) return [];
  const changed = [...after.rrsets].filter(([apex, rrsets]) => before.rrsets.get(apex) !== rrsets);
  const gone = [...before.rrsets.keys()].filter((apex) => !after.rrsets.has(apex));
  return [...changed.map(([apex]) => apex), ...gone];
}

/** What a merge brings may count without changing anything else: the serial must be as on the other nodes. */
function changedSerials(before: Config, after: Config): readonly string[] {
  if (before.zoneSerials === after.zoneSerials) return [];
  return [...after.zoneSerials].flatMap(([apex, serial]) =>
    serial !== before.zoneSerials.get(apex) && after.zones.get(apex)?.value.kind === 'rrsets' ? [apex] : [],
  );
}

/** Apexes of zones whose steered names, or anything behind them, are not the same objects. */
function changedSteering(before: Config, after: Config): ReadonlySet<string> {
  const changed = new Set<string>();
  const samePolicy = policyComparison(before, after);
  const old = groupSteeredNames(before);
  const now = groupSteeredNames(after);
  for (const apex of new Set([...old.keys(), ...now.keys()])) {
    const names = now.get(apex) ?? [];
    if (names.length !== (old.get(apex)?.length ?? 0)) {
      changed.add(apex);
      continue;
    }
    const known = new Set(old.get(apex));
    const same = names.every(
      (stored) =>
        known.has(stored) && samePool(before, after, stored.value.pool) && samePolicy(stored.value.policy),
    );
    if (!same) changed.add(apex);
  }
  return changed;
}

function samePool(before: Config, after: Config, name: string): boolean {
  const pool = after.pools.get(name);
  if (pool !== before.pools.get(name)) return false;
  if (before.dataCenters === after.dataCenters || pool === undefined) return true;
  return pool.value.endpoints.every(
    ({ dataCenter }) => before.dataCenters.get(dataCenter) === after.dataCenters.get(dataCenter),
  );
}

/** Whether a policy, with all policies that it names, is the same in both. */
function policyComparison(before: Config, after: Config): (name: string) => boolean {
  if (before.policies === after.policies) return () => true;
  const answers = new Map<string, boolean>();
  const oldTrees = policyTrees(before);
  const newTrees = policyTrees(after);
  return (name) => {
    let same = answers.get(name);
    if (same === undefined) {
      same = textOf(name, oldTrees) === textOf(name, newTrees);
      answers.set(name, same);
    }
    return same;
  };
}

/** A policy's tree in words, references resolved: a policy is the same when its words are. */
function textOf(name: string, trees: ReadonlyMap<string, PolicyNode>): string {
  const resolved = resolvePolicy(name, trees);
  return resolved.ok ? JSON.stringify(resolved.value) : '';
}
