import { z } from 'zod';
import { resourceName } from './fields.ts';

/** Fields that every monitor has, whatever its probe kind. */
export const monitorFields = {
  name: resourceName,
  description: z.string().max(200).optional(),
  /** Seconds from one probe of an endpoint to the next. */
  intervalSeconds: z.number().min(0.1).max(3600).default(10),
  /** A probe that has not finished by then has failed; never longer than the interval. */
  timeoutSeconds: z.number().min(0.05).max(60).default(3),
  /** Consecutive successes that turn a down endpoint up. */
  rise: z.int().min(1).max(100).default(2),
  /** Consecutive failures that turn an up endpoint down. */
  fall: z.int().min(1).max(100).default(3),
  /** Largest share of the interval by which one probe is moved at random, so that nodes do not probe in step. */
  jitter: z.number().min(0).max(0.5).default(0.1),
  /** TCP port to probe; the probe kind has its own default (HTTP 80, HTTPS 443). */
  port: z.int().min(1).max(65_535).optional(),
};

/** The configured check. `settings` belongs to the probe kind, whose schema has checked it. */
export interface Monitor {
  readonly name: string;
  readonly description?: string | undefined;
  readonly kind: string;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly rise: number;
  readonly fall: number;
  readonly jitter: number;
  readonly port?: number | undefined;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** What the contract needs of a probe kind; `probing/probes/<kind>.ts` has the rest. */
export interface ProbeKindContract {
  readonly kind: string;
  /** Checks and completes `settings`. */
  readonly settings: z.ZodType<Readonly<Record<string, unknown>>>;
  /** True for a kind that has no default port, so that the monitor must name one. */
  readonly requiresPort?: boolean;
}

/** One union over all probe kinds, discriminated by `kind`. */
export function monitorSchemaFor(kinds: readonly ProbeKindContract[]): z.ZodType<Monitor> {
  const [first, ...rest] = kinds.map(({ kind, settings, requiresPort }) =>
    z
      .strictObject({ ...monitorFields, kind: z.literal(kind), settings: settings.prefault({}) })
      .refine((monitor) => monitor.timeoutSeconds <= monitor.intervalSeconds, {
        error: 'must not be longer than intervalSeconds; it is 3 unless told',
        path: ['timeoutSeconds'],
      })
      .refine((monitor) => requiresPort !== true || monitor.port !== undefined, {
        error: `port is required for a monitor of kind ${kind}`,
        path: ['port'],
      }),
  );
  if (first === undefined) throw new Error('at least one probe kind is required');
  return z.discriminatedUnion('kind', [first, ...rest]).meta({ id: 'Monitor' });
}
