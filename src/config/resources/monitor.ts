import { z } from 'zod';
import { resourceName } from './fields.ts';
import { DEFAULT_VANTAGES, MAX_VANTAGES, type Quorum, quorumSchema } from './quorum.ts';

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
  /** Seconds from one probe to the next while its verdict is in doubt; without it, a quarter of the interval. */
  recheckSeconds: z.number().min(0.05).max(3600).optional(),
  /** When an endpoint counts as flapping, and for how long it is then held down. */
  flapping: z
    .strictObject({
      /** Changes between up and down within the window. */
      changes: z.int().min(2).max(100).default(4),
      windowSeconds: z.number().min(1).max(86_400).default(600),
      /** The first hold-down; each further one is twice as long, until a window has passed without a change. */
      holdDownSeconds: z.number().min(0).max(86_400).default(60),
      maxHoldDownSeconds: z.number().min(0).max(86_400).default(900),
    })
    .optional(),
  /** How many vantages must agree; without it, the majority of them. */
  quorum: quorumSchema.optional(),
  /** At most so many nodes probe an endpoint, spread over regions; without it, 5, or more where the quorum asks. */
  vantages: z.int().min(1).max(MAX_VANTAGES).optional(),
  /** TCP port to probe; the probe kind has its own default (HTTP 80, HTTPS 443). */
  port: z.int().min(1).max(65_535).optional(),
};

/** What a monitor says of flapping. */
export interface FlappingSettings {
  readonly changes: number;
  readonly windowSeconds: number;
  readonly holdDownSeconds: number;
  readonly maxHoldDownSeconds: number;
}

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
  readonly recheckSeconds?: number | undefined;
  readonly flapping?: FlappingSettings | undefined;
  readonly quorum?: Quorum | undefined;
  readonly vantages?: number | undefined;
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
      .refine((monitor) => (monitor.recheckSeconds ?? 0) <= monitor.intervalSeconds, {
        error: 'must not be longer than intervalSeconds',
        path: ['recheckSeconds'],
      })
      .refine((monitor) => leastVantages(monitor.quorum) <= vantagesOf(monitor), {
        error: 'must not be fewer than the quorum asks for',
        path: ['vantages'],
      })
      .refine((monitor) => requiresPort !== true || monitor.port !== undefined, {
        error: `port is required for a monitor of kind ${kind}`,
        path: ['port'],
      }),
  );
  if (first === undefined) throw new Error('at least one probe kind is required');
  return z.discriminatedUnion('kind', [first, ...rest]).meta({ id: 'Monitor' });
}

/** At most so many nodes probe an endpoint of the monitor. */
export function vantagesOf({ vantages, quorum }: Pick<Monitor, 'vantages' | 'quorum'>): number {
  return vantages ?? Math.max(DEFAULT_VANTAGES, leastVantages(quorum));
}

/** Fewer vantages than these could never reach the quorum. */
function leastVantages(quorum: Quorum | undefined): number {
  return quorum?.kind === 'at-least' ? quorum.vantages : 1;
}
