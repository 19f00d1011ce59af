import { z } from 'zod';
import { resourceName } from './fields.ts';

/** A named place with coordinates; what a policy ranks. */
export const dataCenterSchema = z
  .strictObject({
    name: resourceName,
    description: z.string().max(200).optional(),
    /** Degrees north, WGS 84. */
    latitude: z.number().min(-90).max(90),
    /** Degrees east, WGS 84. */
    longitude: z.number().min(-180).max(180),
  })
  .meta({ id: 'DataCenter' });

export type DataCenter = Readonly<z.infer<typeof dataCenterSchema>>;
