import { z } from 'zod';
import type { Stored } from '../config/model.ts';

/** Who may change a resource, as JSON. */
const ownerSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('api') }),
    z.strictObject({ kind: z.literal('directory'), file: z.string(), line: z.int() }),
  ])
  .meta({ id: 'Owner' });

/** How a collection shows its resources. */
interface Showing<T> {
  readonly show?: (value: T) => unknown;
  readonly figures?: (value: T) => object;
}

/**
 * A resource as the API answers it: what is shown of the value, what the store knows of it, and what it comes to at
 * present.
 */
export function shownForm<T>(shelf: Showing<T>, stored: Stored<T>): Stored<unknown> {
  const { value: _, ...known } = stored;
  const value = shelf.show === undefined ? stored.value : shelf.show(stored.value);
  return { value, ...known, ...shelf.figures?.(stored.value) };
}

/** The schema of `shownForm`, for the OpenAPI document. */
export function storedFormSchema(one: string, value: z.ZodType, figures: z.ZodRawShape = {}): z.ZodType {
  return z
    .object({
      value,
      owner: ownerSchema,
      revision: z.string(),
      author: z.string(),
      reason: z.string(),
      updatedAt: z.iso.datetime(),
      node: z.string().optional(),
      ...figures,
    })
    .meta({ id: `Stored${one}` });
}
