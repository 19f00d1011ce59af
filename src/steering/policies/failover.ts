import { z } from 'zod';
import { MAX_POLICY_CHILDREN } from '../limits.ts';
import type { PolicyKind, PolicyNode } from '../policy.ts';

/** Ranks everything of the first level before everything of the second, and so on. */
export interface FailoverNode extends PolicyNode {
  readonly kind: 'failover';
  readonly levels: readonly PolicyNode[];
}

export const failover: PolicyKind<FailoverNode> = {
  kind: 'failover',
  summary: 'Ranks the first level’s data centers before the second’s, and so on.',
  schema: (child) =>
    z
      .strictObject({ kind: z.literal('failover'), levels: z.array(child).min(1).max(MAX_POLICY_CHILDREN) })
      .meta({ id: 'FailoverPolicy' }),
  children: (node) => node.levels,
  withChildren: (node, levels) => ({ ...node, levels }),
  dataCenters: () => [],
  prefixes: () => [],
  rank: (node, client, context) => ({
    kind: 'sequence',
    // A data center that two levels name stays where it comes first: running a program writes each only once.
    parts: node.levels.map((level, at) => {
      context.trace?.({
        kind: 'failover',
        detail: `level ${at + 1} of ${node.levels.length}: ${level.kind}`,
      });
      return context.rank(level, client);
    }),
  }),
};
