import { policyKindOf, policyKinds } from '../steering/policies/index.ts';
import type { PolicyNode } from '../steering/policy.ts';
import type { Config } from './model.ts';

/** Stands where a policy is known to exist but cannot be read. */
const UNREADABLE: PolicyNode = { kind: 'nearest' };

/** Trees of all policies by name, for `resolvePolicy`; those of a kind that this version lacks are left out. */
export function policyTrees(config: Config, broken?: ReadonlySet<string>): ReadonlyMap<string, PolicyNode> {
  const trees = new Map<string, PolicyNode>();
  for (const path of broken ?? []) {
    if (path.startsWith('policies/')) trees.set(path.slice('policies/'.length), UNREADABLE);
  }
  for (const [name, { value }] of config.policies) {
    trees.set(name, unknownKind(value.rank) === undefined ? value.rank : UNREADABLE);
  }
  return trees;
}

/** The first kind in a tree that this version does not have: a newer node may have written it. */
export function unknownKind(node: PolicyNode): string | undefined {
  if (!Object.hasOwn(policyKinds, node.kind)) return node.kind;
  for (const child of policyKindOf(node).children(node)) {
    const kind = unknownKind(child);
    if (kind !== undefined) return kind;
  }
  return undefined;
}
