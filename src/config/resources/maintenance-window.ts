import { z } from 'zod';
import { resourceName } from './fields.ts';
import { overrideTarget } from './override.ts';

/** Longest window: what takes longer than a month is no maintenance, and wants an override. */
const MAX_WINDOW_MINUTES = 44_640;

/** When a window is open. */
const maintenanceSchedule = z.discriminatedUnion('kind', [
  z
    .strictObject({
      kind: z.literal('once'),
      startsAt: z.iso.datetime({ offset: true }),
      endsAt: z.iso.datetime({ offset: true }),
    })
    .refine(({ startsAt, endsAt }) => Date.parse(startsAt) < Date.parse(endsAt), {
      error: 'must be later than startsAt',
      path: ['endsAt'],
    }),
  z.strictObject({
    kind: z.literal('repeating'),
    /** Minute, hour, day of month, month, day of week, as in crontab(5). */
    cron: z.string().min(9).max(200),
    /** IANA time zone in which the fields are read. */
    timeZone: z.string().min(1).max(64).default('UTC'),
    durationMinutes: z.int().min(1).max(MAX_WINDOW_MINUTES),
  }),
]);

/** Planned work: while the window is open, an override for its target. */
export const maintenanceWindowSchema = z
  .strictObject({
    name: resourceName,
    state: z.enum(['down', 'drain']).default('drain'),
    target: overrideTarget,
    schedule: maintenanceSchedule,
    reason: z.string().min(1).max(500),
  })
  .meta({ id: 'MaintenanceWindow' });

export type MaintenanceWindow = Readonly<z.infer<typeof maintenanceWindowSchema>>;
