import { z } from 'zod';
import { MAX_RANKED_DATA_CENTERS } from '../limits.ts';
import type { PolicyKind, PolicyNode } from '../policy.ts';
import type { Program } from '../program.ts';
import { dataCenterName } from './data-center-name.ts';

/** Ranks data centers as they are listed, for every client alike. */
export interface OrderNode extends PolicyNode {
  readonly kind: 'order';
  readonly dataCenters: readonly string[];
}

export const order: PolicyKind<OrderNode> = {
  kind: 'order',
  summary: 'Ranks data centers as they are listed.',
  schema: () =>
    z
      .strictObject({
        kind: z.literal('order'),
        dataCenters: z.array(dataCenterName).min(1).max(MAX_RANKED_DATA_CENTERS),
      })
      .meta({ id: 'OrderPolicy' }),
  children: () => [],
  withChildren: (node) => node,
  dataCenters: (node) => node.dataCenters,
  prefixes: () => [],
  rank: (node, _client, context) => {
    const parts = [...new Set(node.dataCenters)].flatMap((name): Program[] => {
      const candidate = context.candidates.find((other) => other.name === name);
      return candidate === undefined ? [] : [{ kind: 'data-center', index: candidate.index }];
    });
    context.trace?.({ kind: 'order', detail: `as listed: ${node.dataCenters.join(', ')}` });
    return { kind: 'sequence', parts };
  },
};
