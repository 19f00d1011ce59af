import { MAX_POLICY_DEPTH } from '../steering/limits.ts';
import { policyKindOf } from '../steering/policies/index.ts';
import type { PolicyNode } from '../steering/policy.ts';
import type { Config } from './model.ts';

/** Kinds that name all that their children name; any other kind picks one of its children for each client. */
const JOINING: ReadonlySet<string> = new Set(['failover', 'weighted']);

/**
 * Whether a policy has clients for whom it names a data center, and none that is alive: what is answered to them is
 * then the name's choice for the case that all are down.
 */
export function strands(
  { policies }: Pick<Config, 'policies'>,
  policy: string,
  dataCenter: string,
  alive: ReadonlySet<string>,
): boolean {
  const reach = (node: PolicyNode, depth: number): Reach => {
    if (depth > MAX_POLICY_DEPTH) return NOWHERE;
    if (node.kind === 'policy') {
      const target = policies.get((node as PolicyNode & { readonly name?: string }).name ?? '');
      return target === undefined ? NOWHERE : reach(target.value.rank, depth + 1);
    }
    const kind = policyKindOf(node);
    const children = kind.children(node).map((child) => reach(child, depth + 1));
    if (children.length === 0) return leafReach(node, dataCenter, alive);
    if (!JOINING.has(node.kind)) {
      // Without an `otherwise` there are clients to whom it gives nothing at all.
      const givesNothing = !('otherwise' in node) || node.otherwise === undefined;
      return {
        mayBeDead: givesNothing || children.some((child) => child.mayBeDead),
        mayStrand: children.some(({ mayStrand }) => mayStrand),
      };
    }
    const mayBeDead = children.every((child) => child.mayBeDead);
    return { mayBeDead, mayStrand: mayBeDead && children.some(({ mayStrand }) => mayStrand) };
  };
  const root = policies.get(policy);
  return root === undefined ? false : reach(root.value.rank, 0).mayStrand;
}

interface Reach {
  /** Whether some clients may be given nothing that is alive. */
  readonly mayBeDead: boolean;
  /** Whether the data center is among what these are given. */
  readonly mayStrand: boolean;
}

const NOWHERE: Reach = { mayBeDead: true, mayStrand: false };

/** A leaf with a list ranks what is listed; without one, all. */
function leafReach(
  node: PolicyNode & { readonly dataCenters?: readonly string[] },
  dataCenter: string,
  alive: ReadonlySet<string>,
): Reach {
  const { dataCenters: named } = node;
  const mayBeDead = named === undefined ? alive.size === 0 : !named.some((name) => alive.has(name));
  return { mayBeDead, mayStrand: mayBeDead && (named?.includes(dataCenter) ?? true) };
}
