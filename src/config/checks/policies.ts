import { NOWHERE } from '../../geo/location.ts';
import { policyKindOf, policyKinds } from '../../steering/policies/index.ts';
import type { Candidate, PolicyNode } from '../../steering/policy.ts';
import type { Program } from '../../steering/program.ts';
import { createRanking } from '../../steering/rank.ts';
import { resolvePolicy } from '../../steering/resolve-policy.ts';
import type { Config, Owner } from '../model.ts';
import { policyTrees, unknownKind } from '../policy-trees.ts';
import type { Pool } from '../resources/pool.ts';
import { checkReference, onlyWhenChanged, report } from './scope.ts';

/** A policy without a file of its own to point at. */
const NOBODY: Owner = { kind: 'api' };

/** Policies that name what is not there, name themselves, or are too large with all they name. */
export const checkPolicies = onlyWhenChanged(['policies', 'dataCenters'], (scope): void => {
  const { config } = scope;
  const trees = policyTrees(config, scope.broken);
  const told = new Set<string>();
  for (const [name, { value, owner }] of config.policies) {
    const path = `policies/${name}/rank`;
    const kind = unknownKind(value.rank);
    if (kind !== undefined) {
      const known = Object.keys(policyKinds).join(', ');
      report(
        scope,
        owner,
        'unknown-policy-kind',
        path,
        `The policy has a node of the kind "${kind}"; known are ${known}.`,
      );
      continue;
    }
    const mentioned = new Set(mentionedDataCenters(value.rank));
    for (const dataCenter of mentioned) {
      checkReference(scope, owner, `${path}/${dataCenter}`, 'The policy', 'dataCenters', dataCenter);
    }
    const resolved = resolvePolicy(name, trees);
    if (resolved.ok) continue;
    // A policy that names a broken one is told of once, at the place of the mistake.
    for (const problem of resolved.problems) {
      const identity = `${problem.path} ${problem.message}`;
      if (told.has(identity)) continue;
      told.add(identity);
      const holder = config.policies.get(problem.path.split('/')[1] ?? '');
      report(scope, holder?.owner ?? NOBODY, problem.code, problem.path, problem.message);
    }
  }
});

/** Whether a policy, with the data centers of a pool as candidates, ranks any of them for any client. */
export type ReachCheck = (policy: string, pool: Pool) => boolean;

/** Resolves each policy once and ranks each pool's data centers once. What dangles elsewhere counts as reached. */
export function createReachCheck(config: Config): ReachCheck {
  const trees = policyTrees(config);
  const leaves = new Map<string, readonly PolicyNode[] | undefined>();
  const answers = new Map<string, boolean>();

  const leavesOf = (policy: string): readonly PolicyNode[] | undefined => {
    if (!leaves.has(policy)) {
      const resolved = resolvePolicy(policy, trees);
      leaves.set(policy, resolved.ok ? leavesUnder(resolved.value) : undefined);
    }
    return leaves.get(policy);
  };

  return (policy, pool) => {
    const question = `${policy} ${pool.name}`;
    let reaches = answers.get(question);
    if (reaches === undefined) {
      const names = [...new Set(pool.endpoints.map(({ dataCenter }) => dataCenter))];
      const found = leavesOf(policy);
      const candidates = candidatesOf(config, names);
      reaches =
        found === undefined ||
        candidates.length < names.length ||
        // Leaves rank their data centers also where nothing is known of the client.
        found.some((leaf) => hasDataCenter(createRanking(leaf, candidates)(NOWHERE)));
      answers.set(question, reaches);
    }
    return reaches;
  };
}

function mentionedDataCenters(node: PolicyNode): readonly string[] {
  const kind = policyKindOf(node);
  return [...kind.dataCenters(node), ...kind.children(node).flatMap(mentionedDataCenters)];
}

function leavesUnder(node: PolicyNode): readonly PolicyNode[] {
  const children = policyKindOf(node).children(node);
  return children.length === 0 ? [node] : children.flatMap(leavesUnder);
}

function candidatesOf(config: Config, names: readonly string[]): readonly Candidate[] {
  return names.flatMap((name, index): Candidate[] => {
    const dataCenter = config.dataCenters.get(name)?.value;
    if (dataCenter === undefined) return [];
    return [{ index, name, latitude: dataCenter.latitude, longitude: dataCenter.longitude }];
  });
}

function hasDataCenter(program: Program): boolean {
  switch (program.kind) {
    case 'data-center':
      return true;
    case 'sequence':
      return program.parts.some(hasDataCenter);
    case 'weighted':
      return program.choices.some((choice) => hasDataCenter(choice.program));
  }
}
