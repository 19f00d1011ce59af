import { z } from 'zod';

/** The name of a data center, as the configuration allows it; whether it exists is checked across resources. */
export const dataCenterName = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'must be the name of a data center: 1 to 63 lower case letters, digits or hyphens',
  );
