import { z } from 'zod';
import type { PolicyKind, PolicyNode } from '../policy.ts';

/** Stands for another named policy; `resolvePolicy` puts that policy in its place before anything is ranked. */
export interface ReferenceNode extends PolicyNode {
  readonly kind: 'policy';
  readonly name: string;
}

export const reference: PolicyKind<ReferenceNode> = {
  kind: 'policy',
  summary: 'Stands for another named policy.',
  schema: () =>
    z
      .strictObject({
        kind: z.literal('policy'),
        name: z
          .string()
          .regex(
            /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
            'must be the name of a policy: 1 to 63 lower case letters, digits or hyphens',
          ),
      })
      .meta({ id: 'PolicyReference' }),
  children: () => [],
  withChildren: (node) => node,
  dataCenters: () => [],
  prefixes: () => [],
  rank: (node, _client, context) => {
    context.trace?.({ kind: 'policy', detail: `the policy ${node.name} is not resolved: no data center` });
    return { kind: 'sequence', parts: [] };
  },
};
