import { z } from 'zod';
import { boundNesting } from '../../config/nesting.ts';
import { MAX_POLICY_DEPTH } from '../limits.ts';
import type { PolicyKind, PolicyNode } from '../policy.ts';
import { failover } from './failover.ts';
import { geo } from './geo.ts';
import { latency } from './latency.ts';
import { nearest } from './nearest.ts';
import { order } from './order.ts';
import { reference } from './reference.ts';
import { weighted } from './weighted.ts';

/** Every kind of policy; a new kind is a file beside these and a line here. */
export const policyKinds = { nearest, latency, geo, failover, weighted, order, policy: reference } as const;

/** The kind of a node. Throws for a kind that no file here defines: the schema lets none pass. */
export function policyKindOf(node: PolicyNode): PolicyKind<PolicyNode> {
  if (!Object.hasOwn(policyKinds, node.kind)) throw new Error(`unknown kind of policy: ${node.kind}`);
  // Each kind sees only nodes of its own kind, which the table's key guarantees and a type cannot say.
  return policyKinds[node.kind as keyof typeof policyKinds] as unknown as PolicyKind<PolicyNode>;
}

const childSchema: z.ZodType<PolicyNode> = z.lazy(() => anyKind);

const anyKind = z
  .discriminatedUnion('kind', [
    nearest.schema(childSchema),
    latency.schema(childSchema),
    geo.schema(childSchema),
    failover.schema(childSchema),
    weighted.schema(childSchema),
    order.schema(childSchema),
    reference.schema(childSchema),
  ] as unknown as [z.ZodObject<{ kind: z.ZodLiteral<string> }>])
  .meta({ id: 'PolicyNode' });

/** JSON levels that one policy level takes at most: a list, its entry, the node in it. */
const JSON_LEVELS_PER_NODE = 3;

/** The shape of any policy node. Nesting is bounded before anything recurses over it. */
export const policyNodeSchema: z.ZodType<PolicyNode> = boundNesting(
  anyKind,
  MAX_POLICY_DEPTH * JSON_LEVELS_PER_NODE + JSON_LEVELS_PER_NODE,
  `must not nest more than ${MAX_POLICY_DEPTH} levels of policies`,
);
