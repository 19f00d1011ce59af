import { z } from 'zod';
import { resourceName } from './fields.ts';

/** What a channel's messages look like. */
export const alertFormats = ['json', 'slack', 'pagerduty'] as const;

/** Long enough that a data center whose endpoints fall one after the other is one message. */
const DEFAULT_GROUP_SECONDS = 5;
const MAX_GROUP_SECONDS = 300;

/** A webhook that is told what happens. */
export const alertChannelSchema = z
  .strictObject({
    name: resourceName,
    description: z.string().max(200).optional(),
    url: z.url({ protocol: /^https?$/ }).max(2048),
    format: z.enum(alertFormats).default('json'),
    /** Signs the body (HMAC-SHA-256); whoever receives it can tell that it is ours. */
    secret: z.string().min(16).max(256).optional(),
    /** The integration's key, for the format `pagerduty`. */
    routingKey: z.string().min(1).max(256).optional(),
    /** What happens within this time of a first event goes into one message. */
    groupSeconds: z.int().min(0).max(MAX_GROUP_SECONDS).default(DEFAULT_GROUP_SECONDS),
  })
  .refine(({ format, routingKey }) => (format === 'pagerduty') === (routingKey !== undefined), {
    error: 'is needed when, and only when, format is "pagerduty"',
    path: ['routingKey'],
  })
  .meta({ id: 'AlertChannel' });

export type AlertChannel = Readonly<z.infer<typeof alertChannelSchema>>;
