import { z } from 'zod';

/** As `ClusterOverview`; the command line reads answers with it. */
export const clusterOverviewSchema = z
  .object({
    clusterId: z.string(),
    name: z.string(),
    region: z.string(),
    role: z.enum(['full', 'delayed']),
    addresses: z.array(z.string()).readonly(),
    standing: z.enum(['member', 'unknown', 'removed', 'replaced', 'left']).meta({
      description:
        '`unknown` before the node has heard from the others, `left` until it starts again, in no cluster then.',
    }),
    certificateSerial: z.string(),
    certificateExpiresAt: z.string(),
    caExpiresAt: z.string(),
  })
  .meta({ id: 'ClusterOverview' });

export const invitedSchema = z
  .object({
    id: z.string(),
    token: z.string().meta({ description: 'For `meridian cluster join`; whoever has it can join.' }),
    expiresAt: z.string(),
  })
  .meta({ id: 'IssuedInvitation' });

export const leftSchema = z
  .object({ aside: z.string().meta({ description: 'Where the files are now.' }) })
  .meta({ id: 'LeftCluster' });
