import { z } from 'zod';
import { resourceName } from './fields.ts';

export const overrideStates = ['up', 'down', 'drain'] as const;

/** What an override holds for: one endpoint (`pool/endpoint`), a whole pool, or a whole data center. */
export const overrideTarget = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('endpoint'), pool: resourceName, endpoint: resourceName }),
  z.strictObject({ kind: z.literal('pool'), pool: resourceName }),
  z.strictObject({ kind: z.literal('data-center'), dataCenter: resourceName }),
]);

/** Operator's forced up, down or drain, with reason and expiry; outranks what probes say. */
export const overrideSchema = z
  .strictObject({
    id: resourceName,
    state: z.enum(overrideStates),
    target: overrideTarget,
    reason: z.string().min(1).max(500),
    /** RFC 3339; after it the override holds no more. Without it, until it is deleted. */
    expiresAt: z.iso.datetime({ offset: true }).optional(),
    /** Holds even where the guard rails of a pool would keep an endpoint in service. */
    breakGlass: z.boolean().optional(),
  })
  .meta({ id: 'Override' });

export type Override = Readonly<z.infer<typeof overrideSchema>>;
export type OverrideState = Override['state'];
