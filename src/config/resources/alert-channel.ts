import { z } from 'zod';
import { parseAlertTemplate } from '../alert-template.ts';
import { MAX_DATA_CENTERS } from '../limits.ts';
import { resourceName } from './fields.ts';

/** What a channel's messages look like. */
export const alertFormats = ['json', 'slack', 'pagerduty'] as const;

/** The default interval of probes: the endpoints of a data center that dies fall within one, and are one message. */
const DEFAULT_GROUP_SECONDS = 10;
const MAX_GROUP_SECONDS = 300;

/** As many pools as one person looks after, and then some. */
const MAX_POOLS = 1000;

/** A JSON body of a few dozen fields. */
const MAX_TEMPLATE_LENGTH = 4096;

const severity = z.enum(['info', 'warning', 'critical']);

const template = z
  .string()
  .min(1)
  .max(MAX_TEMPLATE_LENGTH)
  .superRefine((text, context) => {
    const parsed = parseAlertTemplate(text);
    if (parsed.ok) return;
    for (const { message } of parsed.problems) context.addIssue({ code: 'custom', message });
  });

/** A webhook that is told what happens. */
export const alertChannelSchema = z
  .strictObject({
    name: resourceName,
    description: z.string().max(200).optional(),
    url: z.url({ protocol: /^https?$/ }).max(2048),
    format: z.enum(alertFormats).default('json'),
    /** Signs the body (HMAC-SHA-256); whoever receives it can tell that it is ours. Never shown again. */
    secret: z.string().min(16).max(256).optional(),
    /** The integration's key, for the format `pagerduty`. Never shown again. */
    routingKey: z.string().min(1).max(256).optional(),
    /** What happens within this time of another event goes into one message with it. */
    groupSeconds: z.int().min(0).max(MAX_GROUP_SECONDS).default(DEFAULT_GROUP_SECONDS),
    /** Tells of nothing less. A lost data center is critical, a failed endpoint a warning, a drained one for information. */
    minimumSeverity: severity.default('warning'),
    /** Tells only of endpoints of these pools. */
    pools: z.array(resourceName).min(1).max(MAX_POOLS).optional(),
    /** Tells only of these data centers. */
    dataCenters: z.array(resourceName).min(1).max(MAX_DATA_CENTERS).optional(),
    /** The body, for the format `json`: JSON with placeholders in its texts, such as `{"summary": "{{title}}"}`. */
    template: template.optional(),
  })
  .refine(({ format, template: body }) => body === undefined || format === 'json', {
    error: 'is for the format "json" only',
    path: ['template'],
  })
  .meta({ id: 'AlertChannel' });

export type AlertChannel = Readonly<z.infer<typeof alertChannelSchema>>;

/** A channel as it is shown: whether it has secrets, and not which. */
export type ShownAlertChannel = Omit<AlertChannel, 'secret' | 'routingKey'> & {
  readonly secret: SecretState;
  readonly routingKey: SecretState;
};

type SecretState = { readonly set: boolean };

const secretState = z.strictObject({ set: z.boolean() }).meta({ id: 'SecretState' });

/** The schema of `showAlertChannel`, for the OpenAPI document. */
export const shownAlertChannelSchema = z
  .strictObject({ ...alertChannelSchema.shape, secret: secretState, routingKey: secretState })
  .meta({ id: 'ShownAlertChannel' });

/** The channel without its secrets; of its URL only the host, for the rest is a secret of most webhooks. */
export function showAlertChannel(channel: AlertChannel): ShownAlertChannel {
  const { secret, routingKey, ...shown } = channel;
  return {
    ...shown,
    url: hostOf(channel.url),
    secret: { set: secret !== undefined },
    routingKey: { set: routingKey !== undefined },
  };
}

/** A channel that is written anew: what was not shown, and so could not be sent along, stays as it was. */
export function keepUnshown(channel: AlertChannel, before: AlertChannel): AlertChannel {
  const { secret = before.secret, routingKey = before.routingKey } = channel;
  const isShownUrl = channel.url === hostOf(before.url);
  return {
    ...channel,
    url: isShownUrl ? before.url : channel.url,
    ...(secret === undefined ? {} : { secret }),
    ...(routingKey === undefined || channel.format !== 'pagerduty' ? {} : { routingKey }),
  };
}

/** Scheme and host of a URL: `https://hooks.example.net/…`. */
function hostOf(url: string): string {
  return (
    /^[a-z]+:\/\/[^/?#]*/i
      .exec(url)?.[0]
      .replace(/\/\/[^/]*@/, '//')
      .concat('/') ?? ''
  );
}
