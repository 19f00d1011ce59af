import { z } from 'zod';
import { MAX_POLICY_CHILDREN } from '../limits.ts';
import type { PolicyKind, PolicyNode } from '../policy.ts';

/** A share of 1 in 65,535 is finer than any traffic can be split by DNS. */
const MAX_WEIGHT = 65_535;

/** Puts its choices in a random order, drawn anew for each query in proportion to their weights. */
export interface WeightedNode extends PolicyNode {
  readonly kind: 'weighted';
  readonly choices: readonly WeightedPolicyChoice[];
}

interface WeightedPolicyChoice {
  /** 0 means: only when every other choice is exhausted. */
  readonly weight: number;
  readonly then: PolicyNode;
}

export const weighted: PolicyKind<WeightedNode> = {
  kind: 'weighted',
  summary: 'Draws the order of its choices for each query, in proportion to their weights.',
  schema: (child) =>
    z
      .strictObject({
        kind: z.literal('weighted'),
        choices: z
          // biome-ignore lint/suspicious/noThenProperty: the word reads best, and its value is never a function
          .array(z.strictObject({ weight: z.int().min(0).max(MAX_WEIGHT), then: child }))
          .min(1)
          .max(MAX_POLICY_CHILDREN),
      })
      .meta({ id: 'WeightedPolicy' }),
  children: (node) => node.choices.map((choice) => choice.then),
  withChildren: (node, children) => ({
    ...node,
    // biome-ignore lint/suspicious/noThenProperty: as in the schema
    choices: node.choices.map((choice, at) => ({ ...choice, then: children[at] ?? choice.then })),
  }),
  dataCenters: () => [],
  prefixes: () => [],
  rank: (node, client, context) => {
    const total = node.choices.reduce((sum, choice) => sum + choice.weight, 0);
    const choices = node.choices.map((choice, at) => {
      const share = total === 0 ? 'only in its turn' : `${choice.weight} of ${total}`;
      context.trace?.({
        kind: 'weighted',
        detail: `choice ${at + 1}, drawn first for ${share}: ${choice.then.kind}`,
      });
      return { weight: choice.weight, program: context.rank(choice.then, client) };
    });
    return { kind: 'weighted', choices };
  },
};
