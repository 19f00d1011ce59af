import { z } from 'zod';
import type { ProbeKindContract } from './monitor.ts';

/** A report is good for half a minute unless told: three of one every ten seconds. */
const DEFAULT_LEASE_SECONDS = 30;

/** What has not been heard of for a day is not watched. */
export const MAX_LEASE_SECONDS = 86_400;

export const leaseSeconds = z.number().min(1).max(MAX_LEASE_SECONDS);

const pushSettings = z.strictObject({
  /** A report counts for so long; silence beyond it counts as failure. */
  leaseSeconds: leaseSeconds.default(DEFAULT_LEASE_SECONDS),
  /** SHA-256 of a token, in hexadecimal, that allows reports for the endpoints of this monitor and nothing else. */
  tokenHash: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 digest: 64 hexadecimal digits in lower case')
    .optional(),
});

export type PushSettings = Readonly<z.infer<typeof pushSettings>>;

/** The kind of monitor that sends no probe but waits for reports. */
export const pushMonitor: ProbeKindContract = { kind: 'push', settings: pushSettings };

/** The settings of a monitor of kind `push`, as its schema returned them. */
export function pushSettingsOf(settings: Readonly<Record<string, unknown>>): PushSettings {
  return settings as PushSettings;
}
