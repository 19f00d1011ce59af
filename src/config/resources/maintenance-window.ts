import { z } from 'zod';
import { MAX_CRON_LENGTH, parseCron } from '../calendar/cron-fields.ts';
import { cronOpenings } from '../calendar/openings.ts';
import { isTimeZone } from '../calendar/zone-clock.ts';
import { resourceName } from './fields.ts';
import { overrideTarget } from './override.ts';

/** Longest window: what takes longer than a month is no maintenance, and wants an override. */
const MAX_WINDOW_MINUTES = 44_640;

const cronText = z
  .string()
  .min(9)
  .max(MAX_CRON_LENGTH, { abort: true })
  .superRefine((text, context) => {
    const cron = parseCron(text);
    if (!cron.ok) for (const message of cron.faults) context.addIssue({ code: 'custom', message });
    // Any moment does: what never comes does not depend on where one begins to wait.
    else if (cronOpenings(text, 'UTC')?.after(0) === undefined)
      context.addIssue({ code: 'custom', message: 'must name a day that comes within nine years' });
  });

const timeZone = z.string().min(1).max(64).refine(isTimeZone, {
  error: 'must be a time zone of the IANA database, such as Europe/Berlin',
});

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
    /** Minute, hour, day of month, month, day of week; a day has to match both of its fields. */
    cron: cronText,
    /** IANA time zone in which the fields are read. */
    timeZone: timeZone.default('UTC'),
    durationMinutes: z.int().min(1).max(MAX_WINDOW_MINUTES),
  }),
]);

/** Planned work: while the window is open, an override for its target; an operator's own overrides outrank it. */
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
