import { z } from 'zod';
import { resourceName } from './fields.ts';

export const overrideStates = ['up', 'down', 'drain'] as const;

/** Two names and what stands between them: a longer glob asks for nothing that exists. */
const MAX_GLOB_LENGTH = 160;

const globSentence = 'must be lower case letters, digits, hyphens and stars';

/** `pool/endpoint` with stars, each for any number of characters but the slash; see `matchesGlob`. */
const endpointGlob = z
  .string()
  .max(MAX_GLOB_LENGTH)
  .regex(/^[a-z0-9*-]+\/[a-z0-9*-]+$/, `${globSentence}, with one slash between pool and endpoint`);

const nameGlob = z
  .string()
  .max(MAX_GLOB_LENGTH)
  .regex(/^[a-z0-9*-]+$/, globSentence);

/**
 * What an override holds for: one endpoint (`pool/endpoint`), a whole pool, a whole data center, or every endpoint whose
 * key, and whose data center where one is asked for, are as a glob says.
 */
export const overrideTarget = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('endpoint'), pool: resourceName, endpoint: resourceName }),
  z.strictObject({ kind: z.literal('pool'), pool: resourceName }),
  z.strictObject({ kind: z.literal('data-center'), dataCenter: resourceName }),
  z.strictObject({ kind: z.literal('glob'), pattern: endpointGlob, dataCenter: nameGlob.optional() }),
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

export type OverrideTarget = Readonly<z.infer<typeof overrideTarget>>;
export type Override = Readonly<z.infer<typeof overrideSchema>>;
export type OverrideState = Override['state'];
