import { z } from 'zod';
import { capacity, resourceName } from './fields.ts';

/** A day: whatever starts more slowly is brought back by hand. */
const MAX_RAMP_SECONDS = 86_400;

/** Slow start where a capacity is declared and nothing else is said: caches are warm by then, and pools of connections full. */
export const DEFAULT_RAMP_SECONDS = 120;

/** A named place with coordinates; what a policy ranks. */
export const dataCenterSchema = z
  .strictObject({
    name: resourceName,
    description: z.string().max(200).optional(),
    /** Degrees north, WGS 84. */
    latitude: z.number().min(-90).max(90),
    /** Degrees east, WGS 84. */
    longitude: z.number().min(-180).max(180),
    /** The load that it can take, in the units of load reports; without reports, in queries a second. */
    capacity: capacity.optional(),
    /** Length of the slow start after it was down; 0 for none. */
    rampSeconds: z.int().min(0).max(MAX_RAMP_SECONDS).optional(),
  })
  .meta({ id: 'DataCenter' });

export type DataCenter = Readonly<z.infer<typeof dataCenterSchema>>;
