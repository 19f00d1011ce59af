import { z } from 'zod';
import { policyNodeSchema } from '../../steering/policies/index.ts';
import type { PolicyNode } from '../../steering/policy.ts';
import { resourceName } from './fields.ts';

/** A named tree that ranks data centers for a client. */
export const policySchema = z
  .strictObject({
    name: resourceName,
    description: z.string().max(200).optional(),
    rank: policyNodeSchema,
  })
  .meta({ id: 'Policy' });

export interface Policy {
  readonly name: string;
  readonly description?: string | undefined;
  readonly rank: PolicyNode;
}
